"""Files by CFDP (CCSDS 727.0-B-5) class 2, acknowledged, with the library `cfdp-py`, over a link that loses PDUs."""

import contextlib
import random
from datetime import timedelta
from pathlib import Path

from cfdppy import CfdpUserBase, LocalEntityConfig, PutRequest, RemoteEntityConfig, RemoteEntityConfigTable
from cfdppy.exceptions import PduIgnoredForDest, PduIgnoredForSource
from cfdppy.handler import DestHandler, SourceHandler
from cfdppy.mib import CheckTimerProvider, DefaultFaultHandlerBase, IndicationConfig
from spacepackets.cfdp import ChecksumType, ConditionCode, DirectiveType, PduConfig, TransmissionMode
from spacepackets.cfdp.defs import Direction
from spacepackets.cfdp.pdu import AckPdu, EofPdu, FinishedPdu, PduFactory, TransactionStatus
from spacepackets.countdown import Countdown
from spacepackets.seqcount import SeqCountProvider
from spacepackets.util import ByteFieldU8

ONBOARD, GROUND = ByteFieldU8(1), ByteFieldU8(2)
SEGMENT_BYTES = 64
ASK_AGAIN_S = 0.02
"""Until an entity repeats what was not answered."""
MOST_TIMES = 200
LOST, LATE, MOST_LATE = 0.2, 0.3, 20
"""Shares of the PDUs of either way that are lost, and that overtake others, so many at most."""
ARRIVES = 0.5
"""Share of the turns in which one comes."""


class Faults(DefaultFaultHandlerBase):  # type: ignore[misc]
    """Notes those that end a transaction."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[ConditionCode] = []

    def note(self, transaction_id: object, cond: ConditionCode, progress: int) -> None:
        """One of them."""
        self.found.append(cond)

    notice_of_suspension_cb = notice_of_cancellation_cb = abandoned_cb = note

    def ignore_cb(self, transaction_id: object, cond: ConditionCode, progress: int) -> None:
        """Of a checksum before all has come: the transaction goes on."""


class User(CfdpUserBase):  # type: ignore[misc]
    """Notes how a transaction ends; the rest is of no interest here."""

    def __init__(self) -> None:
        super().__init__()
        self.end: ConditionCode | None = None

    def transaction_finished_indication(self, params: object) -> None:
        """The end, at either side."""
        self.end = params.finished_params.condition_code  # type: ignore[attr-defined]

    def nothing(self, *_: object, **__: object) -> None:
        """Of the other indications."""

    transaction_indication = eof_sent_indication = metadata_recv_indication = file_segment_recv_indication = nothing
    report_indication = suspended_indication = resumed_indication = fault_indication = nothing
    abandoned_indication = eof_recv_indication = nothing


class Timers(CheckTimerProvider):  # type: ignore[misc]
    """Of class 1, which is not used."""

    def provide_check_timer(self, *_: object, **__: object) -> Countdown:
        """Any."""
        return Countdown(timedelta(seconds=ASK_AGAIN_S))


class Way:
    """One direction of the link, PDUs as bytes."""

    def __init__(self, generator: random.Random) -> None:
        self.generator = generator
        self.on_the_way: list[bytes] = []
        self.n_lost = self.n_late = 0

    def put(self, pdu: bytes) -> None:
        """Lose it, or let it overtake others."""
        if self.generator.random() < LOST:
            self.n_lost += 1
            return
        place = len(self.on_the_way)
        if place and self.generator.random() < LATE:
            place -= self.generator.randint(1, min(place, MOST_LATE))
            self.n_late += 1
        self.on_the_way.insert(place, pdu)

    def take(self) -> object:
        """The PDU that arrives now, if there is one; some wait on the way, where others overtake them."""
        arrives = self.on_the_way and self.generator.random() < ARRIVES
        return PduFactory.from_raw(self.on_the_way.pop(0)) if arrives else None


def remote(entity: ByteFieldU8) -> RemoteEntityConfigTable:
    """What one side knows of the other."""
    return RemoteEntityConfigTable([
        RemoteEntityConfig(
            entity_id=entity, max_file_segment_len=SEGMENT_BYTES, max_packet_len=2 * SEGMENT_BYTES,
            closure_requested=True, crc_on_transmission=True, default_transmission_mode=TransmissionMode.ACKNOWLEDGED,
            crc_type=ChecksumType.CRC_32, positive_ack_timer_interval_seconds=ASK_AGAIN_S,
            positive_ack_timer_expiration_limit=MOST_TIMES, nak_timer_interval_seconds=ASK_AGAIN_S,
            nak_timer_expiration_limit=MOST_TIMES,
        )
    ])  # fmt: skip


def acknowledged(pdu: FinishedPdu | EofPdu) -> bytes:
    """The PDU that says to the other side that the end it told of is known."""
    is_eof = isinstance(pdu, EofPdu)
    config = PduConfig(
        pdu.source_entity_id, pdu.dest_entity_id, pdu.transaction_seq_num, pdu.transmission_mode,
        crc_flag=pdu.crc_flag, direction=Direction.TOWARDS_SENDER if is_eof else Direction.TOWARDS_RECEIVER,
    )  # fmt: skip
    status = TransactionStatus.ACTIVE if is_eof else TransactionStatus.TERMINATED
    told = DirectiveType.EOF_PDU if is_eof else DirectiveType.FINISHED_PDU
    return bytes(AckPdu(config, told, ConditionCode.NO_ERROR, status).pack())


def send(source: Path, output: Path, seed: int) -> tuple[int, int]:
    """Send a file; how many PDUs were lost and came late. Raises AssertionError where a side ends with a fault."""
    generator, faults, users = random.Random(seed), (Faults(), Faults()), (User(), User())
    down, up = Way(generator), Way(generator)
    onboard = SourceHandler(
        LocalEntityConfig(ONBOARD, IndicationConfig(), faults[0]), users[0], remote(GROUND), Timers(),
        SeqCountProvider(16),
    )  # fmt: skip
    ground = DestHandler(LocalEntityConfig(GROUND, IndicationConfig(), faults[1]), users[1], remote(ONBOARD), Timers())
    onboard.put_request(PutRequest(GROUND, source, output, TransmissionMode.ACKNOWLEDGED, True))
    while None in (users[0].end, users[1].end):
        for handler, user, told, sends, takes in (
            (onboard, users[0], FinishedPdu, down, up), (ground, users[1], EofPdu, up, down),
        ):  # fmt: skip
            pdu = takes.take()
            if user.end is not None and isinstance(pdu, told):
                sends.put(acknowledged(pdu))  # the first one was lost; a handler of the library gives no other
            with contextlib.suppress(PduIgnoredForDest, PduIgnoredForSource):  # it came again, or too late
                handler.state_machine(pdu)
            while handler.packets_ready:
                sends.put(bytes(handler.get_next_packet().pdu.pack()))
        assert not faults[0].found and not faults[1].found
    assert users[0].end is users[1].end is ConditionCode.NO_ERROR
    return down.n_lost + up.n_lost, down.n_late + up.n_late

"""Headers of Space Packets are those of the library `spacepackets`, in both directions."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacepackets.ccsds.spacepacket import PacketType, SequenceFlags, SpacePacketHeader
from spacepackets.ccsds.time import CdsShortTimestamp

from runtime.errors import BadArgument
from runtime.packets.fragment import AROUND_BYTES
from runtime.packets.space_packet import HEAD_BYTES, LARGEST_APID, PRIMARY, PacketHead
from tests.runtime.packets.packed_streams import OPTIONS, TIME_MS, packets

YEAR_2100_MS = 4_102_444_800_000
heads = st.builds(
    PacketHead, st.integers(0, LARGEST_APID), st.integers(0, 3), st.integers(0, (1 << 14) - 1),
    st.integers(0, YEAR_2100_MS),
)  # fmt: skip


@given(heads, st.integers(1, (1 << 16) - 7))
def test_headers_are_those_of_the_library(head: PacketHead, n_user_bytes: int) -> None:
    data = head.to_bytes(n_user_bytes)
    theirs = SpacePacketHeader(
        PacketType.TM, head.apid, head.sequence, n_user_bytes + 6, sec_header_flag=True,
        seq_flags=SequenceFlags(head.flags),
    )  # fmt: skip
    assert data[: PRIMARY.size] == bytes(theirs.pack())
    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(milliseconds=head.time_ms)
    stamp = CdsShortTimestamp.unpack(data[PRIMARY.size :])
    assert abs(stamp.as_datetime() - moment) < datetime.timedelta(milliseconds=1)  # their datetime is by floats
    assert stamp.pack() == data[PRIMARY.size :]
    assert PacketHead.from_bytes(data) == (head, PRIMARY.size + 7 + n_user_bytes)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_head_or_none(data: bytes) -> None:
    found = PacketHead.from_bytes(data)
    if found is not None:
        head, end = found
        assert end >= HEAD_BYTES and 0 <= head.apid < 2048 and head.flags < 4 and head.sequence < 1 << 14


@pytest.mark.parametrize("head", [PacketHead(2047, 3, 0, 0), PacketHead(-1, 3, 0, 0), PacketHead(1, 3, 0, 1 << 50)])
def test_what_a_packet_cannot_say_is_refused(head: PacketHead) -> None:
    with pytest.raises(BadArgument, match="allowed"):
        head.to_bytes(10)


@pytest.mark.parametrize("n_user_bytes", [0, (1 << 16) - 6])
def test_a_packet_has_user_data_and_an_end(n_user_bytes: int) -> None:
    with pytest.raises(BadArgument, match="allowed"):
        PacketHead(1, 3, 0, 0).to_bytes(n_user_bytes)


def test_the_library_reads_what_is_packed() -> None:
    flags: dict[int, list[SequenceFlags]] = {}
    for count, packet in enumerate(packets()):
        header = SpacePacketHeader.unpack(packet)
        assert (header.apid, header.seq_count, header.packet_len) == (OPTIONS.apid, count, len(packet))
        assert header.packet_type is PacketType.TM and header.sec_header_flag and header.ccsds_version == 0
        assert round(CdsShortTimestamp.unpack(packet[PRIMARY.size :]).as_unix_seconds() * 1000) == TIME_MS
        assert AROUND_BYTES < len(packet) <= OPTIONS.packet_bytes
        flags.setdefault(int.from_bytes(packet[21:25], "big"), []).append(header.seq_flags)
    for number, found in flags.items():
        if number > 0:  # the header comes again and again
            inner = [SequenceFlags.CONTINUATION_SEGMENT] * (len(found) - 2)
            whole = [SequenceFlags.FIRST_SEGMENT, *inner, SequenceFlags.LAST_SEGMENT]
            assert found == ([SequenceFlags.UNSEGMENTED] if len(found) == 1 else whole)

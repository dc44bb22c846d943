"""Numbers of the recorder as a Space Packet, and back (docs/formats/housekeeping.md)."""

import contextlib
import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from runtime.errors import BadArgument, Corrupt, LineRwkvError, TooNew
from runtime.packets.housekeeping_table import TABLE, VERSION
from runtime.packets.space_packet import ALONE, HEAD_BYTES, LARGEST_APID, PacketHead, identification
from runtime.stream.crc32c import crc32c
from runtime.stream.stream_header import CRC

DEFAULT_APID = 2
NUMBERS = struct.Struct(">B" + "".join({8: "B", 16: "H", 32: "I", 64: "Q"}[one.bits] for one in TABLE))
"""The version of the table, then its parameters."""
PACKET_BYTES = HEAD_BYTES + NUMBERS.size + CRC.size


class Housekeeping(NamedTuple):
    """What a packet says."""

    head: PacketHead
    values: dict[str, int]  # By the names of the table


def pack_housekeeping(values: Mapping[str, int], apid: int, count: int, time_ms: int) -> bytes:
    """A whole packet. A value that is too large for its width is given as the largest one, a counter never wraps.

    values: of every name of the table and no other, at least 0. count, time_ms: as of `PacketHead`. Raises BadArgument.
    """
    names = [one.name for one in TABLE]
    if set(values) != set(names):
        found = ", ".join(sorted(set(values) ^ set(names)))
        raise BadArgument(f"housekeeping: {found} not given or not known, allowed the names of the table")
    for name, value in values.items():
        if value < 0:
            raise BadArgument(f"housekeeping: {name}: found {value}, allowed 0 or more")
    numbers = NUMBERS.pack(VERSION, *(min(values[one.name], one.largest) for one in TABLE))
    body = PacketHead(apid, ALONE, count, time_ms).to_bytes(NUMBERS.size + CRC.size) + numbers
    return body + CRC.pack(crc32c(body))


def unpack_housekeeping(packet: bytes) -> Housekeeping:
    """A packet by itself. Raises Corrupt, or TooNew: of another table."""
    found = PacketHead.from_bytes(packet)
    if found is None or found[1] != len(packet) or found[0].apid > LARGEST_APID:
        raise Corrupt(f"housekeeping: {len(packet)} bytes, not one telemetry packet with a time")
    if len(packet) < HEAD_BYTES + 1 + CRC.size:
        raise Corrupt(f"housekeeping: packet of {len(packet)} bytes, allowed {PACKET_BYTES}")
    if CRC.unpack_from(packet, len(packet) - CRC.size)[0] != crc32c(packet[: -CRC.size]):
        raise Corrupt("housekeeping: the packet's CRC is wrong")
    if packet[HEAD_BYTES] != VERSION:
        raise TooNew(f"housekeeping: table version {packet[HEAD_BYTES]}, this release reads {VERSION}")
    if len(packet) != PACKET_BYTES or found[0].flags != ALONE:
        raise Corrupt(f"housekeeping: {len(packet)} bytes of sequence flags {found[0].flags}, allowed {PACKET_BYTES}")
    _, *numbers = NUMBERS.unpack_from(packet, HEAD_BYTES)
    return Housekeeping(found[0], dict(zip((one.name for one in TABLE), numbers, strict=True)))


def housekeeping_packets(data: bytes, apid: int) -> Iterator[Housekeeping]:
    """Those of an APID in bytes that were received, whatever lies between them, in time linear in the bytes."""
    marker = identification(apid).to_bytes(2, "big")
    position = data.find(marker)
    while position >= 0:
        following = position + 1
        with contextlib.suppress(LineRwkvError):
            yield unpack_housekeeping(data[position : position + PACKET_BYTES])
            following = position + PACKET_BYTES
        position = data.find(marker, following)

"""A part of a structure of a stream as a packet, which says by itself where it belongs (docs/formats/packets.md)."""

import struct
from enum import IntEnum
from typing import NamedTuple

from runtime.errors import BadArgument, Corrupt
from runtime.packets.space_packet import ALONE, CONTINUES, FIRST, HEAD_BYTES, LARGEST_PACKET, LAST, PacketHead
from runtime.stream.crc32c import crc32c
from runtime.stream.kinds import enum_of
from runtime.stream.stream_header import CRC

VERSION = 1
FIXED = struct.Struct(">BBHIIIII")
AROUND_BYTES = HEAD_BYTES + FIXED.size + CRC.size
"""Of a packet, beside the part of the structure."""
SMALLEST_PACKET = 64
LARGEST_RECORDING = (1 << 16) - 1
LARGEST_STRUCTURE = (1 << 32) - 1


class StructureKind(IntEnum):
    """What a structure of a stream is."""

    HEADER = 0
    SEGMENT = 1
    LINES = 2  # The records of a segment's lines
    GAP = 3
    INDEX = 4
    END = 5


class StreamName(NamedTuple):
    """Which stream a packet is of: recordings of one instrument may have equal headers."""

    recording: int  # 0..65535, given by who packs it
    stream_crc: int  # Of the stream's header

    def __str__(self) -> str:
        """As commands take it."""
        return f"{self.recording}-{self.stream_crc:08x}"


class Place(NamedTuple):
    """Which structure of a stream."""

    number: int  # 0 the header, then in the order of the stream
    kind: StructureKind
    first_line: int  # Of a segment or gap; of what has no lines that of the next segment
    n_bytes: int  # Of the whole structure


class Fragment(NamedTuple):
    """Bytes of a structure from a place in it on."""

    stream: StreamName
    place: Place
    offset: int
    data: bytes | memoryview

    def to_packet(self, apid: int, count: int, time_ms: int) -> bytes:
        """A whole packet. Raises BadArgument where it would be too large."""
        begins, ends = self.offset == 0, self.offset + len(self.data) == self.place.n_bytes
        flags = {(True, True): ALONE, (True, False): FIRST, (False, True): LAST, (False, False): CONTINUES}
        if AROUND_BYTES + len(self.data) > LARGEST_PACKET or self.place.n_bytes > LARGEST_STRUCTURE:
            found = f"{len(self.data)} of {self.place.n_bytes} bytes"
            raise BadArgument(f"fragment of {found}, allowed {LARGEST_PACKET - AROUND_BYTES} of {LARGEST_STRUCTURE}")
        head = PacketHead(apid, flags[begins, ends], count, time_ms)
        fixed = FIXED.pack(VERSION, self.place.kind, *self.stream, self.place.number, *self.place[2:], self.offset)
        body = head.to_bytes(FIXED.size + len(self.data) + CRC.size) + fixed + self.data
        return body + CRC.pack(crc32c(body))

    @classmethod
    def from_packet(cls, packet: bytes) -> "Fragment":
        """Of a packet whose CRC is right. Raises Corrupt where it is none of a stream, or contradicts itself."""
        if len(packet) <= AROUND_BYTES:
            raise Corrupt(f"packet: {len(packet)} bytes, a fragment needs more than {AROUND_BYTES}")
        version, kind, recording, crc, number, first_line, n_bytes, offset = FIXED.unpack_from(packet, HEAD_BYTES)
        if version != VERSION:
            raise Corrupt(f"packet: fragment version {version}, this release reads {VERSION}")
        place = Place(number, enum_of(StructureKind, kind, "packet"), first_line, n_bytes)
        data = packet[HEAD_BYTES + FIXED.size : -CRC.size]
        if offset + len(data) > n_bytes:
            raise Corrupt(f"packet: bytes {offset}..{offset + len(data) - 1} of a structure of {n_bytes}")
        if (number == 0) != (place.kind is StructureKind.HEADER):
            raise Corrupt(f"packet: structure {number} is {place.kind.name.lower()}, number 0 is the header alone")
        return cls(StreamName(recording, crc), place, offset, data)

"""The structures of a stream as bytes, one after another, each checked by its own checksum."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from runtime.errors import Corrupt
from runtime.exact_read import read_exactly, read_fully
from runtime.packets.fragment import Place, StructureKind
from runtime.stream.crc32c import crc32c
from runtime.stream.records import (
    END_MARKER,
    GAP_MARKER,
    HEAD,
    INDEX_MARKER,
    LINES_MARKER,
    MARKER_BYTES,
    EndRecord,
    Gap,
    body_size,
    record_body,
)
from runtime.stream.segment_header import SEGMENT_BYTES, SEGMENT_MARKER, SegmentHeader
from runtime.stream.stream_header import CRC, StreamHeader, read_header_bytes

KINDS = {
    SEGMENT_MARKER: StructureKind.SEGMENT, LINES_MARKER: StructureKind.LINES, GAP_MARKER: StructureKind.GAP,
    INDEX_MARKER: StructureKind.INDEX, END_MARKER: StructureKind.END,
}  # fmt: skip


class Structure(NamedTuple):
    """One of a stream, whole."""

    place: Place
    data: bytes


class StructureReader:
    """Cuts a stream into its structures: a file at once, or pieces of whole structures as an encoder gives them."""

    def __init__(self) -> None:
        self.n_structures = 0
        self.next_line = 0
        self.stream_crc = 0
        self.has_ended = False

    def read(self, file: BinaryIO) -> Iterator[Structure]:
        """Those of a file or piece, in order. Raises Corrupt, Truncated or TooNew after those that are sound."""
        while marker := read_fully(file.read, MARKER_BYTES):
            if self.has_ended:
                raise Corrupt("stream: bytes follow the end record")
            where = f"structure {self.n_structures} of the stream"
            if self.n_structures == 0:
                data = read_header_bytes(file.read, marker)
                kind, self.stream_crc = StructureKind.HEADER, crc32c(data)
            elif marker == SEGMENT_MARKER:
                head = marker + read_exactly(file.read, SEGMENT_BYTES - len(marker), where)
                n_payload = SegmentHeader.from_bytes(head).n_payload_bytes
                kind, data = StructureKind.SEGMENT, head + read_exactly(file.read, n_payload, where)
            else:
                head = marker + read_exactly(file.read, HEAD.size - len(marker), where)
                data = head + read_exactly(file.read, body_size(head) + CRC.size, where)
                kind = KINDS[marker]
            following = checked_structure(kind, data, self.stream_crc)
            lines = self.next_line, self.next_line if following is None else following[0]
            if lines[0] != lines[1]:
                raise Corrupt(f"{where}: begins at line {lines[1]}, allowed {lines[0]}")
            yield Structure(Place(self.n_structures, kind, self.next_line, len(data)), data)
            self.next_line = self.next_line if following is None else following[1]
            self.n_structures += 1
            self.has_ended = kind is StructureKind.END


def checked_structure(kind: StructureKind, data: bytes, stream_crc: int) -> tuple[int, int] | None:
    """The first line of a whole structure and the one after its last; None: it has no lines of its own.

    Raises Corrupt, Truncated or TooNew where it is not a sound structure of this kind and stream.
    """
    if kind is StructureKind.HEADER:
        StreamHeader.from_bytes(data)
        if crc32c(data) != stream_crc:
            raise Corrupt("stream header: it is of another stream")
        return None
    if KINDS.get(data[:MARKER_BYTES]) is not kind:
        raise Corrupt(f"structure {data[:MARKER_BYTES]!r} is no {kind.name.lower()}")
    if kind is StructureKind.SEGMENT:
        segment, payload = SegmentHeader.from_bytes(data[:SEGMENT_BYTES]), data[SEGMENT_BYTES:]
        if segment.stream_crc != stream_crc or len(payload) != segment.n_payload_bytes:
            raise Corrupt(f"{segment.where}: it is of another stream, or of {segment.n_payload_bytes} bytes")
        if zlib.crc32(payload) != segment.payload_crc:
            raise Corrupt(f"{segment.where}: the CRC of its payload does not match")
        return segment.first_line, segment.next_line
    body = record_body(data, stream_crc)
    if len(data) != HEAD.size + len(body) + CRC.size:
        raise Corrupt(f"record {data[:MARKER_BYTES]!r}: bytes follow it")
    if kind is StructureKind.GAP:
        gap = Gap.from_body(body)
        return gap.first_line, gap.first_line + gap.n_lines
    if kind is StructureKind.END and crc32c(EndRecord.from_body(body).header) != stream_crc:
        raise Corrupt("end record: its copy of the header is of another stream")
    return None

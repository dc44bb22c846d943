"""The structures of a stream: header, segments, records of lines, gaps; no sample is decoded. No byte is trusted."""

import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from runtime.errors import Corrupt, Truncated
from runtime.exact_read import read_exactly
from runtime.segments.segment_codecs import largest_payload
from runtime.stream import records
from runtime.stream.crc32c import crc32c
from runtime.stream.line_records import LineRecords
from runtime.stream.records import (
    END_MARKER,
    GAP_MARKER,
    INDEX_MARKER,
    LINES_MARKER,
    MARKER_BYTES,
    EndRecord,
    Gap,
    IndexEntry,
)
from runtime.stream.segment_header import SEGMENT_BYTES, SEGMENT_MARKER, SegmentHeader
from runtime.stream.stream_header import CRC, StreamHeader, read_header_bytes


class Segment(NamedTuple):
    """A segment whose checksums are right; its samples are not decoded yet."""

    header: SegmentHeader
    payload: bytes


class StreamReader:
    """Reads a stream from its start to its end record, after which nothing may follow."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        data = read_header_bytes(file.read)
        self.n_bytes = len(data)
        self.header, self.stream_crc = StreamHeader.from_bytes(data), crc32c(data)
        self.gaps: list[Gap] = []
        self.index: list[IndexEntry] = []
        self.seen = bytearray()  # what an index of the segments so far holds
        self.end: EndRecord | None = None

    def read(self, n_bytes: int, what: str) -> bytes:
        """The next `n_bytes` of the stream, counted."""
        data = read_exactly(self.file.read, n_bytes, what)
        self.n_bytes += n_bytes
        return data

    def structures(self) -> Iterator[Segment | LineRecords | Gap]:
        """Segments, after each the records of its lines, if any, and gaps, in order; `end` is set afterwards.

        Raises Truncated, Corrupt or TooNew.
        """
        n_lines = n_segments = index_offset = 0
        last: SegmentHeader | None = None  # where nothing has followed it yet
        while self.end is None:
            offset, announced = self.n_bytes, self.header.image.n_lines
            if 0 < announced < n_lines:
                raise Corrupt(f"stream has {n_lines} lines or more, its header announces {announced}")
            marker = self.read(MARKER_BYTES, f"structure after line {n_lines}")
            if index_offset and marker != END_MARKER:
                raise Corrupt(f"{marker!r} follows the index record, allowed {END_MARKER!r}")
            if marker == SEGMENT_MARKER:
                segment = self.segment(marker, n_lines)
                self.seen += records.index_body([IndexEntry(n_lines, segment.header.n_lines, offset)])
                yield segment
                last = segment.header
                n_lines += last.n_lines
                n_segments += 1
                continue
            body = self.record(marker)
            if marker == LINES_MARKER:
                found = LineRecords.from_body(body)
                check_records(found, last)
                yield found
            elif marker == GAP_MARKER:
                gap = Gap.from_body(body)
                check_first_line(gap.first_line, n_lines)
                self.gaps.append(gap)
                yield gap
                n_lines += gap.n_lines
            elif marker == INDEX_MARKER:
                index_offset, self.index = offset, self.index_entries(body)
            else:
                self.check_end(EndRecord.from_body(body), n_lines, n_segments, index_offset)
            last = None

    def pieces(self) -> Iterator[Segment | Gap]:
        """As in `structures`, without the records of lines."""
        return (piece for piece in self.structures() if not isinstance(piece, LineRecords))

    def pieces_with_records(self) -> Iterator[tuple[Segment | Gap, LineRecords | None]]:
        """As in `structures`, each segment with the records of its lines: it comes when what follows it begins."""
        return with_records(self.structures())

    def segments(self) -> Iterator[Segment]:
        """The segments alone; `gaps` has what lies between them."""
        return (piece for piece in self.pieces() if isinstance(piece, Segment))

    def segment(self, marker: bytes, n_lines: int) -> Segment:
        """The segment that follows `n_lines` lines, after its marker."""
        header = SegmentHeader.from_bytes(marker + self.read(SEGMENT_BYTES - len(marker), "segment header"))
        check_first_line(header.first_line, n_lines)
        check_segment(self.header, self.stream_crc, header)
        payload = self.read(header.n_payload_bytes, header.where)
        check_payload(header, payload)
        return Segment(header, payload)

    def record(self, marker: bytes) -> bytes:
        """The body of a record, after its marker."""
        what = f"record {marker!r}"
        head = marker + self.read(records.HEAD.size - len(marker), what)
        return records.record_body(head + self.read(records.body_size(head) + CRC.size, what), self.stream_crc)

    def index_entries(self, body: bytes) -> list[IndexEntry]:
        """Of an index record. Raises Corrupt where it is not that of the segments so far."""
        if body != self.seen:
            raise Corrupt(
                f"index record: {len(body)} bytes, allowed those of the {len(self.seen)} of the segments found"
            )
        return records.index_entries(body)

    def check_end(self, end: EndRecord, n_lines: int, n_segments: int, index_offset: int) -> None:
        """Hold the end record against what came before."""
        found, stated = (n_lines, n_segments, index_offset), (end.n_lines, end.n_segments, end.index_offset)
        if stated != found or n_segments == 0:
            raise Corrupt(f"end record: lines, segments and place of the index are {stated}, found {found}")
        if self.header.image.n_lines not in (0, n_lines):
            raise Corrupt(f"stream has {n_lines} lines, its header announces {self.header.image.n_lines}")
        if self.file.read(1):
            raise Corrupt("stream: bytes follow the end record")
        self.end = end


def with_records(
    structures: Iterable[Segment | LineRecords | Gap],
) -> Iterator[tuple[Segment | Gap, LineRecords | None]]:
    """Structures in their order, each segment with the records that follow it, None where none do."""
    held: Segment | None = None
    for piece in structures:
        if held is not None:
            yield held, piece if isinstance(piece, LineRecords) else None
        held = piece if isinstance(piece, Segment) else None
        if isinstance(piece, Gap):
            yield piece, None
    if held is not None:
        yield held, None


def check_first_line(found: int, expected: int) -> None:
    """Raise Corrupt where a structure does not begin where the one before it ended."""
    if found != expected:
        raise Corrupt(f"a segment or gap begins at line {found}, allowed {expected}")


def check_records(found: LineRecords, segment: SegmentHeader | None) -> None:
    """Raise Corrupt where records of lines do not follow the segment of the same lines."""
    if segment is None or (found.first_line, found.n_lines) != (segment.first_line, segment.n_lines):
        before = "no segment" if segment is None else f"{segment.n_lines} lines from {segment.first_line} on"
        what = f"records of {found.n_lines} lines from {found.first_line} on"
        raise Corrupt(f"{what} follow {before}, allowed their own segment")


def check_segment(stream: StreamHeader, stream_crc: int, segment: SegmentHeader) -> None:
    """Raise Corrupt where a segment is of another stream, or its payload larger than any encoder makes it."""
    where, image, max_error = segment.where, stream.image, segment.coding.max_error
    if segment.stream_crc != stream_crc:
        raise Corrupt(f"{where}: it belongs to another stream")
    if not 0 <= max_error <= image.largest_error:
        raise Corrupt(f"{where}: max_error is {max_error}, allowed 0..{image.largest_error}")
    if segment.coding.has_specials and not image.specials:
        raise Corrupt(f"{where}: special values, its stream has none")
    n_bytes, largest = segment.n_payload_bytes, largest_payload(segment.coding, image, segment.n_lines)
    if n_bytes > largest:
        raise Corrupt(f"{where}: {n_bytes} bytes announced, allowed at most {largest} for {segment.n_lines} lines")


def check_payload(segment: SegmentHeader, payload: bytes) -> None:
    """Raise Corrupt where the payload does not have the CRC of its header."""
    if len(payload) != segment.n_payload_bytes:
        raise Truncated(f"{segment.where}: {len(payload)} of {segment.n_payload_bytes} bytes")
    if zlib.crc32(payload) != segment.payload_crc:
        raise Corrupt(f"{segment.where}: the CRC of its payload does not match")

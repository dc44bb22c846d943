"""Where the segments of a stream lie: by its index, or by skipping from header to header. No payload is read."""

import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from runtime.codec.stream_reader import check_first_line, check_segment
from runtime.errors import Corrupt, LineRwkvError, Truncated
from runtime.exact_read import read_exactly, read_fully
from runtime.stream.crc32c import crc32c
from runtime.stream.records import (
    END_MARKER,
    GAP_MARKER,
    HEAD,
    INDEX_MARKER,
    LINES_MARKER,
    MARKER_BYTES,
    TAIL,
    EndRecord,
    Gap,
    IndexEntry,
    body_size,
    index_entries,
    record_body,
)
from runtime.stream.segment_header import SEGMENT_BYTES, SEGMENT_MARKER, SegmentHeader
from runtime.stream.stream_header import CRC, PREFIX, StreamHeader, header_size

TAIL_BYTES = 1 << 16
"""Read at once from the end of a stream: end record and index of most."""


class Place(NamedTuple):
    """Where a segment lies, with the records of its lines."""

    first_line: int
    n_lines: int
    offset: int  # Of its marker, in bytes from the start of the stream
    end: int  # Where the next structure that is no record of its lines begins, or may begin

    @property
    def next_line(self) -> int:
        """The first line after it."""
        return self.first_line + self.n_lines


class SegmentPlaces(NamedTuple):
    """What a stream holds, by its own word; segments are checked when they are read."""

    header: StreamHeader
    stream_crc: int
    places: tuple[Place, ...]
    """By rising first line, which do not overlap."""
    n_lines: int
    """Of the image, lines that never came included; of a cut stream those that are known of."""
    error: LineRwkvError | None
    """Why there is no further segment; None: the stream ends as it says."""
    has_index: bool

    def missing(self) -> list[tuple[int, int]]:
        """Runs of lines, first and last, that no segment has."""
        runs, next_line = [], 0
        for place in self.places:
            if place.first_line > next_line:
                runs.append((next_line, place.first_line - 1))
            next_line = place.next_line
        return [*runs, (next_line, self.n_lines - 1)] if next_line < self.n_lines else runs

    def touched(self, first: int, last: int) -> Iterator[Place]:
        """The segments that have lines of first..last."""
        return (place for place in self.places if place.first_line <= last and place.next_line > first)


def segment_places(file: BinaryIO) -> SegmentPlaces:
    """Of a stream in a file that can be read anywhere.

    Raises Corrupt, Truncated or TooNew where its header is not sound; `error` has what is wrong after that.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    prefix = read_fully(file.read, PREFIX.size)
    data = prefix + read_exactly(file.read, header_size(prefix) - len(prefix), "stream header")
    header, stream_crc = StreamHeader.from_bytes(data), crc32c(data)
    try:
        return placed_by_index(file, size, header, stream_crc)
    except LineRwkvError:
        return placed_by_skipping(file, size, header, stream_crc, len(data))


def read_at(file: BinaryIO, offset: int, n_bytes: int, what: str) -> bytes:
    """Bytes from a place on. Raises Truncated."""
    file.seek(offset)
    return read_exactly(file.read, n_bytes, what)


def placed_by_index(file: BinaryIO, size: int, header: StreamHeader, stream_crc: int) -> SegmentPlaces:
    """By the index, which the end record names. Raises LineRwkvError where one of them is not there or not sound."""
    begin = max(0, size - TAIL_BYTES)
    tail = read_at(file, begin, size - begin, "end of the stream")
    if len(tail) < TAIL.size:
        raise Truncated(f"end of the stream: {len(tail)} bytes, needs {TAIL.size}")
    end_offset = size - TAIL.unpack(tail[-TAIL.size :])[0]
    if end_offset < 0:
        raise Corrupt(f"end record: begins {-end_offset} bytes before the stream")
    if end_offset < begin:
        tail, begin = read_at(file, end_offset, size - end_offset, "end record"), end_offset
    end_data = tail[end_offset - begin :]
    if end_data[:MARKER_BYTES] != END_MARKER:
        raise Corrupt(f"end record: marker {end_data[:MARKER_BYTES]!r}, allowed {END_MARKER!r}")
    end = EndRecord.from_body(record_body(end_data, stream_crc))
    if not 0 < end.index_offset < end_offset:
        raise Corrupt(f"index record: at byte {end.index_offset} of {end_offset}")
    index_data = tail[end.index_offset - begin : end_offset - begin] if end.index_offset >= begin else b""
    index_data = index_data or read_at(file, end.index_offset, end_offset - end.index_offset, "index record")
    if index_data[:MARKER_BYTES] != INDEX_MARKER:
        raise Corrupt(f"index record: marker {index_data[:MARKER_BYTES]!r}, allowed {INDEX_MARKER!r}")
    entries = index_entries(record_body(index_data, stream_crc))
    if len(entries) != end.n_segments or not entries or entries[-1].first_line + entries[-1].n_lines > end.n_lines:
        raise Corrupt(f"index record: {len(entries)} segments, the end record has {end.n_segments}")
    if any(entry.n_lines == 0 for entry in entries) or entries[-1].offset >= end.index_offset:
        raise Corrupt("index record: a segment without lines or behind the index")
    places = ended(entries, end.index_offset)
    return SegmentPlaces(header, stream_crc, places, end.n_lines, None, has_index=True)


def ended(entries: Sequence[IndexEntry], end: int) -> tuple[Place, ...]:
    """Places of which each ends where the next one begins, the last one at `end`."""
    ends = [*(entry.offset for entry in entries[1:]), end][: len(entries)]
    return tuple(Place(*entry, one) for entry, one in zip(entries, ends, strict=True))


def placed_by_skipping(file: BinaryIO, size: int, header: StreamHeader, stream_crc: int, offset: int) -> SegmentPlaces:
    """By the headers of segments, from one to the next, and the heads of records, to the end or what is wrong."""
    entries: list[IndexEntry] = []
    n_lines, error = 0, None
    end = offset
    try:
        while (marker := (start := read_start(file, offset, n_lines))[:MARKER_BYTES]) != END_MARKER:
            if marker == SEGMENT_MARKER:
                found = SegmentHeader.from_bytes(start)
                check_first_line(found.first_line, n_lines)
                check_segment(header, stream_crc, found)
                following = offset + SEGMENT_BYTES + found.n_payload_bytes
                check_reach(found.where, offset, following, size)
                entries.append(IndexEntry(n_lines, found.n_lines, offset))
                n_lines = found.next_line
                end = offset = following
                continue
            following = offset + HEAD.size + body_size(start) + CRC.size
            check_reach(f"record {marker!r}", offset, following, size)
            if marker == GAP_MARKER:
                gap = Gap.from_body(record_body(start, stream_crc))
                check_first_line(gap.first_line, n_lines)
                n_lines += gap.n_lines
            elif marker == LINES_MARKER and HEAD.unpack_from(start)[1] == stream_crc:
                end = following
            offset = following
        read_end(file, size, offset, stream_crc, n_lines, len(entries))
    except LineRwkvError as found_error:
        error = found_error
    announced = header.image.n_lines
    known = max(n_lines, announced) if error is not None else n_lines
    return SegmentPlaces(header, stream_crc, ended(entries, end), known, error, has_index=False)


def read_start(file: BinaryIO, offset: int, n_lines: int) -> bytes:
    """What tells of the structure at a place: a segment's header, a record's head, a whole gap. Raises Truncated."""
    file.seek(offset)
    data = read_fully(file.read, SEGMENT_BYTES)
    if len(data) < MARKER_BYTES:
        raise Truncated(f"structure after line {n_lines}: ends after {len(data)} of {MARKER_BYTES} bytes")
    return data


def check_reach(what: str, offset: int, following: int, size: int) -> None:
    """Raise Truncated where a structure ends behind the file."""
    if following > size:
        raise Truncated(f"{what}: ends after {size - offset} of {following - offset} bytes")


def read_end(file: BinaryIO, size: int, offset: int, stream_crc: int, n_lines: int, n_segments: int) -> None:
    """Hold the end record at a place against what came before. Raises LineRwkvError."""
    end = EndRecord.from_body(record_body(read_at(file, offset, size - offset, "end record"), stream_crc))
    if (end.n_lines, end.n_segments) != (n_lines, n_segments):
        stated = f"{end.n_lines} lines in {end.n_segments} segments"
        raise Corrupt(f"end record: {stated}, found {n_lines} in {n_segments}")

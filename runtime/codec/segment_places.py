"""Where the segments of a stream lie: by its index, or by skipping from header to header. No payload is read."""

import os
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import BinaryIO, NamedTuple

from runtime.codec.stream_reader import check_first_line, check_segment
from runtime.errors import Corrupt, LineRwkvError, Truncated
from runtime.exact_read import read_exactly, read_fully
from runtime.stream.crc32c import crc32c
from runtime.stream.records import (
    END_MARKER,
    GAP,
    GAP_MARKER,
    HEAD,
    INDEX_MARKER,
    LARGEST_BODY_BYTES,
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
from runtime.stream.stream_header import CRC, StreamHeader, read_header_bytes

GAP_BYTES = HEAD.size + GAP.size + CRC.size
TAIL_BYTES = 1 << 16
"""Read at once from the end of a stream: end record and index of most."""


class Place(NamedTuple):
    """Where a segment lies, with the records of its lines."""

    first_line: int
    n_lines: int
    offset: int  # Of its marker, in bytes from the start of the stream
    end: int  # Of its payload and the records of its lines

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

    @property
    def missing_from(self) -> int | None:
        """The line from which on more may be missing: nobody knows how many there were; None: that is known."""
        return self.n_lines if self.error is not None and self.header.image.n_lines == 0 else None

    def missing(self) -> list[tuple[int, int]]:
        """Runs of lines, first and last, that no segment has."""
        runs, next_line = [], 0
        for place in self.places:
            if place.first_line > next_line:
                runs.append((next_line, place.first_line - 1))
            next_line = place.next_line
        return [*runs, (next_line, self.n_lines - 1)] if next_line < self.n_lines else runs

    def runs(self) -> list[Place | Gap]:
        """Segments, and runs of lines that none has, in the order of their lines."""
        gaps = [Gap(first, last + 1 - first) for first, last in self.missing()]
        return sorted([*self.places, *gaps], key=lambda run: run.first_line)

    def touched(self, first: int, last: int) -> tuple[Place, ...]:
        """The segments that have lines of first..last."""
        begin = bisect_right(self.places, first, key=lambda place: place.next_line)
        return self.places[begin : bisect_right(self.places, last, key=lambda place: place.first_line)]


def segment_places(file: BinaryIO) -> SegmentPlaces:
    """Of a stream in a file that can be read anywhere.

    Raises Corrupt, Truncated or TooNew where its header is not sound; `error` has what is wrong after that.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    data = read_header_bytes(file.read)
    header, stream_crc = StreamHeader.from_bytes(data), crc32c(data)
    try:
        return placed_by_index(file, size, header, stream_crc, len(data))
    except LineRwkvError:
        return placed_by_skipping(file, size, header, stream_crc, len(data))


def read_at(file: BinaryIO, offset: int, n_bytes: int, what: str) -> bytes:
    """Bytes from a place on. Raises Truncated."""
    file.seek(offset)
    return read_exactly(file.read, n_bytes, what)


def placed_by_index(file: BinaryIO, size: int, header: StreamHeader, stream_crc: int, first: int) -> SegmentPlaces:
    """By the index, which the end record names, and the records of gaps; `first`: where the header ends.

    Raises LineRwkvError where one of them is not there, not sound, or says other lines than the others.
    """
    begin = max(0, size - TAIL_BYTES)
    tail = read_at(file, begin, size - begin, "end of the stream")

    def record(offset: int, end: int, marker: bytes) -> bytes:
        """The body of the record that is all of a part of the file."""
        check_part(offset, end, marker)
        data = tail[offset - begin : end - begin] if offset >= begin else b""
        return whole_body(data or read_at(file, offset, end - offset, f"record {marker!r}"), marker, stream_crc)

    if len(tail) < TAIL.size:
        raise Truncated(f"end of the stream: {len(tail)} bytes, needs {TAIL.size}")
    end_offset = size - TAIL.unpack(tail[-TAIL.size :])[0]
    end = EndRecord.from_body(record(end_offset, size, END_MARKER))
    check_announced(header, end.n_lines)
    entries = index_entries(record(end.index_offset, end_offset, INDEX_MARKER))
    if len(entries) != end.n_segments or not entries:
        raise Corrupt(f"index record: {len(entries)} segments, the end record has {end.n_segments}")
    if any(entry.n_lines == 0 for entry in entries):
        raise Corrupt("index record: a segment without lines")
    places: list[Place] = []
    for entry, (next_line, offset) in zip(entries, following_of(entries, end), strict=True):
        if not places and gaps_begin(record, entry.offset, entry.first_line, 0) != first:
            raise Corrupt(f"index record: the first segment at byte {entry.offset}, the header ends at byte {first}")
        end_of_place = gaps_begin(record, offset, next_line, entry.first_line + entry.n_lines)
        if end_of_place <= entry.offset:
            raise Corrupt(f"index record: a segment at byte {entry.offset}, what follows it at byte {end_of_place}")
        places.append(Place(*entry, end_of_place))
    return SegmentPlaces(header, stream_crc, tuple(places), end.n_lines, None, has_index=True)


def following_of(entries: Sequence[IndexEntry], end: EndRecord) -> list[tuple[int, int]]:
    """Line and place of what follows each segment and its gaps: the next segment, or the index."""
    return [*((entry.first_line, entry.offset) for entry in entries[1:]), (end.n_lines, end.index_offset)]


def gaps_begin(record: Callable[[int, int, bytes], bytes], offset: int, next_line: int, line: int) -> int:
    """Where the records of gaps begin that end at `offset` and have the lines from `line` to `next_line` - 1.

    Raises LineRwkvError where they are not there.
    """
    while next_line != line:
        gap = Gap.from_body(record(offset - GAP_BYTES, offset, GAP_MARKER))
        if gap.first_line + gap.n_lines != next_line or gap.first_line < line:
            raise Corrupt(f"index record: no segment has lines {line}..{next_line - 1}, the gap has {gap.run}")
        offset, next_line = offset - GAP_BYTES, gap.first_line
    return offset


def check_part(offset: int, end: int, marker: bytes) -> None:
    """Raise Corrupt where a record of this kind cannot lie there; what is announced is not read before."""
    largest = HEAD.size + LARGEST_BODY_BYTES[marker] + CRC.size
    if not 0 < offset < end <= offset + largest:
        raise Corrupt(f"record {marker!r}: from byte {offset} to {end}, allowed at most {largest} bytes")


def whole_body(data: bytes, marker: bytes, stream_crc: int) -> bytes:
    """The body of the record that is all of the bytes. Raises Corrupt, Truncated or TooNew."""
    if data[:MARKER_BYTES] != marker:
        raise Corrupt(f"record {marker!r}: marker {data[:MARKER_BYTES]!r}")
    body = record_body(data, stream_crc)
    if len(data) != HEAD.size + len(body) + CRC.size:
        raise Corrupt(f"record {marker!r}: {len(data)} bytes, it announces {len(body)} beside its head")
    return body


def check_announced(header: StreamHeader, n_lines: int) -> None:
    """Raise Corrupt where the header announces other lines than there are."""
    if header.image.n_lines not in (0, n_lines):
        raise Corrupt(f"stream has {n_lines} lines, its header announces {header.image.n_lines}")


def placed_by_skipping(file: BinaryIO, size: int, header: StreamHeader, stream_crc: int, offset: int) -> SegmentPlaces:
    """By the headers of segments, from one to the next, and the heads of records, to the end or what is wrong."""
    places: list[Place] = []
    n_lines, error = 0, None
    try:
        while (marker := (start := read_start(file, offset, n_lines))[:MARKER_BYTES]) != END_MARKER:
            if marker == SEGMENT_MARKER:
                found = SegmentHeader.from_bytes(start)
                check_first_line(found.first_line, n_lines)
                check_segment(header, stream_crc, found)
                following = offset + SEGMENT_BYTES + found.n_payload_bytes
                check_reach(found.where, offset, following, size)
                places.append(Place(n_lines, found.n_lines, offset, following))
                n_lines, offset = found.next_line, following
                continue
            following = offset + HEAD.size + body_size(start) + CRC.size
            check_reach(f"record {marker!r}", offset, following, size)
            if marker == GAP_MARKER:
                gap = Gap.from_body(record_body(start, stream_crc))
                check_first_line(gap.first_line, n_lines)
                n_lines += gap.n_lines
            elif marker == LINES_MARKER:
                if not places or places[-1].end != offset:
                    raise Corrupt(f"records of lines at byte {offset} follow no segment")
                places[-1] = places[-1]._replace(end=following)
            offset = following
        read_end(file, size, offset, stream_crc, n_lines, len(places))
        check_announced(header, n_lines)
    except LineRwkvError as found_error:
        error = found_error
    announced = header.image.n_lines
    known = max(n_lines, announced) if error is not None else n_lines
    return SegmentPlaces(header, stream_crc, tuple(places), known, error, has_index=False)


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
    check_part(offset, size, END_MARKER)
    end = EndRecord.from_body(whole_body(read_at(file, offset, size - offset, "end record"), END_MARKER, stream_crc))
    if (end.n_lines, end.n_segments) != (n_lines, n_segments):
        stated = f"{end.n_lines} lines in {end.n_segments} segments"
        raise Corrupt(f"end record: {stated}, found {n_lines} in {n_segments}")

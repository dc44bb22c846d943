"""Salvage: every intact segment of a damaged stream, in time linear in its bytes, whatever they announce."""

from collections.abc import Iterator
from typing import NamedTuple

from runtime.codec.stream_reader import Segment, check_segment
from runtime.errors import Corrupt, LineRwkvError
from runtime.images.line_frame import frame_of
from runtime.stream.crc32c import crc32c
from runtime.stream.line_records import LineRecords, records_place
from runtime.stream.range_checksums import ZLIB, RangeChecksums
from runtime.stream.records import END_MARKER, HEAD, LINES_MARKER, EndRecord, body_size
from runtime.stream.segment_header import SEGMENT_BYTES, SEGMENT_MARKER, SegmentHeader
from runtime.stream.stream_header import CRC, PREFIX, StreamHeader, header_size


class Salvaged(NamedTuple):
    """What is intact in a damaged stream."""

    header: StreamHeader
    segments: list[Segment]
    """Those whose checksums are right, by rising first line. They share no bytes; in a hostile stream they share lines,
    and may not decode."""
    n_lines: int | None
    """Lines of the image by a sound end record, or by segments that reach the end that the header announces; None: not
    known. A number that the header alone announces is not believed."""
    records: dict[tuple[int, int], bytes]
    """Bodies of records of lines whose checksums are right, by first line and number of lines."""

    def records_of(self, segment: SegmentHeader) -> LineRecords | None:
        """Of the lines of a segment; None: there are none, or they are lost. Raises Corrupt, Truncated or TooNew.

        Corrupt too where they are not there, and must be: lines of frames have records.
        """
        body = self.records.get((segment.first_line, segment.n_lines))
        if body is not None:
            return LineRecords.from_body(body)
        if frame_of(self.header.image.metadata) is not None:
            raise Corrupt(f"records of lines {segment.first_line}..{segment.next_line - 1} are lost")
        return None


def salvage(data: bytes) -> Salvaged:
    """Every intact segment of a damaged stream. Raises Corrupt where neither the header nor its copy is intact."""
    checksums = RangeChecksums(data)
    header_bytes = salvage_header(data, checksums)
    header, stream_crc = StreamHeader.from_bytes(header_bytes), crc32c(header_bytes)
    payloads = RangeChecksums(data, ZLIB)
    segments = sorted(intact_segments(data, payloads, header, stream_crc), key=lambda one: one.header.first_line)
    records = intact_records(data, checksums, stream_crc)
    end, announced = find_end(data, checksums, stream_crc), header.image.n_lines
    if end is not None and announced in (0, end.n_lines):
        return Salvaged(header, segments, end.n_lines, records)
    reaches_end = announced > 0 and any(one.header.next_line == announced for one in segments)
    return Salvaged(header, segments, announced if reaches_end else None, records)


def intact_segments(data: bytes, checksums: RangeChecksums, header: StreamHeader, stream_crc: int) -> Iterator[Segment]:
    """The segments of a stream whose own checksums are right, in the order of their bytes."""
    position = data.find(SEGMENT_MARKER)
    while position >= 0:
        following, start = position + 1, position + SEGMENT_BYTES
        try:
            segment = SegmentHeader.from_bytes(data[position:start])
            check_segment(header, stream_crc, segment)
            end = start + segment.n_payload_bytes
            if end <= len(data) and checksums.crc(start, end) == segment.payload_crc:
                yield Segment(segment, data[start:end])
                following = end
        except LineRwkvError:
            pass  # not a segment, or a damaged one: look for the next marker
        position = data.find(SEGMENT_MARKER, following)


def intact_records(data: bytes, checksums: RangeChecksums, stream_crc: int) -> dict[tuple[int, int], bytes]:
    """Bodies of records of lines whose checksums are right; of several for the same lines the first."""
    found: dict[tuple[int, int], bytes] = {}
    position = data.find(LINES_MARKER)
    while position >= 0:
        following = position + 1
        if (end := sound_end(data, position, checksums, stream_crc)) is not None:
            try:
                body = data[position + HEAD.size : end]
                found.setdefault(records_place(body), body)
                following = end
            except LineRwkvError:
                pass  # of a hostile writer
        position = data.find(LINES_MARKER, following)
    return found


def sound_end(data: bytes, position: int, checksums: RangeChecksums, stream_crc: int | None) -> int | None:
    """Where the body of a record ends, if its checksums are right; of any stream for `stream_crc` None."""
    head = data[position : position + HEAD.size]
    try:
        end = position + HEAD.size + body_size(head)
    except LineRwkvError:
        return None
    if end + CRC.size > len(data) or stream_crc not in (None, HEAD.unpack(head)[1]):
        return None
    return end if CRC.unpack_from(data, end)[0] == checksums.crc(position, end) else None


def salvage_header(data: bytes, checksums: RangeChecksums) -> bytes:
    """The bytes of the header, from the start of the stream or from the end record's copy. Raises the first error."""
    try:
        header_bytes = data[: header_size(data[: PREFIX.size])]
        StreamHeader.from_bytes(header_bytes)
        return header_bytes
    except LineRwkvError as error:
        end = find_end(data, checksums, None)
        if end is None:
            raise error from None
        return end.header


def find_end(data: bytes, checksums: RangeChecksums, stream_crc: int | None) -> EndRecord | None:
    """The last sound end record, wherever it stands; of any stream, by the header it holds, for `stream_crc` None."""
    position = data.rfind(END_MARKER)
    while position >= 0:
        if (end := sound_end(data, position, checksums, stream_crc)) is not None:
            try:
                record = EndRecord.from_body(data[position + HEAD.size : end])
                if crc32c(record.header) == HEAD.unpack_from(data, position)[1]:
                    StreamHeader.from_bytes(record.header)
                    return record
            except LineRwkvError:
                pass  # of a hostile writer
        position = data.rfind(END_MARKER, 0, position)
    return None

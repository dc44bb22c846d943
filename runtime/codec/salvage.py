"""Salvage: every intact segment of a damaged stream, in time linear in its bytes, whatever they announce."""

from collections.abc import Iterator
from typing import NamedTuple

from runtime.codec.stream_reader import Segment, check_segment
from runtime.errors import LineRwkvError
from runtime.stream.crc32c import crc32c
from runtime.stream.range_checksums import ZLIB, RangeChecksums
from runtime.stream.records import END_MARKER, HEAD, EndRecord, body_size
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


def salvage(data: bytes) -> Salvaged:
    """Every intact segment of a damaged stream. Raises Corrupt where neither the header nor its copy is intact."""
    checksums = RangeChecksums(data)
    header_bytes = salvage_header(data, checksums)
    header, stream_crc = StreamHeader.from_bytes(header_bytes), crc32c(header_bytes)
    payloads = RangeChecksums(data, ZLIB)
    segments = sorted(intact_segments(data, payloads, header, stream_crc), key=lambda one: one.header.first_line)
    end, announced = find_end(data, checksums, stream_crc), header.image.n_lines
    if end is not None and announced in (0, end.n_lines):
        return Salvaged(header, segments, end.n_lines)
    reaches_end = announced > 0 and any(one.header.next_line == announced for one in segments)
    return Salvaged(header, segments, announced if reaches_end else None)


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
        try:
            head = data[position : position + HEAD.size]
            start = position + len(head)
            end = start + body_size(head)
            crc = HEAD.unpack(head)[1] if stream_crc is None else stream_crc
            is_sound = end + CRC.size <= len(data) and CRC.unpack_from(data, end)[0] == checksums.crc(position, end)
            if is_sound and HEAD.unpack(head)[1] == crc:
                record = EndRecord.from_body(data[start:end])
                if crc32c(record.header) == crc:
                    StreamHeader.from_bytes(record.header)
                    return record
        except LineRwkvError:
            pass  # not an end record, or a damaged one
        position = data.rfind(END_MARKER, 0, position)
    return None

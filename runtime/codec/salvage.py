"""Salvage: every intact segment of a damaged stream."""

from collections.abc import Iterator
from typing import NamedTuple

from runtime.codec.stream_reader import Segment, check_payload, check_segment
from runtime.errors import LineRwkvError
from runtime.stream.crc32c import crc32c
from runtime.stream.records import END_MARKER, EndRecord, Gap, record_body
from runtime.stream.segment_header import SEGMENT_BYTES, SEGMENT_MARKER, SegmentHeader
from runtime.stream.stream_header import PREFIX, StreamHeader, header_size


class Salvaged(NamedTuple):
    """What is intact in a damaged stream."""

    header: StreamHeader
    segments: list[Segment]  # Intact segments by rising first line
    n_lines: int  # Lines of the image, as far as is known from what is intact

    def pieces(self) -> Iterator[Segment | Gap]:
        """The segments, and gaps for the lines that none of them holds, in their order."""
        expected = 0
        for segment in self.segments:
            if segment.header.first_line > expected:
                yield Gap(expected, segment.header.first_line - expected)
            yield segment
            expected = segment.header.next_line
        if expected < self.n_lines:
            yield Gap(expected, self.n_lines - expected)

    def missing_lines(self) -> list[tuple[int, int]]:
        """Runs (first, last) of lines that no intact segment holds."""
        return [piece.run for piece in self.pieces() if isinstance(piece, Gap)]


def salvage(data: bytes) -> Salvaged:
    """Every intact segment of a damaged stream. Raises Corrupt where neither the header nor its copy is intact."""
    header_bytes = salvage_header(data)
    header, stream_crc = StreamHeader.from_bytes(header_bytes), crc32c(header_bytes)
    found: dict[int, Segment] = {}
    position = data.find(SEGMENT_MARKER)
    while position >= 0:
        following = position + 1
        try:
            segment = SegmentHeader.from_bytes(data[position : position + SEGMENT_BYTES])
            check_segment(header, stream_crc, segment)
            payload = data[position + SEGMENT_BYTES : position + SEGMENT_BYTES + segment.n_payload_bytes]
            check_payload(segment, payload)
            found.setdefault(segment.first_line, Segment(segment, payload))
            following = position + SEGMENT_BYTES + len(payload)
        except LineRwkvError:
            pass  # not a segment, or a damaged one: look for the next marker
        position = data.find(SEGMENT_MARKER, following)
    segments, next_line = [], 0
    for first_line in sorted(found):
        if first_line >= next_line:  # an intact stream has no segments that overlap
            segments.append(found[first_line])
            next_line = found[first_line].header.next_line
    end = find_end(data, stream_crc)
    return Salvaged(header, segments, max(header.image.n_lines, end.n_lines if end else 0, next_line))


def salvage_header(data: bytes) -> bytes:
    """The bytes of the header, from the start of the stream or from the end record's copy. Raises the first error."""
    try:
        header_bytes = data[: header_size(data[: PREFIX.size])]
        StreamHeader.from_bytes(header_bytes)
        return header_bytes
    except LineRwkvError as error:
        end = find_end(data, None)
        if end is None:
            raise error from None
        return end.header


def find_end(data: bytes, stream_crc: int | None) -> EndRecord | None:
    """The end record, wherever it stands; of any stream where `stream_crc` is None, by the header that it holds."""
    position = data.rfind(END_MARKER)
    while position >= 0:
        try:
            crc = int.from_bytes(data[position + 4 : position + 8], "big") if stream_crc is None else stream_crc
            end = EndRecord.from_body(record_body(data[position:], crc))
            StreamHeader.from_bytes(end.header)
            if crc32c(end.header) == crc:
                return end
        except LineRwkvError:
            pass  # not an end record, or a damaged one
        position = data.rfind(END_MARKER, 0, position)
    return None

"""Salvage: every intact segment of a damaged stream."""

from typing import NamedTuple

from runtime.codec.decoder import check_payload, check_payload_size
from runtime.errors import Corrupt, LineRwkvError, Truncated
from runtime.stream.crc32c import crc32c
from runtime.stream.stream_format import (
    END,
    END_MARKER,
    PREFIX,
    SEGMENT_BYTES,
    SEGMENT_MARKER,
    EndRecord,
    SegmentHeader,
    StreamHeader,
    header_size,
)


class Salvaged(NamedTuple):
    """What is intact in a damaged stream."""

    header: StreamHeader
    segments: list[tuple[SegmentHeader, bytes]]
    """Intact segments by rising first line."""
    n_lines: int
    """Lines of the image, as far as the stream still tells."""

    def missing_lines(self) -> list[tuple[int, int]]:
        """Runs (first, last) of lines that no intact segment holds."""
        missing, expected = [], 0
        for segment, _ in self.segments:
            if segment.first_line > expected:
                missing.append((expected, segment.first_line - 1))
            expected = segment.first_line + segment.n_lines
        if expected < self.n_lines:
            missing.append((expected, self.n_lines - 1))
        return missing


def salvage(data: bytes) -> Salvaged:
    """Every intact segment of a damaged stream. Raises Corrupt where neither the header nor its copy is intact."""
    header_bytes = salvage_header(data)
    header, header_crc = StreamHeader.from_bytes(header_bytes), crc32c(header_bytes)
    end = find_end(data, header_crc)
    found: dict[int, tuple[SegmentHeader, bytes]] = {}
    position = data.find(SEGMENT_MARKER)
    while position >= 0:
        following = position + 1
        try:
            segment = SegmentHeader.from_bytes(data[position : position + SEGMENT_BYTES], header_crc)
            payload = data[position + SEGMENT_BYTES : position + SEGMENT_BYTES + segment.n_payload_bytes]
            check_payload_size(header, segment)
            check_payload(segment, payload)
            found.setdefault(segment.first_line, (segment, payload))
            following = position + SEGMENT_BYTES + len(payload)
        except (Corrupt, Truncated):
            pass  # not a segment, or a damaged one: look for the next marker
        position = data.find(SEGMENT_MARKER, following)
    segments = without_overlap([found[first] for first in sorted(found)])
    last = segments[-1][0] if segments else None
    n_known = max(header.n_lines, end.n_lines if end else 0, last.first_line + last.n_lines if last else 0)
    return Salvaged(header, segments, n_known)


def without_overlap(segments: list[tuple[SegmentHeader, bytes]]) -> list[tuple[SegmentHeader, bytes]]:
    """The segments that begin after the one before them ends; an intact stream has no others."""
    kept: list[tuple[SegmentHeader, bytes]] = []
    for segment, payload in segments:
        if not kept or segment.first_line >= kept[-1][0].first_line + kept[-1][0].n_lines:
            kept.append((segment, payload))
    return kept


def salvage_header(data: bytes) -> bytes:
    """The bytes of the header, from the start of the stream or from the end record's copy. Raises the first error."""
    try:
        header_bytes = data[: header_size(data[: PREFIX.size])]
        StreamHeader.from_bytes(header_bytes)
        return header_bytes
    except LineRwkvError as error:
        position = data.rfind(END_MARKER)
        while position >= 0:
            n_header = int.from_bytes(data[position + END.size - 4 : position + END.size], "big")
            copy = data[position + END.size : position + END.size + n_header]
            try:
                StreamHeader.from_bytes(copy)
                EndRecord.from_bytes(data[position:], crc32c(copy))
                return copy
            except LineRwkvError:
                position = data.rfind(END_MARKER, 0, position)
        raise error


def find_end(data: bytes, header_crc: int) -> EndRecord | None:
    """The end record, wherever it stands."""
    position = data.rfind(END_MARKER)
    while position >= 0:
        try:
            return EndRecord.from_bytes(data[position:], header_crc)
        except LineRwkvError:
            position = data.rfind(END_MARKER, 0, position)
    return None

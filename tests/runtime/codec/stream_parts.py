"""A sound stream taken apart by docs/formats/stream.md, changed, and put together again with right checksums."""

import io
import zlib
from dataclasses import dataclass, field
from typing import Any

from runtime.codec.stream_reader import Segment, StreamReader
from runtime.stream.crc32c import crc32c
from runtime.stream.line_records import LineRecords
from runtime.stream.records import END, END_MARKER, ENTRY, HEAD, INDEX_MARKER, LINES_MARKER, TAIL, record_bytes
from runtime.stream.segment_header import SEGMENT
from runtime.stream.stream_header import CRC, FIXED, FLOAT_SPECIAL, HAS_MAP, MAGIC, MAP, PREFIX, header_size

HEADER_NAMES = (
    "bands", "columns", "lines", "depth", "flags", "sample_type", "packages", "special_values", "metadata_bytes",
)  # fmt: skip
SEGMENT_NAMES = (
    "marker", "stream", "first_line", "lines", "predictor", "package", "stage", "coder", "flags", "max_error",
    "samples_crc", "payload_bytes", "payload_crc",
)  # fmt: skip


@dataclass
class SegmentParts:
    """The fields of a segment's header, and its payload; lengths and checksums are made by `StreamParts.to_bytes`."""

    fields: dict[str, Any]
    payload: bytes


@dataclass
class RecordParts:
    """A record."""

    marker: bytes
    body: bytes


@dataclass
class StreamParts:
    """Everything that a stream holds, free to be changed. `end`: lines, segments, place of the index; None: no end."""

    header: dict[str, int]
    tail: bytes
    """Of the header: table of packages and metadata."""
    pieces: list[SegmentParts | RecordParts] = field(default_factory=list)
    end: list[int] | None = None
    version: int = 3
    values: bytes = b""
    """Of the header, between packages and metadata: special values and the map."""
    has_index: bool = False
    """A right one is made, and the end record names its place."""

    def header_bytes(self) -> bytes:
        """With its length and checksum."""
        self.header["metadata_bytes"] = len(self.tail) - 33 * self.header["packages"]
        fixed = FIXED.pack(
            *(clipped(self.header[name], 32 if i in (0, 1, 2, 8) else 8) for i, name in enumerate(HEADER_NAMES))
        )
        table = 33 * self.header["packages"]
        rest = self.tail[:table] + self.values + self.tail[table:]
        n_bytes = PREFIX.size + len(fixed) + len(rest) + CRC.size
        body = PREFIX.pack(MAGIC, self.version, n_bytes) + fixed + rest
        return body + CRC.pack(crc32c(body))

    def to_bytes(self) -> bytes:
        """The stream, every checksum right."""
        head = self.header_bytes()
        stream_crc = crc32c(head)
        parts, index = [head], b""
        for piece in self.pieces:
            if isinstance(piece, RecordParts):
                parts.append(record_bytes(piece.marker, stream_crc, piece.body))
                continue
            index += ENTRY.pack(piece.fields["first_line"], piece.fields["lines"], sum(map(len, parts)))
            parts += [segment_header(piece, stream_crc), piece.payload]
        end = self.end
        if self.has_index:
            end = end and [*end[:2], sum(map(len, parts))]
            parts.append(record_bytes(INDEX_MARKER, stream_crc, index))
        if end is not None:
            body = END.pack(*end) + head
            body += (HEAD.size + len(body) + TAIL.size).to_bytes(4, "big")
            parts.append(record_bytes(END_MARKER, stream_crc, body))
        return b"".join(parts)


def clipped(value: int, n_bits: int) -> int:
    """The lowest bits of a number."""
    return value & ((1 << n_bits) - 1)


def segment_header(piece: SegmentParts, stream_crc: int) -> bytes:
    """The header of a segment; `fields` may contradict its payload."""
    made = {"stream": stream_crc, "payload_bytes": len(piece.payload), "payload_crc": zlib.crc32(piece.payload)}
    values = made | piece.fields
    body = SEGMENT.pack(*(values[name] for name in SEGMENT_NAMES))
    return body + CRC.pack(crc32c(body))


def segment_parts(segment: Segment) -> SegmentParts:
    """Those of a segment, without what `to_bytes` makes."""
    fields = dict(zip(SEGMENT_NAMES, SEGMENT.unpack(segment.header.to_bytes()[: SEGMENT.size]), strict=True))
    for name in ("stream", "payload_bytes", "payload_crc"):
        del fields[name]
    return SegmentParts(fields, segment.payload)


def stream_parts(stream: bytes) -> StreamParts:
    """The parts of a sound stream without gaps; its index is made again by `to_bytes`."""
    reader = StreamReader(io.BytesIO(stream))
    pieces: list[SegmentParts | RecordParts] = []
    for one in reader.structures():
        if isinstance(one, Segment):
            pieces.append(segment_parts(one))
        elif isinstance(one, LineRecords):
            pieces.append(RecordParts(LINES_MARKER, one.body()))
    header = dict(zip(HEADER_NAMES, FIXED.unpack_from(stream, PREFIX.size), strict=True))
    tail = stream[PREFIX.size + FIXED.size : header_size(stream) - CRC.size]
    table = 33 * header["packages"]
    end = table + FLOAT_SPECIAL.size * header["special_values"] + MAP.size * bool(header["flags"] & HAS_MAP)
    values, tail = tail[table:end], tail[:table] + tail[end:]
    assert reader.end is not None and not reader.gaps
    return StreamParts(header, tail, pieces, list(reader.end[:3]), values=values, has_index=bool(reader.index))

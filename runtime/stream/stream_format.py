"""The structures of a LineRWKV stream and their bytes: docs/formats/stream.md, version 2.

A stream is one header, segments, one end record. All numbers are big-endian. Each structure ends with its own CRC-32C;
those of segments and of the end record start from the header's CRC, so that a piece of another stream never fits.
"""

import json
import struct
import zlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

from runtime.errors import BadArgument, Corrupt, TooNew, Truncated
from runtime.stream.crc32c import crc32c
from runtime.stream.depth import LARGEST_DEPTH, SMALLEST_DEPTH

MAGIC = b"LRWK"
VERSION = 2
SEGMENT_MARKER = b"\xc5SEG"
END_MARKER = b"\xc5END"

PREFIX = struct.Struct(">4sBI")  # magic, version, bytes of the whole header
FIXED = struct.Struct(">IIIBBHBB32sI")
SEGMENT = struct.Struct(">4sIHBBBBII")  # without its CRC
END = struct.Struct(">4sIII")  # without header copy and CRC
CRC = struct.Struct(">I")
SEGMENT_BYTES = SEGMENT.size + CRC.size

LARGEST_BANDS = 1 << 16
LARGEST_COLUMNS = 1 << 16
LARGEST_LINE_SAMPLES = 1 << 22  # bounds what a hostile header can make a decoder allocate
LARGEST_SEGMENT_LINES = (1 << 16) - 1
LARGEST_METADATA_BYTES = 1 << 22  # of JSON text
LARGEST_HEADER_BYTES = 1 << 22
IS_SIGNED = 1
IS_IN_LOOP = 2
NO_PACKAGE = bytes(32)


class SampleType(IntEnum):
    """Data type of the original file."""

    UINT8 = 1
    INT16 = 2
    UINT16 = 12


class Quantisation(IntEnum):
    """Where DPCM, LineRWKV and RLS round to steps of 2M + 1."""

    PREQUANTISED = 0
    """The samples, before everything else."""
    IN_LOOP = 1
    """The residuals of predictions made from restored samples."""


class Arithmetic(IntEnum):
    """Which arithmetic made the predictions."""

    NONE = 0
    FLOAT32 = 1
    """Decodable on the same machine only."""
    INT8_V1 = 2
    """Decodable everywhere (docs/arithmetic.md)."""

    @classmethod
    def of(cls, name: str) -> "Arithmetic":
        """By the name that a package's manifest has."""
        return cls[name.upper().replace("-", "_")]


class PredictorKind(IntEnum):
    """What predicts the samples of a segment."""

    NONE = 0
    DPCM = 1
    LINERWKV = 2
    CCSDS123 = 3
    RLS = 4
    """The adaptive stage alone."""


class AdaptiveStage(IntEnum):
    """What refines the prediction sample by sample."""

    NONE = 0
    FAST = 1
    BEST = 3
    """2 was one without the correction of columns; no release ever wrote it."""


class Coder(IntEnum):
    """How the mapped residuals of a segment are written."""

    STORED = 0
    SAMPLE_ADAPTIVE = 1
    CCSDS123 = 2
    """The payload is a whole CCSDS 123.0-B-2 compressed image."""
    HYBRID = 3
    """The hybrid coder of that standard, for the residuals of other predictors."""
    RANGE = 4
    """A range coder with contexts: runtime/coders/range_residuals.py."""


Member = TypeVar("Member", bound=IntEnum)


def enum_of(kind: type[Member], value: int, where: str) -> Member:
    """The member with this value; a value of a later version is Corrupt here, because its CRC was right."""
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(f"{member.value} ({member.name.lower()})" for member in kind)
        raise Corrupt(f"{where}: {kind.__name__} is {value}, allowed {allowed}") from None


@dataclass(frozen=True)
class StreamHeader:
    """What holds for the whole stream."""

    n_bands: int
    n_columns: int
    n_lines: int
    """0: not known when the stream began; the end record has the total."""
    depth: int
    is_signed: bool
    max_error: int
    sample_type: SampleType
    arithmetic: Arithmetic
    package_sha256: bytes = NO_PACKAGE
    metadata: dict[str, Any] = field(default_factory=dict)
    quantisation: Quantisation = Quantisation.PREQUANTISED

    def __post_init__(self) -> None:
        """Refuse geometry, depths and errors outside the format."""
        limits = {
            "n_bands": (1, LARGEST_BANDS),
            "n_columns": (1, LARGEST_COLUMNS),
            "n_lines": (0, (1 << 32) - 1),
            "depth": (SMALLEST_DEPTH, LARGEST_DEPTH),
            "max_error": (0, (1 << (self.depth - 1)) - 1 if 0 < self.depth <= LARGEST_DEPTH else 0),
        }
        for name, (lowest, highest) in limits.items():
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise BadArgument(f"stream header: {name} is {value}, allowed {lowest}..{highest}")
        if self.quantisation is Quantisation.IN_LOOP and self.max_error == 0:
            raise BadArgument("stream header: max_error is 0 with quantisation in the loop, allowed at least 1")
        if self.n_bands * self.n_columns > LARGEST_LINE_SAMPLES:
            raise BadArgument(
                f"stream header: a line of {self.n_bands} bands x {self.n_columns} columns, "
                f"allowed at most {LARGEST_LINE_SAMPLES} samples"
            )

    def to_bytes(self) -> bytes:
        """The header with its CRC."""
        metadata = zlib.compress(json.dumps(self.metadata, separators=(",", ":")).encode(), 9)
        fixed = FIXED.pack(
            self.n_bands,
            self.n_columns,
            self.n_lines,
            self.depth,
            IS_SIGNED * self.is_signed | IS_IN_LOOP * self.quantisation,
            self.max_error,
            self.sample_type,
            self.arithmetic,
            self.package_sha256,
            len(metadata),
        )
        n_bytes = PREFIX.size + len(fixed) + len(metadata) + CRC.size
        body = PREFIX.pack(MAGIC, VERSION, n_bytes) + fixed + metadata
        return body + CRC.pack(crc32c(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> "StreamHeader":
        """Read a whole header as cut out by `header_size`; raises Corrupt, Truncated or TooNew."""
        if header_size(data) != len(data):
            raise Truncated(f"stream header: {len(data)} bytes found, {header_size(data)} announced")
        body = data[: -CRC.size]
        if crc32c(body) != CRC.unpack(data[-CRC.size :])[0]:
            raise Corrupt("stream header: its CRC does not match")
        values = FIXED.unpack_from(body, PREFIX.size)
        n_bands, n_columns, n_lines, depth, flags, max_error, sample_type, arithmetic, sha256, n_metadata = values
        packed = body[PREFIX.size + FIXED.size :]
        allowed_flags = IS_SIGNED if data[len(MAGIC)] == 1 else IS_SIGNED | IS_IN_LOOP
        if flags & ~allowed_flags or n_metadata != len(packed):
            raise Corrupt(f"stream header: flags {flags:#x}, {n_metadata} bytes of metadata in {len(packed)}")
        try:
            return cls(
                n_bands,
                n_columns,
                n_lines,
                depth,
                bool(flags & IS_SIGNED),
                max_error,
                enum_of(SampleType, sample_type, "stream header"),
                enum_of(Arithmetic, arithmetic, "stream header"),
                sha256,
                unpack_metadata(packed),
                Quantisation.IN_LOOP if flags & IS_IN_LOOP else Quantisation.PREQUANTISED,
            )
        except BadArgument as error:
            raise Corrupt(str(error)) from None


def header_size(prefix: bytes) -> int:
    """Bytes of the header that begins with `prefix` (at least PREFIX.size bytes). Raises Corrupt, Truncated, TooNew."""
    if len(prefix) < PREFIX.size:
        raise Truncated(f"stream: {len(prefix)} bytes found, a header has at least {PREFIX.size + FIXED.size}")
    magic, version, n_bytes = PREFIX.unpack_from(prefix)
    if magic != MAGIC:
        raise Corrupt(f"stream: begins with {magic!r}, a LineRWKV stream begins with {MAGIC!r}")
    if version > VERSION:
        raise TooNew(f"stream: format version {version}, this release reads up to {VERSION}")
    if version == 0 or not PREFIX.size + FIXED.size + CRC.size <= n_bytes <= LARGEST_HEADER_BYTES:
        raise Corrupt(f"stream header: version {version}, {n_bytes} bytes announced")
    return int(n_bytes)


def unpack_metadata(packed: bytes) -> dict[str, Any]:
    """The JSON object in zlib-compressed bytes; bounded, whatever they announce. Raises Corrupt."""
    try:
        text = zlib.decompressobj().decompress(packed, LARGEST_METADATA_BYTES)
        metadata = json.loads(text)
    except (zlib.error, ValueError, RecursionError):
        raise Corrupt("stream header: metadata is not compressed JSON") from None
    if not isinstance(metadata, dict):
        raise Corrupt("stream header: metadata is not a JSON object")
    return metadata


@dataclass(frozen=True)
class SegmentHeader:
    """What holds for one segment: a run of lines that decodes by itself."""

    first_line: int
    n_lines: int
    predictor: PredictorKind
    arithmetic: Arithmetic
    stage: AdaptiveStage
    coder: Coder
    n_payload_bytes: int
    payload_crc: int

    def to_bytes(self, header_crc: int) -> bytes:
        """SEGMENT_BYTES bytes; `header_crc` ties them to their stream."""
        body = SEGMENT.pack(
            SEGMENT_MARKER,
            self.first_line,
            self.n_lines,
            self.predictor,
            self.arithmetic,
            self.stage,
            self.coder,
            self.n_payload_bytes,
            self.payload_crc,
        )
        return body + CRC.pack(crc32c(body, header_crc))

    @classmethod
    def from_bytes(cls, data: bytes, header_crc: int) -> "SegmentHeader":
        """Read SEGMENT_BYTES bytes. Raises Corrupt or Truncated."""
        if len(data) < SEGMENT_BYTES:
            raise Truncated(f"segment header: {len(data)} bytes found, {SEGMENT_BYTES} needed")
        body = data[: SEGMENT.size]
        if crc32c(body, header_crc) != CRC.unpack_from(data, SEGMENT.size)[0]:
            raise Corrupt("segment header: its CRC does not match")
        marker, first_line, n_lines, predictor, arithmetic, stage, coder, n_bytes, payload_crc = SEGMENT.unpack(body)
        where = f"segment at line {first_line}"
        if marker != SEGMENT_MARKER or n_lines == 0:
            raise Corrupt(f"{where}: marker {marker!r}, {n_lines} lines")
        return cls(
            first_line,
            n_lines,
            enum_of(PredictorKind, predictor, where),
            enum_of(Arithmetic, arithmetic, where),
            enum_of(AdaptiveStage, stage, where),
            enum_of(Coder, coder, where),
            n_bytes,
            payload_crc,
        )


@dataclass(frozen=True)
class EndRecord:
    """The last structure of a complete stream; its copy of the header lets salvage do without the first one."""

    n_lines: int
    n_segments: int
    header: bytes

    def to_bytes(self, header_crc: int) -> bytes:
        """The record with its CRC."""
        body = END.pack(END_MARKER, self.n_lines, self.n_segments, len(self.header)) + self.header
        return body + CRC.pack(crc32c(body, header_crc))

    @classmethod
    def from_bytes(cls, data: bytes, header_crc: int) -> "EndRecord":
        """Read a record from the start of `data`. Raises Corrupt or Truncated."""
        if len(data) < END.size:
            raise Truncated(f"end record: {len(data)} bytes found, at least {END.size} needed")
        marker, n_lines, n_segments, n_header = END.unpack_from(data)
        if marker != END_MARKER:
            raise Corrupt(f"end record: marker {marker!r}")
        if len(data) < END.size + n_header + CRC.size:
            raise Truncated(f"end record: {len(data)} bytes found, {END.size + n_header + CRC.size} announced")
        body = data[: END.size + n_header]
        if crc32c(body, header_crc) != CRC.unpack_from(data, len(body))[0]:
            raise Corrupt("end record: its CRC does not match")
        return cls(n_lines, n_segments, body[END.size :])

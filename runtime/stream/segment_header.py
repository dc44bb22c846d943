"""The structure before the payload of a segment: with the image's description it says all that reading it needs."""

import struct
from typing import NamedTuple

from runtime.errors import Corrupt, Truncated
from runtime.stream.crc32c import crc32c
from runtime.stream.kinds import AdaptiveStage, Coder, PredictorKind, Quantisation, enum_of
from runtime.stream.stream_header import CRC

SEGMENT_MARKER = b"\xc5SEG"
SEGMENT = struct.Struct(">4sIIHBBBBBHIII")  # without its CRC
SEGMENT_BYTES = SEGMENT.size + CRC.size
LARGEST_SEGMENT_LINES = (1 << 16) - 1
NO_PACKAGE = 255
IS_IN_LOOP = 1
HAS_SPECIALS = 2


class SegmentCoding(NamedTuple):
    """How the lines of a segment are coded."""

    predictor: PredictorKind
    stage: AdaptiveStage = AdaptiveStage.NONE
    max_error: int = 0  # M; 0 is lossless.
    quantisation: Quantisation = Quantisation.PREQUANTISED
    package_index: int = NO_PACKAGE  # Row of the header's table; a network's segments have one, no others.
    has_specials: bool = False  # Whether flags say which samples are special values

    def check(self, where: str) -> None:
        """Raise Corrupt where the choices do not go together."""
        name, is_in_loop = self.predictor.name.lower(), self.quantisation is Quantisation.IN_LOOP
        if is_in_loop and (self.max_error == 0 or self.predictor is PredictorKind.CCSDS123):
            found = f"quantisation in the loop with maximum error {self.max_error} by {name}"
            raise Corrupt(f"{where}: {found}, allowed from 1 on by dpcm, linerwkv and rls")
        if (self.package_index != NO_PACKAGE) != (self.predictor is PredictorKind.LINERWKV):
            raise Corrupt(f"{where}: {name} with package {self.package_index}")
        if self.stage not in allowed_stages(self.predictor):
            raise Corrupt(f"{where}: {name} with adaptive stage {self.stage.name.lower()}")


def allowed_stages(kind: PredictorKind) -> tuple[AdaptiveStage, ...]:
    """What may refine a predictor; the RLS is nothing else."""
    if kind is PredictorKind.RLS:
        return AdaptiveStage.FAST, AdaptiveStage.BEST
    if kind is PredictorKind.LINERWKV:
        return AdaptiveStage.NONE, AdaptiveStage.FAST, AdaptiveStage.BEST
    return (AdaptiveStage.NONE,)


class SegmentHeader(NamedTuple):
    """What holds for one segment: a run of lines that decodes by itself."""

    stream_crc: int  # CRC of the stream's header: which stream it belongs to
    first_line: int
    n_lines: int
    coding: SegmentCoding
    coder: Coder
    samples_crc: int  # Of the restored samples (runtime/stream/samples_checksum.py)
    n_payload_bytes: int
    payload_crc: int

    @property
    def next_line(self) -> int:
        """The first line after it."""
        return self.first_line + self.n_lines

    @property
    def where(self) -> str:
        """For messages."""
        return f"segment at line {self.first_line}"

    def to_bytes(self) -> bytes:
        """SEGMENT_BYTES bytes."""
        coding = self.coding
        body = SEGMENT.pack(
            SEGMENT_MARKER, self.stream_crc, self.first_line, self.n_lines, coding.predictor, coding.package_index,
            coding.stage, self.coder, IS_IN_LOOP * coding.quantisation + HAS_SPECIALS * coding.has_specials,
            coding.max_error, self.samples_crc, self.n_payload_bytes, self.payload_crc,
        )  # fmt: skip
        return body + CRC.pack(crc32c(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> "SegmentHeader":
        """Read SEGMENT_BYTES bytes. Raises Corrupt, Truncated or TooNew."""
        if len(data) < SEGMENT_BYTES:
            raise Truncated(f"segment header: {len(data)} bytes found, {SEGMENT_BYTES} needed")
        body = data[: SEGMENT.size]
        if crc32c(body) != CRC.unpack_from(data, SEGMENT.size)[0]:
            raise Corrupt("segment header: its CRC does not match")
        marker, stream_crc, first_line, n_lines, predictor, package, stage, coder, *rest = SEGMENT.unpack(body)
        flags, max_error, samples_crc, n_bytes, payload_crc = rest
        where = f"segment at line {first_line}"
        if marker != SEGMENT_MARKER or n_lines == 0:
            raise Corrupt(f"{where}: marker {marker!r}, {n_lines} lines")
        if flags & ~(IS_IN_LOOP | HAS_SPECIALS):
            raise Corrupt(f"{where}: flags {flags:#x}, allowed {IS_IN_LOOP | HAS_SPECIALS:#x}")
        coding = SegmentCoding(
            enum_of(PredictorKind, predictor, where), enum_of(AdaptiveStage, stage, where), max_error,
            Quantisation(flags & IS_IN_LOOP), package, bool(flags & HAS_SPECIALS),
        )  # fmt: skip
        coding.check(where)
        coder = enum_of(Coder, coder, where)
        return cls(stream_crc, first_line, n_lines, coding, coder, samples_crc, n_bytes, payload_crc)

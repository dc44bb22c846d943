"""The streaming encoder: lines in, bytes out, in memory bounded by one line, the state and one coded segment."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.crc32c import crc32c
from runtime.depth import check_in_range, sample_range
from runtime.errors import BadArgument
from runtime.executors import AnyExecutor, make_executor
from runtime.flight_package import FlightPackage
from runtime.segment_codec import SegmentCodec
from runtime.segment_codecs import default_quantisation, default_stage, segment_codec
from runtime.stream_format import (
    LARGEST_SEGMENT_LINES,
    NO_PACKAGE,
    AdaptiveStage,
    Arithmetic,
    Coder,
    EndRecord,
    PredictorKind,
    Quantisation,
    SampleType,
    SegmentHeader,
    StreamHeader,
)

DEFAULT_SEGMENT_LINES = 64  # benchmarks/results/segment_lines.md


@dataclass(frozen=True)
class ImageDescription:
    """What must be known of an image before its first line."""

    n_bands: int
    n_columns: int
    depth: int
    """Bits per sample, 8..16."""
    is_signed: bool
    n_lines: int = 0
    """0: not known."""
    sample_type: SampleType = SampleType.INT16
    metadata: dict[str, Any] = field(default_factory=dict)
    """Carried through as JSON: wavelengths and other entries of the ENVI header."""


class Encoder:
    """Push lines, collect bytes.

    The first bytes are `header`; each `push` returns the bytes of a segment when one is complete, else none; `finish`
    returns the rest.
    """

    def __init__(
        self,
        image: ImageDescription,
        package: FlightPackage | None = None,
        *,
        predictor: PredictorKind | None = None,
        max_error: int = 0,
        segment_lines: int = DEFAULT_SEGMENT_LINES,
        executor: AnyExecutor | None = None,
        stage: AdaptiveStage | None = None,
        quantisation: Quantisation | None = None,
    ) -> None:
        """`predictor` None is LineRWKV with a package and DPCM without. Raises BadArgument.

        `stage` None is the best one for RLS and for an int8 package, and none for the others, which allow no other.
        `quantisation` None is in the loop, but not with a float32 package; it says nothing where `max_error` is 0, and
        CCSDS 123 has its own.
        """
        if not 1 <= segment_lines <= LARGEST_SEGMENT_LINES:
            raise BadArgument(f"segment length is {segment_lines} lines, allowed 1..{LARGEST_SEGMENT_LINES}")
        if predictor is None:
            predictor = PredictorKind.DPCM if package is None else PredictorKind.LINERWKV
        if predictor is not PredictorKind.LINERWKV:
            package = None
        if max_error == 0 or predictor is PredictorKind.CCSDS123:
            quantisation = Quantisation.PREQUANTISED
        elif quantisation is None:
            quantisation = default_quantisation(predictor, package)
        self.image = image
        self.segment_lines = segment_lines
        self.arithmetic = Arithmetic.NONE if package is None else Arithmetic.of(package.arithmetic)
        stream = StreamHeader(
            image.n_bands,
            image.n_columns,
            image.n_lines,
            image.depth,
            image.is_signed,
            max_error,
            image.sample_type,
            self.arithmetic,
            package.sha256 if package is not None else NO_PACKAGE,
            image.metadata,
            quantisation,
        )
        self.header = stream.to_bytes()
        self.header_crc = crc32c(self.header)
        if package is not None and executor is None:
            executor = make_executor(package)
        if stage is None:
            stage = default_stage(predictor, package)
        self.codec = segment_codec(predictor, stream, package, executor, stage)
        self.stored = segment_codec(PredictorKind.NONE, stream)
        self.range = sample_range(image.depth, is_signed=image.is_signed)
        self.writer = self.codec.writer()
        self.n_lines = 0
        self.n_in_segment = 0
        self.n_segments = 0

    def push(self, line: npt.NDArray[np.integer[Any]]) -> bytes:
        """Code the next line (Z, X); returns a whole segment where this line completes it.

        Raises BadArgument where the line has the wrong shape or a sample outside the range of the bit depth; the line
        is then not part of the stream, and the next `push` may follow.
        """
        shape = (self.image.n_bands, self.image.n_columns)
        if line.shape != shape or not np.issubdtype(line.dtype, np.integer):
            raise BadArgument(
                f"line {self.n_lines}: {line.dtype} of shape {line.shape}, allowed integers of shape {shape}"
            )
        check_in_range(line, *self.range, self.n_lines)
        self.writer.push(line)
        self.n_lines += 1
        self.n_in_segment += 1
        return self.close_segment() if self.n_in_segment == self.segment_lines else b""

    def finish(self) -> bytes:
        """The last segment and the end record. Raises BadArgument where no line came, or not as many as announced."""
        if self.n_lines == 0 or self.image.n_lines not in (0, self.n_lines):
            raise BadArgument(f"{self.n_lines} lines came, allowed {self.image.n_lines or 'at least 1'}")
        segment = self.close_segment() if self.n_in_segment else b""
        return segment + EndRecord(self.n_lines, self.n_segments, self.header).to_bytes(self.header_crc)

    def close_segment(self) -> bytes:
        """The segment's header and payload; the next line begins a new segment."""
        coder, payload = self.writer.coded()
        header = self.segment_header(self.codec, coder, payload)
        if self.codec.may_be_stored and len(payload) > self.stored.largest_payload(self.n_in_segment):
            # only now the samples are needed again, and the payload has them: no second copy in memory until here
            plain = self.stored.writer()
            for line in self.codec.lines(header, payload):
                plain.push(line)
            coder, payload = plain.coded()
            header = self.segment_header(self.stored, coder, payload)
        self.writer = self.codec.writer()
        self.n_in_segment = 0
        self.n_segments += 1
        return header.to_bytes(self.header_crc) + payload

    def segment_header(self, codec: SegmentCodec, coder: Coder, payload: bytes) -> SegmentHeader:
        """The header of the segment that ends with the last line pushed."""
        return SegmentHeader(
            self.n_lines - self.n_in_segment,
            self.n_in_segment,
            codec.predictor,
            self.arithmetic if codec.predictor is PredictorKind.LINERWKV else Arithmetic.NONE,
            codec.stage,
            coder,
            len(payload),
            crc32c(payload),
        )

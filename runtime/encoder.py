"""The streaming encoder: lines in, bytes out, in memory bounded by one line, the state and one coded segment."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime import stored
from runtime.crc32c import crc32c
from runtime.depth import check_in_range
from runtime.errors import BadArgument
from runtime.executor import Executor, OnnxRuntimeExecutor
from runtime.flight_package import FlightPackage
from runtime.prequantise import quantiser
from runtime.segment_codec import SegmentCodec
from runtime.stream_format import (
    LARGEST_SEGMENT_LINES,
    NO_PACKAGE,
    AdaptiveStage,
    Arithmetic,
    Coder,
    EndRecord,
    PredictorKind,
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
        max_error: int = 0,
        segment_lines: int = DEFAULT_SEGMENT_LINES,
        executor: Executor | None = None,
    ) -> None:
        if not 1 <= segment_lines <= LARGEST_SEGMENT_LINES:
            raise BadArgument(f"segment length is {segment_lines} lines, allowed 1..{LARGEST_SEGMENT_LINES}")
        self.image = image
        self.segment_lines = segment_lines
        self.kind = PredictorKind.DPCM if package is None else PredictorKind.LINERWKV
        self.arithmetic = Arithmetic.NONE if package is None else Arithmetic.FLOAT32
        self.header = StreamHeader(
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
        ).to_bytes()
        self.header_crc = crc32c(self.header)
        self.quantiser = quantiser(image.depth, is_signed=image.is_signed, max_error=max_error)
        if package is not None and executor is None:
            executor = OnnxRuntimeExecutor(package)
        self.codec = SegmentCodec(image.n_bands, image.n_columns, self.quantiser, package, executor)
        self.state = self.codec.initial_state()
        self.buffer = np.empty(0, np.uint8)
        self.n_lines = 0
        self.n_in_segment = 0
        self.n_segments = 0

    def push(self, line: npt.NDArray[np.integer[Any]]) -> bytes:
        """Code the next line (Z, X); returns a whole segment where this line completes it.

        Raises BadArgument where the line has the wrong shape or a sample outside the range of the bit depth; the line
        is then not part of the stream, and the next `push` may follow.
        """
        if line.shape != self.codec.shape or not np.issubdtype(line.dtype, np.integer):
            raise BadArgument(
                f"line {self.n_lines}: {line.dtype} of shape {line.shape}, allowed integers of shape {self.codec.shape}"
            )
        check_in_range(line, self.quantiser.smallest, self.quantiser.largest, self.n_lines)
        quantised = self.quantiser.quantised(line)
        self.state, self.buffer = self.codec.encode_line(self.kind, quantised, self.state, self.buffer)
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
        """The segment's header and payload; the state starts anew."""
        payload = self.codec.payload(self.state, self.buffer)
        header = self.segment_header(payload, Coder.SAMPLE_ADAPTIVE)
        n_samples = self.n_in_segment * self.image.n_bands * self.image.n_columns
        if len(payload) > stored.stored_bytes(n_samples, self.codec.depth):
            # only now the samples are needed again, and the payload has them: no second copy in memory until here
            lines = np.stack(list(self.codec.decode_lines(header, payload)))
            payload = stored.pack(lines, self.codec.smallest, self.codec.depth)
            header = self.segment_header(payload, Coder.STORED)
        self.state = self.codec.initial_state()
        self.n_in_segment = 0
        self.n_segments += 1
        return header.to_bytes(self.header_crc) + payload

    def segment_header(self, payload: bytes, coder: Coder) -> SegmentHeader:
        """The header of the segment that ends with the last line pushed."""
        is_stored = coder is Coder.STORED
        return SegmentHeader(
            self.n_lines - self.n_in_segment,
            self.n_in_segment,
            PredictorKind.NONE if is_stored else self.kind,
            Arithmetic.NONE if is_stored else self.arithmetic,
            AdaptiveStage.NONE,
            coder,
            len(payload),
            crc32c(payload),
        )

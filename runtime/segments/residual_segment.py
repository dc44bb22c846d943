"""Segments of residuals: samples, perhaps prequantised, a predictor, the coder that makes them smallest."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from runtime.coders.residual_coders import ResidualReader, ResidualWriter, residual_reader
from runtime.kernels.in_loop import index_depth
from runtime.prediction.predictors import Predictor
from runtime.prediction.prequantise import Quantiser
from runtime.segments.segment_codec import Samples
from runtime.segments.stored import stored_bytes
from runtime.stream.residual_sums import ResidualSums
from runtime.stream.stream_format import AdaptiveStage, Coder, PredictorKind, SegmentHeader


class ResidualSegments:
    """A `SegmentCodec` for one predictor."""

    def __init__(
        self,
        kind: PredictorKind,
        stage: AdaptiveStage,
        predictor: Predictor,
        n_bands: int,
        n_columns: int,
        quantiser: Quantiser,
        max_error: int = 0,
    ) -> None:
        """`quantiser` is what happens to samples before the predictor, `max_error` what the predictor may add."""
        self.predictor = kind
        self.stage = stage
        self.lines_predictor = predictor
        self.shape = (n_bands, n_columns)
        self.quantiser = quantiser
        self.depth = index_depth(*quantiser.index_range, max_error)
        self.may_be_stored = max_error == 0
        coders = (Coder.RANGE,) if stage is AdaptiveStage.BEST else (Coder.SAMPLE_ADAPTIVE, Coder.HYBRID)
        self.coders = coders + (() if self.may_be_stored else (Coder.STORED,))

    def writer(self) -> "ResidualSegmentWriter":
        """As in `SegmentCodec`."""
        return ResidualSegmentWriter(self)

    def largest_payload(self, n_lines: int) -> int:
        """The size of the stored form, of samples or of residuals: an encoder makes no larger segment."""
        return stored_bytes(n_lines * self.shape[0] * self.shape[1], self.depth)

    def lines(self, header: SegmentHeader, payload: bytes) -> Iterator[Samples]:
        """As in `SegmentCodec`."""
        reader = residual_reader(header.coder, payload, self.depth, *self.shape, header.n_lines)
        return ResidualLines(self, header.n_lines, reader)


class ResidualSegmentWriter:
    """One segment being written."""

    def __init__(self, codec: ResidualSegments) -> None:
        self.codec = codec
        self.predictor_state: Any = None
        self.residuals = ResidualWriter(codec.depth, *codec.shape, codec.stage)
        self.residual_sums = ResidualSums()

    @property
    def state(self) -> Any:
        """As in `SegmentWriter`."""
        return self.predictor_state

    @property
    def written(self) -> ResidualWriter:
        """As in `SegmentWriter`."""
        return self.residuals

    def push(self, line: Samples) -> None:
        """As in `SegmentWriter`: nothing is coded before the whole line is predicted."""
        codec = self.codec
        mapped = np.empty(codec.shape, np.int32)
        samples = codec.quantiser.quantised(line)
        self.predictor_state = codec.lines_predictor.encode_line(samples, self.predictor_state, mapped)
        self.residuals.push(mapped)
        self.residual_sums.add(mapped)

    def coded(self) -> tuple[Coder, bytes]:
        """As in `SegmentWriter`."""
        return self.residuals.coded(may_be_plain=Coder.STORED in self.codec.coders)


class ResidualLines:
    """Iterates over the lines (Z, X) of one segment; raises Truncated or Corrupt."""

    def __init__(self, codec: ResidualSegments, n_lines: int, residuals: ResidualReader) -> None:
        self.codec = codec
        self.predictor_state: Any = None
        self.residuals = residuals
        self.n_left = n_lines

    @property
    def state(self) -> Any:
        """What the next line is predicted from."""
        return self.predictor_state

    def __iter__(self) -> "ResidualLines":
        return self

    def __next__(self) -> Samples:
        """The next line, a new array."""
        if self.n_left == 0:
            raise StopIteration
        self.n_left -= 1
        codec = self.codec
        mapped, line = np.empty(codec.shape, np.int32), np.empty(codec.shape, np.int32)
        self.residuals.take(mapped)
        self.predictor_state = codec.lines_predictor.decode_line(mapped, self.predictor_state, line)
        return codec.quantiser.reconstructed(line)

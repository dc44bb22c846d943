"""Segments of residuals: samples, perhaps prequantised, a predictor, the sample-adaptive coder."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime import golomb
from runtime.bits import finish, initial_bits
from runtime.errors import Corrupt
from runtime.golomb import GolombParameters
from runtime.in_loop import index_depth
from runtime.predictors import Predictor
from runtime.prequantise import Quantiser
from runtime.segment_codec import Samples
from runtime.stored import stored_bytes
from runtime.stream_format import AdaptiveStage, Coder, PredictorKind, SegmentHeader


def golomb_parameters(depth: int) -> GolombParameters:
    """The coder of format version 1: U_max 18, gamma* 6, gamma0 1, K 3 (less for depths that allow less)."""
    return GolombParameters(depth, accumulator_constant=min(3, depth - 2))


class GolombState(NamedTuple):
    """What both sides know after each line."""

    predictor: Any
    """The predictor's own; None before the first line."""
    statistics: golomb.GolombState
    bits: npt.NDArray[np.int64]


class GolombSegments:
    """A `SegmentCodec` for one predictor."""

    coder = Coder.SAMPLE_ADAPTIVE

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
        self.parameters = golomb_parameters(index_depth(*quantiser.index_range, max_error))
        self.may_be_stored = max_error == 0

    def initial_state(self) -> GolombState:
        """The state before the first line of a segment."""
        return GolombState(None, golomb.initial_state(self.parameters, self.shape[0]), initial_bits())

    def writer(self) -> "GolombWriter":
        """As in `SegmentCodec`."""
        return GolombWriter(self)

    def largest_payload(self, n_lines: int) -> int:
        """The size of the stored form, where there is one: an encoder stores a segment that would be larger."""
        n_samples = n_lines * self.shape[0] * self.shape[1]
        if not self.may_be_stored:
            return golomb.worst_bytes(self.parameters, n_samples)
        return stored_bytes(n_samples, self.quantiser.index_depth)

    def lines(self, header: SegmentHeader, payload: bytes) -> Iterator[Samples]:
        """As in `SegmentCodec`."""
        n_samples = header.n_lines * self.shape[0] * self.shape[1]
        if n_samples > 8 * len(payload):
            raise Corrupt(
                f"segment announces {n_samples} samples in {len(payload)} bytes: a sample takes a bit at least"
            )
        return GolombLines(self, header.n_lines, np.frombuffer(payload, np.uint8))


class GolombWriter:
    """One segment being written; its buffer grows with the coded bytes only."""

    def __init__(self, codec: GolombSegments) -> None:
        self.codec = codec
        self.state = codec.initial_state()
        self.buffer = np.empty(0, np.uint8)

    def push(self, line: Samples) -> None:
        """As in `SegmentWriter`."""
        codec, state = self.codec, self.state
        room = golomb.worst_bytes(codec.parameters, line.size)
        position = int(state.bits[0])
        if position + room > self.buffer.size:
            self.buffer = np.concatenate([self.buffer[:position], np.empty(position // 2 + room, np.uint8)])
        mapped = np.empty(codec.shape, np.int32)
        after = codec.lines_predictor.encode_line(codec.quantiser.quantised(line), state.predictor, mapped)
        golomb.encode_line(codec.parameters, mapped, state.statistics, self.buffer, state.bits)
        self.state = state._replace(predictor=after)

    def payload(self) -> bytes:
        """As in `SegmentWriter`."""
        return self.buffer[: finish(self.buffer, self.state.bits)].tobytes()


class GolombLines:
    """Iterates over the lines (Z, X) of one segment; raises Truncated or Corrupt."""

    def __init__(self, codec: GolombSegments, n_lines: int, data: npt.NDArray[np.uint8]) -> None:
        self.codec = codec
        self.data = data
        self.state = codec.initial_state()
        self.n_left = n_lines

    def __iter__(self) -> "GolombLines":
        return self

    def __next__(self) -> Samples:
        """The next line, a new array."""
        if self.n_left == 0:
            raise StopIteration
        self.n_left -= 1
        codec, state = self.codec, self.state
        mapped, line = np.empty(codec.shape, np.int32), np.empty(codec.shape, np.int32)
        golomb.decode_line(codec.parameters, self.data, state.bits, state.statistics, mapped)
        self.state = state._replace(predictor=codec.lines_predictor.decode_line(mapped, state.predictor, line))
        return codec.quantiser.reconstructed(line)

"""One segment: lines to payload and back, by a predictor and the sample-adaptive coder."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from runtime import golomb, stored
from runtime.bits import finish, initial_bits
from runtime.errors import BadArgument, Corrupt
from runtime.executor import Executor
from runtime.flight_package import FlightPackage
from runtime.golomb import GolombParameters
from runtime.predictors import DpcmPredictor, Line, NetworkPredictor, Predictor, SegmentState
from runtime.prequantise import Quantiser
from runtime.stream_format import Coder, PredictorKind, SegmentHeader


def golomb_parameters(depth: int) -> GolombParameters:
    """The coder of format version 1: U_max 18, gamma* 6, gamma0 1, K 3 (less for depths that allow less)."""
    return GolombParameters(depth, accumulator_constant=min(3, depth - 2))


class CodedState(NamedTuple):
    """A segment being written or read."""

    predictor: SegmentState | None
    statistics: golomb.GolombState
    bits: npt.NDArray[np.int64]


class SegmentCodec:
    """The predictors and the coder of one stream; it keeps no state of any segment."""

    def __init__(
        self,
        n_bands: int,
        n_columns: int,
        quantiser: Quantiser,
        package: FlightPackage | None,
        executor: Executor | None,
    ) -> None:
        self.shape = (n_bands, n_columns)
        self.depth = quantiser.index_depth
        self.smallest, self.largest = quantiser.index_range
        self.parameters = golomb_parameters(self.depth)
        self.predictors: dict[PredictorKind, Predictor] = {
            PredictorKind.DPCM: DpcmPredictor(self.smallest, self.largest)
        }
        if package is not None and executor is not None:
            self.predictors[PredictorKind.LINERWKV] = NetworkPredictor(package, executor, self.smallest, self.largest)

    def predictor(self, kind: PredictorKind) -> Predictor:
        """The predictor of this kind; raises BadArgument where it needs a package that is not there."""
        if kind not in self.predictors:
            raise BadArgument(f"a segment predicted by {kind.name.lower()} needs its flight package")
        return self.predictors[kind]

    def initial_state(self) -> CodedState:
        """The state before the first line of a segment."""
        return CodedState(None, golomb.initial_state(self.parameters, self.shape[0]), initial_bits())

    def encode_line(
        self, kind: PredictorKind, line: Line, state: CodedState, buffer: npt.NDArray[np.uint8]
    ) -> tuple[CodedState, npt.NDArray[np.uint8]]:
        """Append a line (Z, X) of quantised samples; returns the state and the buffer, which may have grown."""
        room = golomb.worst_bytes(self.parameters, line.size)
        position = int(state.bits[0])
        if position + room > buffer.size:
            buffer = np.concatenate([buffer[:position], np.empty(position // 2 + room, np.uint8)])
        mapped = np.empty(self.shape, np.int32)
        predictor_state = self.predictor(kind).encode_line(line, state.predictor, mapped)
        golomb.encode_line(self.parameters, mapped, state.statistics, buffer, state.bits)
        return state._replace(predictor=predictor_state), buffer

    def payload(self, state: CodedState, buffer: npt.NDArray[np.uint8]) -> bytes:
        """The coded bytes of a finished segment."""
        return buffer[: finish(buffer, state.bits)].tobytes()

    def decode_lines(self, header: SegmentHeader, payload: bytes) -> "LineReader":
        """The quantised lines of a segment, one at a time. Raises Corrupt for a payload of impossible size."""
        n_samples = header.n_lines * self.shape[0] * self.shape[1]
        if header.coder is Coder.STORED:
            expected = stored.stored_bytes(n_samples, self.depth)
            if len(payload) != expected:
                raise Corrupt(f"stored segment of {n_samples} samples has {len(payload)} bytes, needs {expected}")
        elif n_samples > 8 * len(payload):
            raise Corrupt(
                f"segment announces {n_samples} samples in {len(payload)} bytes: a sample takes a bit at least"
            )
        return LineReader(self, header, np.frombuffer(payload, np.uint8))


class LineReader:
    """Iterates over the quantised lines (Z, X) of one segment; raises Truncated or Corrupt."""

    def __init__(self, codec: SegmentCodec, header: SegmentHeader, data: npt.NDArray[np.uint8]) -> None:
        self.codec = codec
        self.header = header
        self.data = data
        self.state = codec.initial_state()
        self.n_left = header.n_lines

    def __iter__(self) -> "LineReader":
        return self

    def __next__(self) -> Line:
        """The next line, a new array."""
        if self.n_left == 0:
            raise StopIteration
        self.n_left -= 1
        codec, state = self.codec, self.state
        line = np.empty(codec.shape, np.int32)
        if self.header.coder is Coder.STORED:
            stored.unpack_line(self.data, state.bits, codec.smallest, codec.depth, line)
            if line.max() > codec.largest:
                raise Corrupt(f"a stored sample is {line.max()}, allowed at most {codec.largest}")
            return line
        mapped = np.empty(codec.shape, np.int32)
        golomb.decode_line(codec.parameters, self.data, state.bits, state.statistics, mapped)
        predictor = codec.predictor(self.header.predictor)
        self.state = state._replace(predictor=predictor.decode_line(mapped, state.predictor, line))
        return line

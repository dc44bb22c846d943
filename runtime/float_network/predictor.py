"""Lines to mapped residuals and back with a float32 cell: band steps on both sides, on the same machine."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from runtime.cell.flight_package import NEXT, FlightPackage, FloatPackage
from runtime.cell.integer_base import base_samples, doubled_predictions
from runtime.errors import BadArgument, Corrupt, ExecutorFailed, LineRwkvError
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.line_part import check_answer
from runtime.float_network.normalise import Normalisation, from_first_line, normalised
from runtime.kernels.marks import Marks, kernel_marks
from runtime.prediction.network_bands import LineCoding, code_plain_band
from runtime.prediction.predictors import DpcmPredictor, Line, Predictor
from runtime.stream.kinds import AdaptiveStage


class SegmentState(NamedTuple):
    """What both sides know of the segment so far."""

    line_before: Line
    normalisation: Normalisation
    memory: Arrays  # Of lines, each (Z, X, F) float32


def initial_states(package: FloatPackage, n_bands: int, n_columns: int, *, is_per_band: bool) -> Arrays:
    """Memory of lines before the second line of a segment, (Z, X, F), or what stands before band 0, (depth, X, F)."""
    return {
        state.name: np.full((n_bands if is_per_band else state.depth, n_columns, state.features), state.initial, "f4")
        for state in package.states
        if state.is_per_band == is_per_band
    }


class NetworkPredictor(Predictor):
    """The first line by DPCM, every other by the network, band after band.

    The float32 cell is stepped one band at a time on both sides, because a step over all bands may round differently
    from a step over one; the encoder pays for what only the decoder needs.
    """

    def __init__(
        self, package: FlightPackage, executor: ArrayExecutor, smallest: int, largest: int, *,
        stage: AdaptiveStage = AdaptiveStage.NONE, max_error: int = 0,
    ) -> None:  # fmt: skip
        """Raise BadArgument for what a float32 package cannot be combined with."""
        assert isinstance(package, FloatPackage)
        if stage is not AdaptiveStage.NONE:
            raise BadArgument(f"adaptive stage {stage.name.lower()} with a float32 package, allowed none")
        if max_error:
            raise BadArgument("quantisation in the loop with a float32 package, allowed prequantised")
        self.package = package
        self.executor = executor
        self.range = (smallest, largest)
        self.first_line = DpcmPredictor(*self.range)

    @override
    def encode_line(
        self, line: Line, state: SegmentState | None, out_mapped: Line, marks: Marks | None = None
    ) -> SegmentState:
        if state is None:
            self.first_line.encode_line(line, None, out_mapped, marks)
            return self.start(line)
        return self.code_line(line, out_mapped, state, marks, is_decoder=False)

    @override
    def decode_line(
        self, mapped: Line, state: SegmentState | None, out_line: Line, marks: Marks | None = None
    ) -> SegmentState:
        if state is None:
            self.first_line.decode_line(mapped, None, out_line, marks)
            return self.start(out_line)
        return self.code_line(out_line, mapped, state, marks, is_decoder=True)

    def code_line(
        self, line: Line, mapped: Line, state: SegmentState, marks: Marks | None, *, is_decoder: bool
    ) -> SegmentState:
        """Fill `mapped` from `line` or the reverse; the state after it."""
        doubled = np.empty((1, line.shape[1]), np.int32)
        bands = initial_states(self.package, 0, line.shape[1], is_per_band=False)
        coding = LineCoding(line, mapped, line, kernel_marks(marks, len(line)), 0, *self.range, is_decoder)
        for z in range(len(line)):
            bands = self.predict_band(z, line, state, bands, doubled)
            if not code_plain_band(z, doubled[0], coding):
                raise Corrupt(f"a decoded residual in band {z} leads outside the sample range")
        return state._replace(line_before=line.copy())

    def start(self, first_line: Line) -> SegmentState:
        """The state after the first line of a segment."""
        n_bands, n_columns = first_line.shape
        constants = self.package.manifest["normalisation"]
        if constants["kind"] == "first-line":
            normalisation = from_first_line(first_line)
        else:
            normalisation = Normalisation(*(np.array(constants[name], np.int32) for name in Normalisation._fields))
            if len(normalisation.mean) != n_bands:
                raise BadArgument(f"package is for {len(normalisation.mean)} bands, the image has {n_bands}")
        memory = initial_states(self.package, n_bands, n_columns, is_per_band=True)
        return SegmentState(first_line.copy(), normalisation, memory)

    def predict_band(
        self, z: int, line: Line, state: SegmentState, bands: Arrays, out_doubled: npt.NDArray[np.int32]
    ) -> Arrays:
        """Fill s-tilde (1, X) of band `z` from rows 0..z-1 of `line`, and return what stands before the next band.

        `state.memory` is large and written in place: row `z` is read here and nowhere later in a line.
        """
        row = slice(z, z + 1)
        before = slice(z - 1, z) if z > 0 else row
        statistics = state.normalisation
        line_before = state.line_before[row]
        band_now = line[before] if z > 0 else np.zeros_like(line_before)
        band_before = state.line_before[before] if z > 0 else band_now
        inputs = {
            "line_before": normalised(line_before, Normalisation(*(values[row] for values in statistics))),
            "band_before": normalised(band_now, Normalisation(*(values[before] for values in statistics))),
            "is_first_band": np.full((1, 1), z == 0, np.float32),
            **{name: values[row] for name, values in state.memory.items()},
            **bands,
        }
        try:
            outputs = self.executor.run(inputs)
        except LineRwkvError as error:
            raise ExecutorFailed(str(error)) from error
        shape, float32 = line_before.shape, np.dtype(np.float32)
        check_answer(self.executor, outputs, "correction", shape, float32)
        for name, before_step in {**state.memory, **bands}.items():
            rows = 1 if name in state.memory else len(before_step)
            check_answer(self.executor, outputs, name + NEXT, (rows, *before_step.shape[1:]), float32)
        for name, values in state.memory.items():
            values[row] = outputs[name + NEXT]
        base = base_samples(self.package.base, line_before, band_now, band_before, statistics.mean[row, None])
        doubled_predictions(outputs["correction"], base, statistics.scale[row], *self.range, out_doubled)
        return {name: outputs[name + NEXT] for name in bands}

"""A float package's step through named arrays, so that executors of other processes can be held against it."""

from typing_extensions import override

from runtime.cell.flight_package import NEXT, FloatPackage
from runtime.errors import BadArgument, Corrupt
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.executor import CellState, Executor, FloatArray
from runtime.executors.onnxruntime_arrays import STEP_INPUTS


class StepByArrays(Executor):
    """The `Executor` of a float package whose cell runs behind named arrays, for example in another process."""

    def __init__(self, package: FloatPackage, arrays: ArrayExecutor) -> None:
        if arrays.sha256 != package.sha256.hex():
            raise BadArgument(f"the executor runs {arrays.sha256[:12]}..., not package {package.sha256.hex()[:12]}...")
        self.arrays = arrays

    @override
    def step(
        self, line_before: FloatArray, band_before: FloatArray, is_first_band: FloatArray, state: CellState
    ) -> tuple[FloatArray, CellState]:
        """Raises Corrupt where an output is missing."""
        feed = dict(zip(STEP_INPUTS, (line_before, band_before, is_first_band), strict=True))
        outputs = self.arrays.run({**feed, **state.line, **state.band})
        try:
            line = {name: outputs[name + NEXT] for name in state.line}
            band = {name: outputs[name + NEXT] for name in state.band}
            return outputs["correction"], CellState(line, band)
        except KeyError as error:
            raise Corrupt(f"the answer of {self.arrays.provider} has no output {error}") from None

"""What runs the step cells of a flight package: the protocol, and ONNX Runtime on the CPU."""

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from runtime.cell.flight_package import NEXT, FloatPackage
from runtime.executors.cell_executor import session

FloatArray = npt.NDArray[np.float32]


class CellState(NamedTuple):
    """The memory of a network between steps, by the names of the package's states."""

    line: dict[str, FloatArray]
    """Memory of lines, each (Z, X, F)."""
    band: dict[str, FloatArray]
    """Handed from tile to tile of one line, each (depth, X, F); initial at band 0."""


class Executor(Protocol):
    """Runs one step on a tile of consecutive bands of one line. Keeps nothing between calls."""

    def step(
        self, line_before: FloatArray, band_before: FloatArray, is_first_band: FloatArray, state: CellState
    ) -> tuple[FloatArray, CellState]:
        """Corrections (B, X) of a tile of B bands, and the state after it.

        line_before: (B, X), the same bands of the line before, normalised. band_before: (B, X), for each band of the
        tile the one before it in this line, normalised. is_first_band: (B, 1), 1 for band 0. state: the rows of the
        tile in `line`, the state after the tile before in `band`.
        """


def initial_state(package: FloatPackage, n_bands: int, n_columns: int) -> CellState:
    """The state before the second line of a segment."""
    line: dict[str, FloatArray] = {}
    band: dict[str, FloatArray] = {}
    for state in package.states:
        n_rows = n_bands if state.is_per_band else state.depth
        values = np.full((n_rows, n_columns, state.features), state.initial, np.float32)
        (line if state.is_per_band else band)[state.name] = values
    return CellState(line, band)


class OnnxRuntimeExecutor(Executor):
    """ONNX Runtime on the CPU, one thread: the band-step cell for one band, the line-step cell for more."""

    def __init__(self, package: FloatPackage, n_threads: int = 1) -> None:
        self.line_names = [state.name for state in package.states if state.is_per_band]
        self.band_names = [state.name for state in package.states if not state.is_per_band]
        self.outputs = ["correction", *(state.name + NEXT for state in package.states if state.is_per_band)]
        self.outputs += [name + NEXT for name in self.band_names]
        cells = package.manifest["cells"]
        self.line_step = session(package, cells["line_step"], n_threads)
        self.band_step = session(package, cells["band_step"], n_threads)

    @override
    def step(
        self, line_before: FloatArray, band_before: FloatArray, is_first_band: FloatArray, state: CellState
    ) -> tuple[FloatArray, CellState]:
        chosen = self.band_step if len(line_before) == 1 else self.line_step
        feed = {"line_before": line_before, "band_before": band_before, "is_first_band": is_first_band}
        correction, *states = chosen.run(self.outputs, {**feed, **state.line, **state.band})
        n_line = len(self.line_names)
        line = dict(zip(self.line_names, states[:n_line], strict=True))
        band = dict(zip(self.band_names, states[n_line:], strict=True))
        return correction, CellState(line, band)

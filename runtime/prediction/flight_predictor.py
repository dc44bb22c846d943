"""Lines to mapped residuals and back with an int8 cell: line steps to encode, band steps to decode.

The two sides call the cell with different tiles, on executors that may differ; its integers are the same
(docs/arithmetic.md). What the cell is fed, and what its taps weigh, is computed here in integers.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from typing_extensions import override

from runtime.adaptive.state import StageState
from runtime.cell.flight_inputs import (
    BAND_FEATURES,
    LINE_FEATURES,
    TAPS,
    HostState,
    fill_band_features,
    fill_differences,
    fill_line_features,
    filtered,
    first_state,
    next_state,
)
from runtime.cell.flight_package import IntegerPackage
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.cell_executor import initial_bands, initial_memory, step_tile
from runtime.kernels.kernel_cache import njit
from runtime.kernels.marks import Marks, kernel_marks
from runtime.prediction.band_coding import band_coding
from runtime.prediction.predictors import DpcmPredictor, Line, Predictor
from runtime.stream.kinds import AdaptiveStage

TILE_BANDS = 4  # Bands of a line step: at 1000 columns and 24 features a tile's arrays stay in the second cache


class FlightState(NamedTuple):
    """What both sides know of the segment so far."""

    host: HostState
    memory: Arrays  # Of lines, each (Z, X, F) int8 or int16
    stage: StageState | None  # Of the adaptive stage, where there is one


@njit(cache=True)
def fill_tile_features(first: Any, line: Any, host: Any, out_l: Any, out_b: Any) -> None:
    """Fill both inputs of the bands from `first` on: out_l (B, X, LINE_FEATURES), out_b (B, X, BAND_FEATURES)."""
    for b in range(out_l.shape[0]):
        fill_line_features(first + b, host, out_l[b])
        fill_band_features(first + b, line, host, out_b[b])


@njit(cache=True)
def predict_tile(first: Any, line: Any, host: Any, taps: Any, sample_range: Any, out_doubled: Any) -> None:
    """Fill s-tilde (B, X) of the bands from `first` on. taps: (B, X, TAPS)."""
    smallest, largest = sample_range
    differences = np.empty((line.shape[1], TAPS), np.int32)
    for b in range(taps.shape[0]):
        fill_differences(first + b, line, host, differences)
        filtered(taps[b], differences, host[0][first + b], smallest, largest, out_doubled[b])


class FlightPredictor(Predictor):
    """Every line but the first by the cell; the first by the sample west in band 0, the band before elsewhere."""

    def __init__(
        self,
        package: IntegerPackage,
        executor: ArrayExecutor,
        smallest: int,
        largest: int,
        *,
        stage: AdaptiveStage = AdaptiveStage.NONE,
        max_error: int = 0,
        tile: int = TILE_BANDS,
    ) -> None:
        """With an error the encoder steps band by band, as the decoder does: both predict from what both know."""
        self.package = package
        self.executor = executor
        self.smallest = smallest
        self.largest = largest
        self.max_error = max_error
        self.tile = 1 if max_error else tile
        self.first_line = DpcmPredictor(smallest, largest, max_error)
        self.coding = band_coding(stage, smallest, largest, max_error)
        self.is_staged = stage is not AdaptiveStage.NONE

    @override
    def encode_line(
        self, line: Line, state: FlightState | None, out_mapped: Line, marks: Marks | None = None
    ) -> FlightState:
        if state is None and not self.is_staged:
            self.first_line.encode_line(line, None, out_mapped, marks)
            return self.start(line, None)
        return self.code_line(line, out_mapped, state, marks, self.tile, self.coding.encode)

    @override
    def decode_line(
        self, mapped: Line, state: FlightState | None, out_line: Line, marks: Marks | None = None
    ) -> FlightState:
        if state is None and not self.is_staged:
            self.first_line.decode_line(mapped, None, out_line, marks)
            return self.start(out_line, None)
        return self.code_line(out_line, mapped, state, marks, 1, self.coding.decode)

    def code_line(
        self, line: Line, mapped: Line, state: FlightState | None, marks: Marks | None, tile: int,
        code_band: Callable[..., None],
    ) -> FlightState:  # fmt: skip
        """Fill `mapped` from `line` or the reverse, by the band coding's `encode` or `decode`; the state after it."""
        n_bands, n_columns = line.shape
        marked = kernel_marks(marks, n_bands)
        stage = self.coding.initial_state(n_bands, n_columns) if state is None else state.stage
        known = np.empty_like(line) if self.max_error else line
        self.coding.begin(stage)
        bands = initial_bands(self.package, n_columns)
        for first in range(0, n_bands, tile):
            rows = slice(first, min(n_bands, first + tile))
            if state is not None:
                doubled, bands = self.predict(rows, known, state, bands)
            for z in range(rows.start, rows.stop):
                own = self.without_cell(z, known) if state is None else doubled[z - first]
                code_band(stage, z, own, line[z], mapped[z], known[z], marked[z])
        self.coding.end(stage)
        if state is None:
            return self.start(known, stage)
        return state._replace(host=next_state(known, state.host))

    def start(self, first_line: Line, stage: StageState | None) -> FlightState:
        """The state after the first line of a segment."""
        return FlightState(first_state(first_line), initial_memory(self.package, *first_line.shape), stage)

    def without_cell(self, z: int, line: Line) -> Line:
        """s-tilde (X,) of band `z` of the first line for the adaptive stage: the band before, or mid-range."""
        if z > 0:
            doubled: Line = 2 * line[z - 1] + 1
            return doubled
        return np.full(line.shape[1], self.smallest + self.largest + 1, np.int32)

    def predict(self, rows: slice, line: Line, state: FlightState, bands: Arrays) -> tuple[Line, Arrays]:
        """s-tilde (B, X) of the bands `rows`, from the bands before them in `line`; the bands before the next."""
        host, shape = state.host.arrays, (rows.stop - rows.start, line.shape[1])
        line_features = np.empty((*shape, LINE_FEATURES), np.int8)
        band_features = np.empty((*shape, BAND_FEATURES), np.int8)
        fill_tile_features(rows.start, line, host, line_features, band_features)
        taps, bands = step_tile(self.executor, rows, line_features, band_features, state.memory, bands)
        doubled = np.empty(shape, np.int32)
        predict_tile(rows.start, line, host, taps, (self.smallest, self.largest), doubled)
        return doubled, bands

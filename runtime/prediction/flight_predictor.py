"""Lines to mapped residuals and back with an int8 cell: contexts of groups of bands, then band after band.

An executor makes the contexts, from the lines before alone, so both sides call it in the same way; all that the current
line shows goes through the spectral part, the filter and the adaptive stage, in integers here (docs/arithmetic.md).
"""

from typing import NamedTuple

import numpy as np
from typing_extensions import override

from runtime.adaptive.state import StageState
from runtime.cell.flight_inputs import LEVELS, LINE_FEATURES, HostState, fill_groups, first_state, next_state
from runtime.cell.flight_package import IntegerPackage
from runtime.cell.spectral_part import SpectralPart, spectral_field, spectral_part
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.cell_executor import initial_memory, step_groups
from runtime.kernels.marks import Marks, kernel_marks
from runtime.prediction.band_coding import band_coding
from runtime.prediction.network_bands import LineCoding, NetworkLine
from runtime.prediction.predictors import Line, Predictor
from runtime.stream.kinds import AdaptiveStage

TILE_COLUMNS = 1000
"""Columns, of one group or of several, of a step of the executor: a tile's arrays stay in the second cache."""


class FlightState(NamedTuple):
    """What both sides know of the segment so far."""

    host: HostState
    memory: Arrays  # Of lines, each (N, X, F) int8 or int16, N groups of bands
    stage: StageState | None  # Of the adaptive stage, where there is one
    part: SpectralPart  # Of the package, made anew for each segment: a guard sees where it changes in memory


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
        tile_columns: int = TILE_COLUMNS,
    ) -> None:
        self.package = package
        self.executor = executor
        self.limits = max_error, smallest, largest
        self.tile_columns = tile_columns
        self.coding = band_coding(stage)

    @override
    def encode_line(
        self, line: Line, state: FlightState | None, out_mapped: Line, marks: Marks | None = None
    ) -> FlightState:
        return self.code_line(line, out_mapped, state, marks, is_decoder=False)

    @override
    def decode_line(
        self, mapped: Line, state: FlightState | None, out_line: Line, marks: Marks | None = None
    ) -> FlightState:
        return self.code_line(out_line, mapped, state, marks, is_decoder=True)

    def code_line(
        self, line: Line, mapped: Line, state: FlightState | None, marks: Marks | None, *, is_decoder: bool
    ) -> FlightState:
        """Fill `mapped` from `line` or the reverse; the state after it."""
        known = np.empty_like(line) if self.limits[0] else line
        coding = LineCoding(line, mapped, known, kernel_marks(marks, len(line)), *self.limits, is_decoder)
        stage = self.coding.initial_state(*line.shape) if state is None else state.stage
        self.coding.begin(stage)
        if state is None:
            self.coding.code_first(stage, coding)
        else:
            self.code_bands(coding, state)
        self.coding.end(stage)
        if state is None:
            return self.start(known, stage)
        return state._replace(host=next_state(known, state.host))

    def start(self, first_line: Line, stage: StageState | None) -> FlightState:
        """The state after the first line of a segment."""
        memory = initial_memory(self.package, *first_line.shape)
        return FlightState(first_state(first_line), memory, stage, spectral_part(self.package.cell))

    def code_bands(self, coding: LineCoding, state: FlightState) -> None:
        """Code all bands of a line but the first of a segment, a tile of groups after the other."""
        n_bands, n_columns = coding.samples.shape
        shape, host = self.package.cell.shape, state.host.arrays
        n_groups, tile = shape.groups(n_bands), max(1, self.tile_columns // n_columns)
        field = spectral_field(self.package.cell, n_columns)
        for first in range(0, n_groups, tile):
            groups = slice(first, min(n_groups, first + tile))
            n = groups.stop - first
            features = np.empty((n, n_columns, shape.group * LINE_FEATURES), np.int8)
            levels = np.empty((n, 1, shape.group * LEVELS), np.int8)
            fill_groups(first, host, features, levels)
            contexts = step_groups(shape, self.executor, groups, features, levels, state.memory)
            network = NetworkLine(first, contexts, state.part, field, host)
            bands = range(first * shape.group, min(n_bands, groups.stop * shape.group))
            self.coding.code(state.stage, bands, network, coding)

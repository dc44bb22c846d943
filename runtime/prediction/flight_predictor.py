"""Lines to mapped residuals and back with an int8 cell: contexts of groups of bands, then band after band.

An executor makes the contexts, from the lines before alone, so both sides call it in the same way; all that the current
line shows goes through the spectral part, the filter and the adaptive stage, in integers here (docs/arithmetic.md).
So an encoder without an error can make the contexts of the next line on a thread while this one codes a line.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from runtime.adaptive.state import StageState
from runtime.cell.flight_inputs import LEVELS, LINE_FEATURES, HostState, fill_groups, first_state, next_state
from runtime.cell.flight_package import IntegerPackage
from runtime.cell.spectral_part import SpectralPart, spectral_field, spectral_part
from runtime.errors import ExecutorFailed
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.line_part import initial_memory, step_groups
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
    memory: Arrays  # Of lines, each (N, X, F) int8 or int16, N groups of bands; with contexts a line further
    stage: StageState | None  # Of the adaptive stage, where there is one
    part: SpectralPart  # Of the package, made anew for each segment: a guard sees where it changes in memory
    contexts: npt.NDArray[np.int8] | ExecutorFailed | None = None
    """Of the next line (N, X, G S), or why there are none, where they were made beside this one."""


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
        thread: ThreadPoolExecutor | None = None,
    ) -> None:
        """thread: where the contexts of the next line are made; None: they are made when that line comes."""
        self.package = package
        self.executor = executor
        self.limits = max_error, smallest, largest
        self.tile_columns = tile_columns
        self.coding = band_coding(stage)
        self.thread = thread if max_error == 0 else None

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
        """Fill `mapped` from `line` or the reverse; the state after it. Raises ExecutorFailed, Corrupt."""
        if state is not None and isinstance(state.contexts, ExecutorFailed):
            raise state.contexts
        known = np.empty_like(line) if self.limits[0] else line
        coding = LineCoding(line, mapped, known, kernel_marks(marks, len(line)), *self.limits, is_decoder)
        stage = self.coding.initial_state(*line.shape) if state is None else state.stage
        ahead: Future[FlightState] | None = None
        if self.thread is not None and not is_decoder:
            ahead = self.thread.submit(self.state_ahead, line, state)
        try:
            self.coding.begin(stage)
            if state is None:
                self.coding.code_first(stage, coding)
            else:
                self.code_bands(coding, state)
            self.coding.end(stage)
        finally:
            if ahead is not None:
                wait([ahead])
        if ahead is not None:
            return ahead.result()._replace(stage=stage)
        if state is None:
            return self.start(known, stage)
        return state._replace(host=next_state(known, state.host))

    def state_ahead(self, line: Line, state: FlightState | None) -> FlightState:
        """The state after a line that is being coded, but for the adaptive stage, and the contexts of the next line."""
        after = self.after(line, state)
        try:
            parts = [self.contexts_of(groups, after) for groups in self.tiles(*line.shape)]
        except ExecutorFailed as error:  # of the next line: this one has all that it needs
            return after._replace(contexts=error)
        return after._replace(contexts=np.concatenate(parts))

    def start(self, first_line: Line, stage: StageState | None) -> FlightState:
        """The state after the first line of a segment."""
        memory = initial_memory(self.package, *first_line.shape)
        return FlightState(first_state(first_line), memory, stage, spectral_part(self.package.cell))

    def after(self, line: Line, state: FlightState | None) -> FlightState:
        """The state after a line, but for the adaptive stage; what the host keeps is another than that of `state`."""
        if state is None:
            return self.start(line, None)
        return state._replace(host=next_state(line, copied(state.host)))

    def tiles(self, n_bands: int, n_columns: int) -> Iterator[slice]:
        """Groups of bands of each step of the executor."""
        n_groups, tile = self.package.cell.shape.groups(n_bands), max(1, self.tile_columns // n_columns)
        return (slice(first, min(n_groups, first + tile)) for first in range(0, n_groups, tile))

    def contexts_of(self, groups: slice, state: FlightState) -> npt.NDArray[np.int8]:
        """The contexts (N, X, G S) of some groups in the line after a state, whose memory is updated in place."""
        shape, host = self.package.cell.shape, state.host.arrays
        n, n_columns = groups.stop - groups.start, state.host.line_1.shape[1]
        features = np.empty((n, n_columns, shape.group * LINE_FEATURES), np.int8)
        levels = np.empty((n, 1, shape.group * LEVELS), np.int8)
        fill_groups(groups.start, host, features, levels)
        return step_groups(shape, self.executor, groups, features, levels, state.memory)

    def code_bands(self, coding: LineCoding, state: FlightState) -> None:
        """Code all bands of a line but the first of a segment, at once or a tile of groups after the other."""
        n_bands, n_columns = coding.samples.shape
        group, field = self.package.cell.shape.group, spectral_field(self.package.cell, n_columns)
        made = None if isinstance(state.contexts, ExecutorFailed) else state.contexts
        for groups in self.tiles(n_bands, n_columns) if made is None else [slice(0, n_bands)]:
            contexts = self.contexts_of(groups, state) if made is None else made
            network = NetworkLine(groups.start, contexts, state.part, field, state.host.arrays)
            bands = range(groups.start * group, min(n_bands, groups.stop * group))
            self.coding.code(state.stage, bands, network, coding)


def copied(host: HostState) -> HostState:
    """What `next_state` may write to while `host` is read; the constants it makes anew."""
    arrays = host.line_1.copy(), host.line_2.copy(), host.slow.copy(), host.sums.copy()
    return HostState(*arrays, host.constants, host.n_lines)

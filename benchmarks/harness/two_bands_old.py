"""The adaptive stage, alone, when a band knows less of the band before it in the same line: a variant for a trial.

The product's kernels run; they find older values where those of the band before lie otherwise.
"""

from types import FunctionType
from typing import Any

import numpy as np
from typing_extensions import override

from runtime.adaptive.band import PRIOR_SAMPLES, Band, code_band
from runtime.adaptive.column_correction import update_column_moments
from runtime.adaptive.products import fade_and_add
from runtime.adaptive.stage import begin_line, end_line
from runtime.adaptive.state import N_LINES, StageState
from runtime.coders.residual_contexts import end_band, fill_known
from runtime.coders.residual_contexts import end_line as end_contexts
from runtime.kernels.kernel_cache import njit
from runtime.kernels.marks import Marks, kernel_marks
from runtime.prediction.adaptive_predictor import AdaptivePredictor
from runtime.prediction.predictors import Line
from runtime.stream.kinds import AdaptiveStage

NOTHING, PRIOR, PREDICTOR = 0, 1, 2
"""What is two bands old: the prior; also sizes of residuals, errors, their trend, and moments of the columns."""


@njit(cache=True)
def code_line(
    parameters: Any, lanes: Any, mixed: Any, what: Any, state: Any, limits: Any, is_decoder: Any, values: Any,
    out_values: Any, marks: Any,
) -> Any:  # fmt: skip
    """Code a line (Z, X) as `runtime.adaptive.stage.code_line` does, with `what` two bands old."""
    error, smallest, largest = limits
    begin_line(state)
    prior, older_prior = state.prior.copy(), state.prior.copy()  # after the last band, and after the one before it
    columns, older_columns = state.column_moments.copy(), state.column_moments.copy()
    own_sizes, own_errors = state.sizes[0].copy(), state.column_errors[0, 0].copy()
    n_columns, n_before = values.shape[1], state.place[N_LINES]
    n_taught = max(n_before, np.int64(1)) * n_columns
    share = PRIOR_SAMPLES / (PRIOR_SAMPLES + np.float64(n_taught))
    for z in range(values.shape[0]):
        below = max(z - 1, 0)
        state.prior[:] = older_prior if what >= PRIOR else prior
        if what >= PREDICTOR and z > 0:
            state.column_moments[:] = older_columns
            own_sizes[:], own_errors[:] = state.sizes[below], state.column_errors[0, below]
            state.sizes[below], state.column_errors[0, below] = 0, 0
            if z > 1:
                state.sizes[below], state.column_errors[0, below] = state.sizes[z - 2], state.column_errors[0, z - 2]
        band = Band(z, values[z], error, smallest, largest, is_decoder, values[z], out_values[z], marks[z])
        if not code_band(parameters, lanes, mixed, state, band):
            return np.int64(z)
        older_prior[:], older_columns[:] = prior, columns
        for memory in range(prior.shape[0]):
            fade_and_add(state.moments[z, memory], share, prior[memory])
        if what >= PREDICTOR:
            if z > 0:
                state.sizes[below], state.column_errors[0, below] = own_sizes, own_errors
            if parameters.has_correction and n_before > 0:
                update_column_moments(state.around, state.column_errors[0, z], columns)
            state.column_moments[:] = columns
    end_line(state)
    return np.int64(-1)


class TwoBandsOld(AdaptivePredictor):
    """The adaptive stage with `what` two bands old."""

    def __init__(self, stage: AdaptiveStage, what: int, max_error: int, smallest: int, largest: int) -> None:
        super().__init__(stage, smallest, largest, max_error)
        self.what = what

    @override
    def code(self, state: StageState, values: Line, out_values: Line, marks: Marks | None, *, is_decoder: bool) -> int:
        parameters, marked = self.parameters, kernel_marks(marks, len(values))
        kind = (parameters, parameters.lanes, parameters.mixed)
        return int(code_line(*kind, self.what, state, self.limits, is_decoder, values, out_values, marked))


@njit()
def fill_known_late(z: Any, line: Any, contexts: Any, out_known: Any) -> None:
    """`fill_known` where the mean of the band before is that of the lines before; in the first line the one below's."""
    if z > 1:
        end_band(z - 2, line[z - 2], contexts)
        if contexts.n_lines[0] == 0:
            contexts.means[z - 1] = contexts.means[z - 2]
    fill_known(z, line, contexts, out_known)


@njit()
def end_band_later(z: Any, row: Any, contexts: Any) -> None:
    """Nothing: `fill_known_late` does it."""


@njit()
def end_line_late(line: Any, contexts: Any) -> None:
    """`end_line` of the contexts, after the last two bands."""
    for z in range(max(line.shape[0] - 2, 0), line.shape[0]):
        end_band(z, line[z], contexts)
    end_contexts(line, contexts)


def with_late_means(kernel: Any) -> Any:
    """A kernel of the range coder with the functions above in place of its own."""
    late = {"fill_known": fill_known_late, "end_band": end_band_later, "end_line": end_line_late}
    function = kernel.py_func
    return njit()(FunctionType(function.__code__, {**function.__globals__, **late}, function.__name__))

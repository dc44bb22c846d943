"""The adaptive stage: a least-squares predictor for each band that learns while it codes, alone or after a network.

    parameters = stage_parameters(AdaptiveStage.BEST, has_network=True)
    kind = parameters, parameters.lanes, parameters.mixed
    state = initial_state(parameters, n_bands, n_columns)      # before the first line of a segment
    for each line:
        begin_line(state)
        for each band z, from 0 on:
            code_band(*kind, state, Band(z, network_doubled, ..., is_decoder, values, out_values, marks))
        end_line(state)

encodes or decodes. The state is handed in and changed in place; nothing else is kept.
"""

from typing import Any

import numpy as np

from runtime.adaptive.band import Band, code_band
from runtime.adaptive.column_correction import begin_correction
from runtime.adaptive.slow_means import add_line, advance, read_means
from runtime.adaptive.state import N_LINES, OFFSET, TILT
from runtime.adaptive.stripe_tilt import follow_stripes
from runtime.kernels.copied import copy_line
from runtime.kernels.kernel_cache import njit


@njit(cache=True)
def begin_line(state: Any) -> None:
    """Prepare the state for the bands of the next line."""
    read_means(state.means, state.place[OFFSET], state.means_now)
    state.prior[:] = 0.0
    begin_correction(state.column_moments, state.trend)
    state.network_error[:] = 0


@njit(cache=True)
def end_line(state: Any) -> None:
    """Take the finished line into the slow means, the stripes' tilt and the lines before."""
    n_before = state.place[N_LINES]
    add_line(state.line, state.place[OFFSET], n_before, state.means)
    state.place[TILT] = follow_stripes(state.line, n_before, state.details, state.near_sums, state.far_sums)
    state.place[OFFSET] = advance(state.means, state.place[OFFSET], state.place[TILT])
    copy_line(state.column_errors[1], state.column_errors[2])
    copy_line(state.column_errors[0], state.column_errors[1])
    copy_line(state.line_before, state.line_before_that)
    copy_line(state.line, state.line_before)
    state.place[N_LINES] = n_before + 1


@njit(cache=True)
def code_line(
    parameters: Any, lanes: Any, mixed: Any, state: Any, limits: Any, is_decoder: Any, values: Any, out_values: Any,
    marks: Any,
) -> Any:  # fmt: skip
    """Code all bands of a line (Z, X), between `begin_line` and `end_line`, of which no network has said anything.

    What a stage with a network takes for its prediction is the band before, in band 0 the middle of the range. limits:
    maximum error, smallest and largest sample. marks: (Z, X) as in Band, or (Z, 0). Returns the first band that leads
    outside the sample range, or -1.
    """
    error, smallest, largest = limits
    n_bands, n_columns = values.shape
    doubled = np.empty(n_columns, np.int32)
    for z in range(n_bands):
        for x in range(n_columns):
            doubled[x] = 2 * state.line[z - 1, x] + 1 if z > 0 else smallest + largest + 1
        band = Band(z, doubled, error, smallest, largest, is_decoder, values[z], out_values[z], marks[z])
        if not code_band(parameters, lanes, mixed, state, band):
            return np.int64(z)
    return np.int64(-1)

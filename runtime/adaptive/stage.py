"""The adaptive stage: a least-squares predictor for each band that learns while it codes, alone or after a network.

    parameters = stage_parameters(AdaptiveStage.BEST, has_network=True)
    state = initial_state(parameters, n_bands, n_columns)      # before the first line of a segment
    for each line:
        begin_line(state)
        for each band z, from 0 on:
            encode_band(parameters, state, samples, z, network_doubled, max_error, sample_range, out_mapped)
        end_line(state)

and the same with `decode_band`. The state is handed in and changed in place; nothing else is kept.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.adaptive.band import Band, code_band
from runtime.adaptive.column_correction import begin_correction
from runtime.adaptive.parameters import StageParameters
from runtime.adaptive.slow_means import add_line, advance, read_means
from runtime.adaptive.state import N_LINES, OFFSET, TILT, StageState
from runtime.adaptive.stripe_tilt import follow_stripes
from runtime.errors import Corrupt
from runtime.kernels.kernel_cache import njit

Row = npt.NDArray[np.int32]
"""(X,), one band of one line."""


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
    state.column_errors[2] = state.column_errors[1]
    state.column_errors[1] = state.column_errors[0]
    state.line_before_that[:] = state.line_before
    state.line_before[:] = state.line
    state.place[N_LINES] = n_before + 1


@njit(cache=True)
def code_line(
    parameters: Any,
    lanes: Any,
    mixed: Any,
    state: Any,
    error: Any,
    smallest: Any,
    largest: Any,
    is_decoder: Any,
    values: Any,
    out_values: Any,
) -> Any:
    """Code all bands of a line (Z, X) without a network; the first band that leads outside the sample range, or -1."""
    begin_line(state)
    for z in range(values.shape[0]):
        band = Band(z, values[z], error, smallest, largest, is_decoder, values[z], out_values[z])
        if not code_band(parameters, lanes, mixed, state, band):
            return np.int64(z)
    end_line(state)
    return np.int64(-1)


def encode_band(
    parameters: StageParameters,
    state: StageState,
    samples: Row,
    z: int,
    network_doubled: Row | None,
    max_error: int,
    sample_range: tuple[int, int],
    out_mapped: Row,
) -> None:
    """Fill the mapped residuals (X,) of `samples`, band `z` of the line; bands come in order.

    network_doubled: (X,) s-tilde of the network for this band, given exactly where parameters.has_network is 1.
    max_error: m of every sample; state.line gets what both sides know of them. sample_range: smallest and largest
    sample, both included.
    """
    network = samples if network_doubled is None else network_doubled
    assert (network_doubled is not None) == bool(parameters.has_network)
    band = Band(z, network, max_error, *sample_range, False, samples, out_mapped)
    code_band(parameters, parameters.lanes, parameters.mixed, state, band)


def decode_band(
    parameters: StageParameters,
    state: StageState,
    mapped: Row,
    z: int,
    network_doubled: Row | None,
    max_error: int,
    sample_range: tuple[int, int],
    out_samples: Row,
) -> None:
    """Fill the samples (X,) whose mapped residuals these are; arguments as in `encode_band`.

    Raises Corrupt where a residual leads outside the sample range; the state is of no use then.
    """
    network = mapped if network_doubled is None else network_doubled
    assert (network_doubled is not None) == bool(parameters.has_network)
    band = Band(z, network, max_error, *sample_range, True, mapped, out_samples)
    if not code_band(parameters, parameters.lanes, parameters.mixed, state, band):
        raise Corrupt(f"a decoded residual in band {z} leads outside the sample range")

"""The predicted change of a sample: weights from what was learned, their sums, and the mean of three of them."""

from typing import Any

import numpy as np
from numba import njit

from runtime.adaptive_parameters import N_SEQUENTIAL
from runtime.least_squares import back_substitute, eliminate

LARGEST_CHANGE = float(1 << 18)  # beyond every difference of samples; keeps the conversion to integers defined
SMALLEST_CHANGE = 1.0 / (1 << 20)


@njit(cache=True, inline="always")
def bounded(change: Any) -> Any:
    """A predicted change within limits; 0 for what is not a number or nearly nothing."""
    if abs(change) >= SMALLEST_CHANGE:
        return min(max(change, -LARGEST_CHANGE), LARGEST_CHANGE)
    return 0.0


@njit(cache=True)
def solve(parameters: Any, lanes: Any, moments: Any, prior: Any, prior_share: Any, out_weights: Any) -> None:
    """Fill the weights (K, N) of each prediction from moments and prior (memories, N * M)."""
    n_memories, n_regressors = moments.shape[0], out_weights.shape[1]
    system = np.empty(moments.shape[1], np.float64)
    inverse, right = np.empty(n_regressors, np.float64), np.empty(n_regressors, np.float64)
    for memory in range(n_memories):
        eliminate(moments[memory], prior[memory], prior_share, n_regressors, lanes, system, inverse)
        back_substitute(system, inverse, n_regressors, n_regressors, lanes, right, out_weights[memory])
    if out_weights.shape[0] > n_memories:
        back_substitute(system, inverse, parameters.n_first, n_regressors, lanes, right, out_weights[n_memories])


@njit(cache=True)
def predict_rows(rows: Any, weights: Any, start: Any, stop: Any, out_partial: Any) -> None:
    """Fill columns start..stop - 1 of `out_partial` (K, X) float32: weighted sums of rows N_SEQUENTIAL.. (N, X).

    In pairs of rows.
    """
    n_regressors = rows.shape[0]
    for k in range(weights.shape[0]):
        sums = out_partial[k, start:stop]
        sums[:] = np.float32(0)
        for j in range(N_SEQUENTIAL, n_regressors, 2):
            weight, row = np.float32(weights[k, j]), rows[j, start:stop]
            if j + 1 < n_regressors:
                other_weight, other = np.float32(weights[k, j + 1]), rows[j + 1, start:stop]
                for x in range(sums.size):
                    sums[x] += weight * row[x] + other_weight * other[x]
            else:
                for x in range(sums.size):
                    sums[x] += weight * row[x]


@njit(cache=True, inline="always")
def mix(changes: Any, errors: Any, recent: Any, x: Any) -> Any:
    """The mean of three changes, each weighted by the inverse fourth power of its expected squared error.

    errors: (3, X), of the lines before. recent: (3,), of the samples west.
    """
    error_0, error_1, error_2 = recent[0] + errors[0, x], recent[1] + errors[1, x], recent[2] + errors[2, x]
    share_0, share_1, share_2 = error_1 * error_2, error_0 * error_2, error_0 * error_1
    share_0, share_1, share_2 = share_0 * share_0, share_1 * share_1, share_2 * share_2
    share_0, share_1, share_2 = share_0 * share_0, share_1 * share_1, share_2 * share_2
    above = (share_0 * changes[0] + share_1 * changes[1]) + share_2 * changes[2]
    return bounded(above / ((share_0 + share_1) + share_2))

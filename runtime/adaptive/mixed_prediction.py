"""The predicted change of a sample: weights from what was learned, their sums, and the mean of three of them."""

from typing import Any

import numpy as np

from runtime.adaptive.least_squares import back_substitute, eliminate
from runtime.adaptive.parameters import N_SEQUENTIAL
from runtime.kernels.kernel_cache import njit
from runtime.kernels.lanes import LANES, load, spread, spread_at, store
from runtime.kernels.no_refcount import no_refcount

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
    """Fill the weights (K, N) of each prediction from moments and prior (memories, packed)."""
    n_memories, n_regressors = moments.shape[0], out_weights.shape[1]
    system = np.empty(moments.shape[1], np.float64)
    inverse, right = np.empty(n_regressors, np.float64), np.empty(n_regressors, np.float64)
    for memory in range(n_memories):
        eliminate(moments[memory], prior[memory], prior_share, n_regressors, lanes, system, inverse)
        back_substitute(system, inverse, n_regressors, n_regressors, lanes, right, out_weights[memory])
    if out_weights.shape[0] > n_memories:
        back_substitute(system, inverse, parameters.n_first, n_regressors, lanes, right, out_weights[n_memories])


@no_refcount
def predict_rows(rows: Any, weights: Any, start: Any, stop: Any, singles: Any, out_partial: Any) -> None:
    """Fill columns start..stop - 1 of `out_partial` (K, S) float32, and a few after them: weighted sums of rows (M, S).

    Of rows N_SEQUENTIAL..N - 1, an even number, in pairs. weights: (K, N) float64. singles:
    (N,) float32, work space. S: at least LANES - 1 more than stop.
    """
    n_mixed, n_regressors = weights.shape
    stride, flat, flat_partial = rows.shape[1], rows.reshape(-1), out_partial.reshape(-1)
    for k in range(n_mixed):
        for j in range(n_regressors):
            singles[j] = np.float32(weights[k, j])
        for x in range(start, stop, LANES):
            sums = spread(np.float32(0))
            for j in range(N_SEQUENTIAL, n_regressors, 2):
                at = j * stride + x
                sums = sums + (
                    spread_at(singles, j) * load(flat, at) + spread_at(singles, j + 1) * load(flat, at + stride)
                )
            store(flat_partial, k * stride + x, sums)


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

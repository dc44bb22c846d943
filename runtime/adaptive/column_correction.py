"""A correction for each column: what errors around a sample say of its own, learned over the bands before in the line.

What the least squares of a band leave over has a pattern that differs from column to column and is the same in all
bands: where an image was resampled, the weights of neighbours follow the fraction of a pixel. So each column has
weighted sums over the bands before, those of its two neighbours count too, and ridged least squares of them weigh the
errors around the sample. Errors are in units of the mean error of their band. Float32, + - * / in the order written.
"""

from typing import Any

import numpy as np

from runtime.kernels.kernel_cache import njit
from runtime.kernels.lanes import LANES, load, store
from runtime.kernels.no_refcount import no_refcount
from runtime.kernels.unrolled import unrolled

WEST_ERROR, WEST, NETWORK = 0, 1, 2
"""Rows that need samples or predictions of the same band: error west, sample west, network's prediction, less ours."""
NORTH, NORTH_WEST, NORTH_EAST, NORTH_OF_NORTH, BAND_BEFORE, TREND = 3, 4, 5, 6, 7, 8
N_AROUND = 9
N_MOMENTS = N_AROUND * (N_AROUND + 1) // 2 + N_AROUND  # Upper triangle by rows, ended by the product with the target
LARGEST_AROUND = 8.0
LARGEST_TARGET = np.float32(4)
RIDGE = np.float32(60)
FADING = np.float32(0.98)
KEPT = np.float32(0.125)  # Of the sums, from one line to the next
TREND_FADING, TREND_SHARE = np.float32(0.8), np.float32(0.2)
SMALLEST_MOMENT = np.float32(2.0**-40)
LONGEST_SCALE = 8  # lines
SCALE_FLOOR = 0.25


@njit(cache=True, inline="always")
def normalised(value: Any, inverse: Any) -> Any:
    """`value` in units of the mean error, within limits, float32."""
    return np.float32(min(max(value * inverse, -LARGEST_AROUND), LARGEST_AROUND))


@no_refcount
def begin_correction(moments: Any, trend: Any) -> None:
    """Before the first band of a line: most of what was learned fades. moments: as in the state, trend: (X,)."""
    for p in range(moments.shape[0]):
        row = moments[p]
        for x in range(row.size):
            row[x] = row[x] * KEPT
    trend[:] = np.float32(0)


@no_refcount
def fill_around(z: Any, now: Any, before: Any, before_that: Any, trend: Any, out_around: Any) -> None:
    """Fill rows NORTH.. of `out_around`, the others with 0, and move `trend` (X,) by the band before.

    now, before, before_that: (Z, X) float32, normalised errors of this line and of the two before it.
    """
    north, north_of_north, below = before[z], before_that[z], now[max(z - 1, 0)]
    last = trend.size - 1
    for x in range(trend.size):
        out_around[WEST_ERROR, x] = out_around[WEST, x] = out_around[NETWORK, x] = np.float32(0)
        out_around[NORTH, x] = north[x]
        out_around[NORTH_WEST, x] = north[max(x - 1, 0)]
        out_around[NORTH_EAST, x] = north[min(x + 1, last)]
        out_around[NORTH_OF_NORTH, x] = north_of_north[x]
        out_around[BAND_BEFORE, x] = below[x] if z > 0 else np.float32(0)
        if z > 0:
            trend[x] = TREND_FADING * trend[x] + TREND_SHARE * below[x]
        out_around[TREND, x] = trend[x]


def solution(moments: list[Any]) -> list[Any]:
    """Weights from ridged moments, of lanes of columns: elimination without exchange of rows, then substitution.

    The ridge is far above the rounding of sums of at most 64 * 50 * 3, so no pivot comes near 0.
    """
    entries = iter(moments)
    rows = [[None] * i + [next(entries) for _ in range(i, N_AROUND + 1)] for i in range(N_AROUND)]
    inverse, weights = [None] * N_AROUND, [None] * N_AROUND
    for k, above in enumerate(rows):
        inverse[k] = np.float32(1) / (above[k] + RIDGE)
        for i in range(k + 1, N_AROUND):
            factor = above[i] * inverse[k]
            rows[i][i:] = [below - factor * other for below, other in zip(rows[i][i:], above[i:], strict=True)]
    for k in range(N_AROUND - 1, -1, -1):
        right = rows[k][N_AROUND]
        for j in range(k + 1, N_AROUND):
            right = right - rows[k][j] * weights[j]
        weights[k] = right * inverse[k]
    return weights


solve_columns = unrolled(solution, N_MOMENTS)


@njit(cache=True)
def fill_column_weights(n_columns: Any, moments: Any, out_weights: Any) -> None:
    """Fill the weights that the moments of each column and of its two neighbours give; arrays as in the state."""
    sums, flat, flat_weights = np.empty(N_MOMENTS * LANES, np.float32), moments.reshape(-1), out_weights.reshape(-1)
    stride = moments.shape[1]
    for p in range(N_MOMENTS):
        moments[p, 0], moments[p, n_columns + 1] = moments[p, 1], moments[p, n_columns]
    for first in range(0, n_columns, LANES):
        for p in range(N_MOMENTS):
            x = p * stride + first
            store(sums, p * LANES, (load(flat, x) + load(flat, x + 1)) + load(flat, x + 2))
        solve_columns(sums, 0, LANES, flat_weights, first, out_weights.shape[1])


@njit(cache=True)
def begin_band(
    z: Any, moments: Any, errors: Any, trend: Any, out_around: Any, out_weights: Any, out_known_part: Any
) -> None:
    """Fill what is known before band `z` is coded: rows of `out_around`, the weights, and their sum of products (X,).

    errors: (3, Z, X), of `fill_around`. The other arguments are those of the functions above.
    """
    fill_around(z, errors[0], errors[1], errors[2], trend, out_around)
    fill_column_weights(trend.size, moments, out_weights)
    out_known_part[:] = np.float32(0)
    for k in range(NORTH, N_AROUND):
        row, own = out_around[k], out_weights[k]
        for x in range(out_known_part.size):
            out_known_part[x] += own[x] * row[x]


@njit(cache=True, inline="always")
def correction(x: Any, known_part: Any, weights: Any, around: Any) -> Any:
    """What column `x` adds to the prediction, in units of the mean error, float64."""
    near = weights[WEST_ERROR, x] * around[WEST_ERROR, x] + weights[WEST, x] * around[WEST, x]
    return np.float64(known_part[x] + (near + weights[NETWORK, x] * around[NETWORK, x]))


@no_refcount
def update_column_moments(around: Any, errors: Any, moments: Any) -> None:
    """Fade the moments and add the products of a band. errors: (X,), its normalised errors."""
    p = 0
    for i in range(N_AROUND):
        row = around[i]
        for j in range(i, N_AROUND + 1):
            sums = moments[p, 1 : errors.size + 1]
            if j < N_AROUND:
                other = around[j]
                for x in range(errors.size):
                    value = FADING * sums[x] + row[x] * other[x]
                    sums[x] = value if abs(value) >= SMALLEST_MOMENT else np.float32(0)
            else:
                for x in range(errors.size):
                    value = FADING * sums[x] + row[x] * min(max(errors[x], -LARGEST_TARGET), LARGEST_TARGET)
                    sums[x] = value if abs(value) >= SMALLEST_MOMENT else np.float32(0)
            p += 1


@njit(cache=True)
def next_scale(scale: Any, total: Any, n_columns: Any, n_before: Any) -> Any:
    """The mean error of a band after a line whose errors sum to `total`; n_before: lines before that one."""
    return scale + ((total / n_columns + SCALE_FLOOR) - scale) / min(n_before + 1, LONGEST_SCALE)

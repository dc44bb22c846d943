"""A correction for each column: what errors around a sample say of its own, learned over the bands before in the line.

What the least squares of a band leave over has a pattern that differs from column to column and is the same in all
bands: where an image was resampled, the weights of neighbours follow the fraction of a pixel. So each column has
weighted sums over the bands before, those of its two neighbours count too, and ridged least squares of them weigh the
errors around the sample. Errors are in units of the mean error of their band. Float32, + - * / in the order written.
"""

from typing import Any

import numpy as np
from numba import njit

WEST_ERROR, WEST, NETWORK = 0, 1, 2
"""Rows that need samples or predictions of the same band: error west, sample west, network's prediction, less ours."""
NORTH, NORTH_WEST, NORTH_EAST, NORTH_OF_NORTH, BAND_BEFORE, TREND = 3, 4, 5, 6, 7, 8
N_AROUND = 9
N_MOMENTS = N_AROUND * (N_AROUND + 1) // 2 + N_AROUND
"""Upper triangle by rows, the product with the target ending each row."""
LARGEST_AROUND = 8.0
LARGEST_TARGET = np.float32(4)
RIDGE = np.float32(60)
FADING = np.float32(0.98)
KEPT = np.float32(0.125)
"""Of the sums, from one line to the next."""
TREND_FADING, TREND_SHARE = np.float32(0.8), np.float32(0.2)
SMALLEST_MOMENT = np.float32(2.0**-40)
CHUNK = 128  # columns whose sums stay in the first cache
LONGEST_SCALE = 8  # lines
SCALE_FLOOR = 0.25


@njit(cache=True, inline="always")
def normalised(value: Any, inverse: Any) -> Any:
    """`value` in units of the mean error, within limits, float32."""
    return np.float32(min(max(value * inverse, -LARGEST_AROUND), LARGEST_AROUND))


@njit(cache=True)
def begin_correction(moments: Any, trend: Any) -> None:
    """Before the first band of a line: most of what was learned fades. moments: (N_MOMENTS, X), trend: (X,)."""
    for p in range(moments.shape[0]):
        row = moments[p]
        for x in range(row.size):
            row[x] = row[x] * KEPT
    trend[:] = np.float32(0)


@njit(cache=True)
def fill_around(z: Any, now: Any, before: Any, before_that: Any, trend: Any, out_around: Any) -> None:
    """Fill rows NORTH.. of `out_around` (N_AROUND, X), the others with 0, and move `trend` (X,) by the band before.

    now, before, before_that: (Z, X) float32, normalised errors of this line and of the two before it.
    """
    n_columns = trend.size
    north = before[z]
    out_around[:NORTH] = np.float32(0)
    out_around[NORTH] = north
    out_around[NORTH_WEST, 0] = north[0]
    out_around[NORTH_WEST, 1:] = north[: n_columns - 1]
    out_around[NORTH_EAST, : n_columns - 1] = north[1:]
    out_around[NORTH_EAST, n_columns - 1] = north[n_columns - 1]
    out_around[NORTH_OF_NORTH] = before_that[z]
    if z > 0:
        below = now[z - 1]
        for x in range(n_columns):
            trend[x] = TREND_FADING * trend[x] + TREND_SHARE * below[x]
        out_around[BAND_BEFORE] = below
    else:
        out_around[BAND_BEFORE] = np.float32(0)
    out_around[TREND] = trend


@njit(cache=True)
def widen(moments: Any, first: Any, n_columns: Any, out_sums: Any) -> None:
    """Fill `out_sums` (N_MOMENTS, CHUNK) with the moments of columns from `first` on plus those of both neighbours."""
    last = moments.shape[1] - 1
    for p in range(N_MOMENTS):
        row, sums = moments[p], out_sums[p]
        inner = row[first : first + n_columns]
        for i in range(1, n_columns - 1):
            sums[i] = (inner[i - 1] + inner[i]) + inner[i + 1]
        for i in (0, n_columns - 1):
            x = first + i
            sums[i] = (row[max(x - 1, 0)] + row[x]) + row[min(x + 1, last)]


@njit(cache=True)
def eliminate_columns(n_columns: Any, sums: Any) -> None:
    """Bring the ridged system of each column to triangular form in place; the diagonal gets one over each pivot.

    sums: (N_MOMENTS, CHUNK). The ridge is far above the rounding of sums of at most 64 * 50 * 3, so no pivot comes
    near 0.
    """
    factor = np.empty(CHUNK, np.float32)
    top = 0
    for k in range(N_AROUND):
        pivot = sums[top]
        for x in range(n_columns):
            pivot[x] = np.float32(1) / (pivot[x] + RIDGE)
        row = top + N_AROUND + 1 - k
        for i in range(k + 1, N_AROUND):
            entry = sums[top + i - k]
            for x in range(n_columns):
                factor[x] = entry[x] * pivot[x]
            for j in range(i, N_AROUND + 1):
                below, above = sums[row + j - i], sums[top + j - k]
                for x in range(n_columns):
                    below[x] -= factor[x] * above[x]
            row += N_AROUND + 1 - i
        top += N_AROUND + 1 - k


@njit(cache=True)
def substitute_columns(first: Any, n_columns: Any, sums: Any, out_weights: Any) -> None:
    """Fill columns of the weights (N_AROUND, X), from `first` on, with the solution of the triangular systems."""
    row = N_MOMENTS
    for k in range(N_AROUND - 1, -1, -1):
        row -= N_AROUND + 1 - k
        own, target, inverse = out_weights[k, first : first + n_columns], sums[row + N_AROUND - k], sums[row]
        for x in range(n_columns):
            own[x] = target[x]
        for j in range(k + 1, N_AROUND):
            entry, other = sums[row + j - k], out_weights[j, first : first + n_columns]
            for x in range(n_columns):
                own[x] -= entry[x] * other[x]
        for x in range(n_columns):
            own[x] *= inverse[x]


@njit(cache=True)
def fill_column_weights(moments: Any, out_weights: Any) -> None:
    """Fill the weights (N_AROUND, X) that the moments (N_MOMENTS, X) give."""
    sums = np.empty((N_MOMENTS, CHUNK), np.float32)
    for first in range(0, moments.shape[1], CHUNK):
        n_columns = min(CHUNK, moments.shape[1] - first)
        widen(moments, first, n_columns, sums)
        eliminate_columns(n_columns, sums)
        substitute_columns(first, n_columns, sums, out_weights)


@njit(cache=True)
def begin_band(
    z: Any, moments: Any, errors: Any, trend: Any, out_around: Any, out_weights: Any, out_known_part: Any
) -> None:
    """Fill what is known before band `z` is coded: rows of `out_around`, the weights, and their sum of products (X,).

    errors: (3, Z, X), of `fill_around`. The other arguments are those of the functions above.
    """
    fill_around(z, errors[0], errors[1], errors[2], trend, out_around)
    fill_column_weights(moments, out_weights)
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


@njit(cache=True)
def teach_columns(around: Any, errors: Any, moments: Any) -> None:
    """Fade the moments (N_MOMENTS, X) and add the products of a band. errors: (X,), its normalised errors."""
    p = 0
    for i in range(N_AROUND):
        row = around[i]
        for j in range(i, N_AROUND + 1):
            sums = moments[p]
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

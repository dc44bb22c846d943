"""How far stripes move from line to line, found from the lines themselves.

The stripes of a pushbroom imager stand upright in raw images and askew in images laid on a map. What neither
neighbouring bands nor neighbouring columns share is mostly stripe; its correlation with that of 4 and 16 lines before
has a peak where the stripes have gone. All numbers are integers, and every sum fits 64 bits.
"""

from typing import Any

import numpy as np

from runtime.adaptive.slow_means import TILT_UNITS
from runtime.kernels.copied import copy_line
from runtime.kernels.kernel_cache import njit

BAND_STEP = 4  # one band in four is looked at
NEAR_LAG, NEAR_REACH = 4, 2  # lines, and columns to either side
FAR_LAG, FAR_REACH = 16, 8
LARGEST_DETAIL = 255
FORGETTING_SHIFT = 5  # the correlations of 32 lines count


def n_details(n_bands: int) -> int:
    """How many of the bands 1, 1 + BAND_STEP, ... have a band on either side."""
    return max(0, (n_bands - 3) // BAND_STEP + 1)


@njit(cache=True)
def fill_detail(line: Any, out_detail: Any) -> None:
    """Fill the detail (S, X) int32 of some bands of `line` (Z, X): second differences over bands and columns.

    Band i of the detail is band BAND_STEP * i + 1 of the line; |detail| <= LARGEST_DETAIL; 0 in the outer columns.
    """
    n_columns = line.shape[1]
    out_detail[:] = 0
    for i in range(out_detail.shape[0]):
        z = BAND_STEP * i + 1
        below, own, above = line[z - 1], line[z], line[z + 1]
        for x in range(1, n_columns - 1):
            west = 2 * np.int64(own[x - 1]) - np.int64(below[x - 1]) - np.int64(above[x - 1])
            here = 2 * np.int64(own[x]) - np.int64(below[x]) - np.int64(above[x])
            east = 2 * np.int64(own[x + 1]) - np.int64(below[x + 1]) - np.int64(above[x + 1])
            detail = 2 * here - west - east
            out_detail[i, x] = min(max(detail, -LARGEST_DETAIL), LARGEST_DETAIL)


@njit(cache=True)
def correlate(now: Any, before: Any, reach: Any, sums: Any) -> None:
    """Forget a little of `sums` (2 * reach + 2,) int64, and add products of each column with `before` dx to its right.

    now, before: (S, X) int32. Entry reach + dx belongs to the shift dx; the last one is the energy of `now`.
    """
    n_columns = now.shape[1]
    for k in range(2 * reach + 1):
        shift = k - reach
        total = np.int64(0)
        first, last = max(0, -shift), min(n_columns, n_columns - shift)
        for i in range(now.shape[0]):
            for x in range(first, last):
                total += np.int64(now[i, x]) * np.int64(before[i, x + shift])
        sums[k] += total - (sums[k] >> FORGETTING_SHIFT)
    energy = np.int64(0)
    for i in range(now.shape[0]):
        for x in range(n_columns):
            energy += np.int64(now[i, x]) * np.int64(now[i, x])
    sums[2 * reach + 1] += energy - (sums[2 * reach + 1] >> FORGETTING_SHIFT)


@njit(cache=True)
def peak_tilt(sums: Any, reach: Any, lag: Any) -> Any:
    """The tilt in 1 / TILT_UNITS of a column a line that the peak of `sums` shows; 0 where upright stripes do as well.

    A peak counts when it has a third of the energy and a quarter more than no shift; a parabola through it and its
    neighbours places it between columns.
    """
    best = reach
    for k in range(1, 2 * reach):
        if sums[k] > sums[best]:
            best = k
    peak = sums[best]
    if best == reach or peak * 3 <= sums[2 * reach + 1] or peak * 4 <= sums[reach] * 5:
        return np.int64(0)
    left, right = peak - sums[best - 1], peak - sums[best + 1]
    curvature = max(2 * (left + right), np.int64(1))
    beside = min(max(((left - right) * TILT_UNITS) // curvature, -TILT_UNITS), TILT_UNITS)
    return ((best - reach) * TILT_UNITS + beside) // lag


@njit(cache=True)
def follow_stripes(line: Any, n_before: Any, details: Any, near_sums: Any, far_sums: Any) -> Any:
    """The tilt after `line` (Z, X), line `n_before` of the segment; the other arrays are changed in place."""
    detail = np.zeros(details.shape[1:], np.int32)
    fill_detail(line, detail)
    if n_before >= NEAR_LAG:
        correlate(detail, details[(n_before - NEAR_LAG) % FAR_LAG], NEAR_REACH, near_sums)
    if n_before >= FAR_LAG:
        correlate(detail, details[n_before % FAR_LAG], FAR_REACH, far_sums)
    copy_line(detail, details[n_before % FAR_LAG])
    if n_before >= FAR_LAG:
        return peak_tilt(far_sums, FAR_REACH, FAR_LAG)
    return peak_tilt(near_sums, NEAR_REACH, NEAR_LAG)

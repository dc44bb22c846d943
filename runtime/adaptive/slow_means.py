"""Slow means over lines of each band and column: what a detector element shows whatever lies below it.

In an image that was laid on a map, the trace of a detector element runs askew: it moves by `tilt` columns from line to
line. The means are kept per detector element and read and written between columns, by cubic convolution (Keys 1981,
a = -1/2) whose weights are the same along a line.
"""

from typing import Any

import numpy as np

from runtime.kernels.copied import copy_line
from runtime.kernels.kernel_cache import njit

UNIT_BITS = 10
UNITS = 1 << UNIT_BITS  # of a mean, in one sample unit
TILT_UNITS = 1 << 8  # of an offset, in one column: cubes of it are exact in float64
LONGEST_MEMORY = 16  # lines


@njit(cache=True)
def cubic_weights(f: Any) -> Any:
    """The weights of the columns -1, 0, 1, 2 for a place `f` (0..1) right of column 0."""
    w_0 = 0.5 * (f * (2.0 * (f * f) - f * (f * f) - f))
    w_1 = 0.5 * (3.0 * (f * (f * f)) - 5.0 * (f * f) + 2.0)
    w_2 = 0.5 * (4.0 * (f * f) - 3.0 * (f * (f * f)) + f)
    return w_0, w_1, w_2, 0.5 * (f * (f * f) - f * f)


@njit(cache=True)
def read_means(means: Any, offset: Any, out_now: Any) -> None:
    """Fill the means (Z, X) that lie below the columns of the next line.

    means: (Z, X) int32, of detector elements, in 1 / UNITS of a sample. offset: 0..TILT_UNITS - 1, how far right of the
    element of the same index a column lies. out_now: (Z, X) int32.
    """
    n_columns = means.shape[1]
    if offset == 0:
        copy_line(means, out_now)
        return
    w_0, w_1, w_2, w_3 = cubic_weights(np.float64(offset) / TILT_UNITS)
    padded = np.empty(n_columns + 3, np.float64)
    for z in range(means.shape[0]):
        padded[0] = np.float64(means[z, 0])
        for x in range(n_columns):
            padded[x + 1] = np.float64(means[z, x])
        padded[n_columns + 1] = padded[n_columns + 2] = padded[n_columns]
        for x in range(n_columns):
            value = (w_0 * padded[x] + w_1 * padded[x + 1]) + (w_2 * padded[x + 2] + w_3 * padded[x + 3])
            out_now[z, x] = np.int32(value)  # |value| < 2**28: samples have 17 bits, the weights' sum of sizes is 1.25


@njit(cache=True)
def add_line(line: Any, offset: Any, n_before: Any, means: Any) -> None:
    """Move each mean (Z, X) towards the sample at its place in `line` (Z, X), by 1 / (lines so far, at most 16).

    The other arguments are as in `read_means`; `means` is changed in place.
    """
    n_columns = line.shape[1]
    share = 1.0 / min(n_before + 1, LONGEST_MEMORY)
    w_0, w_1, w_2, w_3 = cubic_weights(1.0 - np.float64(offset) / TILT_UNITS)
    w_0, w_1, w_2, w_3 = UNITS * w_0, UNITS * w_1, UNITS * w_2, UNITS * w_3
    padded = np.empty(n_columns + 3, np.float64)
    for z in range(line.shape[0]):
        padded[0] = padded[1] = np.float64(line[z, 0])
        for x in range(n_columns):
            padded[x + 2] = np.float64(line[z, x])
        padded[n_columns + 2] = padded[n_columns + 1]
        for x in range(n_columns):
            value = (w_0 * padded[x] + w_1 * padded[x + 1]) + (w_2 * padded[x + 2] + w_3 * padded[x + 3])
            mean = np.float64(means[z, x])
            means[z, x] = np.int32(mean + (value - mean) * share)


@njit(cache=True)
def advance(means: Any, offset: Any, tilt: Any) -> Any:
    """The offset of the next line, `tilt` further (both in 1 / TILT_UNITS of a column).

    The means move by whole columns in place; elements that come into view at an edge begin with the mean of the last.
    """
    n_columns = means.shape[1]
    offset += tilt
    while offset >= TILT_UNITS:
        offset -= TILT_UNITS
        for z in range(means.shape[0]):
            for x in range(n_columns - 1):
                means[z, x] = means[z, x + 1]
    while offset < 0:
        offset += TILT_UNITS
        for z in range(means.shape[0]):
            for x in range(n_columns - 1, 0, -1):
                means[z, x] = means[z, x - 1]
    return offset

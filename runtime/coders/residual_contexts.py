"""How large a mapped residual is expected to be, from those around it: the context that it is coded in.

The expectation, in 1/16, is a weighted mean of the residuals west, north and in the bands before, which are brought to
this band's level, and of the band's mean over the lines before. Integers only; contexts are eighths of octaves.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.kernels.copied import copy_line
from runtime.kernels.kernel_cache import njit
from runtime.kernels.log2 import log2_eighths

WEST, WEST_OF_WEST, NORTH, BESIDE_NORTH, OWN_MEAN, BAND_BEFORE, SECOND_BEFORE = 6, 3, 6, 3, 32, 8, 3
"""Weights in 1/64; north-west and north-east have BESIDE_NORTH each."""
FIRST_MEAN = 64  # In 1/16: of band 0 in the first line
LONGEST_MEAN = 16  # lines
LARGEST_LEVEL = 16 << 8
N_CONTEXTS = 8 * 22


class ContextState(NamedTuple):
    """What both sides know of a segment; the arrays are changed in place."""

    before: npt.NDArray[np.int32]  # (Z, X), mapped residuals of the line before
    means: npt.NDArray[np.int64]  # (Z,), of each band, fading, in 1/16
    n_lines: npt.NDArray[np.int64]  # (1,), so far


def initial_contexts(n_bands: int, n_columns: int) -> ContextState:
    """Before the first line of a segment."""
    return ContextState(np.zeros((n_bands, n_columns), np.int32), np.zeros(n_bands, np.int64), np.zeros(1, np.int64))


@njit(cache=True)
def level(z: Any, before: Any, means: Any) -> Any:
    """Mean of band `z` by that of band `before`, in 1/256."""
    return min(((means[z] + 16) << 8) // (means[before] + 16), LARGEST_LEVEL)


@njit(cache=True)
def fill_known(z: Any, line: Any, state: Any, out_known: Any) -> None:
    """Fill the part of 64 times the expectation (X,) that does not need residuals west in the same band.

    line: (Z, X), mapped residuals of this line, rows 0..z-1 known. In the first line of a segment the mean of the band
    before stands for what is not known yet.
    """
    n_columns = out_known.size
    is_first = state.n_lines[0] == 0
    if is_first:
        state.means[z] = state.means[z - 1] if z > 0 else FIRST_MEAN
    own = state.means[z]
    if is_first:
        out_known[:] = (OWN_MEAN + NORTH + 2 * BESIDE_NORTH) * own
    else:
        north = state.before[z]
        for x in range(n_columns):
            beside = np.int64(north[max(x - 1, 0)]) + np.int64(north[min(x + 1, n_columns - 1)])
            out_known[x] = OWN_MEAN * own + 16 * (NORTH * np.int64(north[x]) + BESIDE_NORTH * beside)
    if z > 0:
        below, ratio = line[z - 1], level(z, z - 1, state.means)
        for x in range(n_columns):
            beside = np.int64(below[max(x - 1, 0)]) + np.int64(below[min(x + 1, n_columns - 1)])
            out_known[x] += (BAND_BEFORE * 4 * (2 * np.int64(below[x]) + beside) * ratio) >> 8
    else:
        for x in range(n_columns):
            out_known[x] += BAND_BEFORE * own
    if z > 1:
        below, ratio = line[z - 2], level(z, z - 2, state.means)
        for x in range(n_columns):
            out_known[x] += (SECOND_BEFORE * 16 * np.int64(below[x]) * ratio) >> 8
    else:
        for x in range(n_columns):
            out_known[x] += SECOND_BEFORE * own


@njit(cache=True, inline="always")
def expected_size(x: Any, known: Any, row: Any) -> Any:
    """What column `x` is expected to be, in 1/16. row: (X,), this band, west known."""
    west = 16 * np.int64(row[x - 1]) if x > 0 else known[0] >> 6
    west_of_west = 16 * np.int64(row[x - 2]) if x > 1 else west
    return (known[x] + WEST * west + WEST_OF_WEST * west_of_west) >> 6


@njit(cache=True, inline="always")
def context(expected: Any) -> Any:
    """The context of an expected size: eighths of its octaves."""
    return log2_eighths(min(expected + 8, (1 << 22) - 1))


@njit(cache=True)
def end_band(z: Any, row: Any, state: Any) -> None:
    """Take the finished band (X,) into its mean; the row itself is taken by `end_line`."""
    total = np.int64(0)
    for x in range(row.size):
        total += np.int64(row[x])
    mean = 16 * total // row.size
    n_lines = state.n_lines[0] + 1
    state.means[z] = mean if n_lines == 1 else state.means[z] + (mean - state.means[z]) // min(n_lines, LONGEST_MEAN)


@njit(cache=True)
def end_line(line: Any, state: Any) -> None:
    """Take the finished line (Z, X)."""
    copy_line(line, state.before)
    state.n_lines[0] += 1

"""What the flight cell's host side knows of each band: causal sums over lines, and the integers made of them.

All of it is computed from decoded lines of the same segment, by integers only, so encoder and decoder agree on every
machine (docs/arithmetic.md, section 2). Kernels that see whole lines release Python's lock, so threads may share work.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.kernels.kernel_cache import njit
from runtime.kernels.log2 import log2_eighths, log2_floor

N_BEFORE = 6  # Bands before the one to predict whose line differences are regressors
ENERGY, FIRST_CANDIDATE = 0, N_BEFORE + 1
N_CANDIDATES = 7  # Fixed predictions whose mean errors tell the cell what kind of band this is; see `add_errors`
MAGNITUDE, INNOVATION = FIRST_CANDIDATE, FIRST_CANDIDATE + 1
COUNT = FIRST_CANDIDATE + N_CANDIDATES
N_SUMS = COUNT + 1
FIXED_FEATURES = N_CANDIDATES + 1
SLOW_BITS = 4  # Fraction bits of the slow means
FORGET_SHIFT = 5  # A sum loses 1/32 of itself with every line
GAIN_BITS = 8
LARGEST_GAIN = 4 << GAIN_BITS
LARGEST_SHIFT, SMALLEST_SHIFT = 5, -11

Sums = npt.NDArray[np.int64]


class BandConstants(NamedTuple):
    """Integers of each band that hold for one line."""

    gains: npt.NDArray[np.int64]  # (Z, N_BEFORE), change per unit of line difference 1, 2, ... bands before, in 1/256
    shifts: npt.NDArray[np.int64]  # (Z, 2), powers of two that bring line differences and their innovations to about 16
    units: npt.NDArray[np.int64]  # (Z,), four times the mean magnitude of innovations of line differences, at least 1
    features: npt.NDArray[np.int64]
    """(Z, FIXED_FEATURES), -127..127: the first gain, how much worse each other candidate is than the innovation, the
    noise level."""


@njit(cache=True, inline="always")
def clipped(value: Any, bound: Any) -> Any:
    """`value` brought into -bound..bound."""
    return min(max(value, -bound), bound)


@njit(cache=True, inline="always")
def ratio(numerator: Any, denominator: Any) -> Any:
    """256 numerator / (denominator + 1), rounded to nearest and clipped to LARGEST_GAIN; denominator >= 0."""
    excess = log2_floor((denominator >> 39) | 1)  # 0 below 2**40
    above, below = numerator >> excess, (denominator >> excess) + 1
    return clipped((above * (2 << GAIN_BITS) + below) // (2 * below), LARGEST_GAIN)


@njit(cache=True)
def add_line(now: Any, before: Any, out_sums: Any) -> None:
    """Forget a little and add the products of differences of two lines (Z, X) to the sums (Z, N_SUMS).

    Sums stay below 2**60: 32 lines of 2**22 columns of 2**33.
    """
    n_bands, n_columns = now.shape
    for z in range(n_bands):
        for i in range(N_SUMS):
            out_sums[z, i] -= out_sums[z, i] >> FORGET_SHIFT
        for i in range(min(z, N_BEFORE) + 1):
            total = np.int64(0)
            for x in range(n_columns):
                here = np.int64(now[z, x]) - np.int64(before[z, x])
                total += here * (np.int64(now[z - i, x]) - np.int64(before[z - i, x]))
            out_sums[z, i] += total
        out_sums[z, COUNT] += n_columns


@njit(cache=True)
def add_errors(now: Any, before: Any, slow: Any, gains: Any, out_sums: Any) -> None:
    """Add the magnitudes of the errors of the candidate predictions on a line (Z, X) to the sums (Z, N_SUMS).

    before: the line before. slow: (Z, X), slow means in 1/16. gains: those of that line. The candidates are: the
    line before; that plus what the band before (1), the mean of the two bands before (4) or the band before smoothed
    over columns (6) says of the change; the slow mean (2); that plus what the band before says of the distance to it
    (3); the mean of 1 and 3 (5).
    """
    n_bands, n_columns = now.shape
    errors = np.empty(N_CANDIDATES, np.int64)
    for z in range(n_bands):
        errors[:] = 0
        first, second = gains[z, 0], gains[z, 1]
        for x in range(n_columns):
            sample, previous, mean = np.int64(now[z, x]), np.int64(before[z, x]), np.int64(slow[z, x]) >> SLOW_BITS
            near, smooth, far, distance = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
            if z > 0:
                west, east = max(x - 1, 0), min(x + 1, n_columns - 1)
                near = np.int64(now[z - 1, x]) - np.int64(before[z - 1, x])
                sides = np.int64(now[z - 1, west]) - np.int64(before[z - 1, west])
                sides += np.int64(now[z - 1, east]) - np.int64(before[z - 1, east])
                smooth = (first * (2 * near + sides)) >> (GAIN_BITS + 2)
                near = (first * near) >> GAIN_BITS
                distance = (first * (np.int64(now[z - 1, x]) - (np.int64(slow[z - 1, x]) >> SLOW_BITS))) >> GAIN_BITS
            if z > 1:
                far = (second * (np.int64(now[z - 2, x]) - np.int64(before[z - 2, x]))) >> GAIN_BITS
            change = sample - previous
            errors[0] += abs(change)
            errors[1] += abs(change - near)
            errors[2] += abs(sample - mean)
            errors[3] += abs(sample - mean - distance)
            errors[4] += abs(change - ((near + far) >> 1))
            errors[5] += abs(sample - ((previous + near + mean + distance) >> 1))
            errors[6] += abs(change - smooth)
        for i in range(N_CANDIDATES):
            out_sums[z, FIRST_CANDIDATE + i] += errors[i]


@njit(cache=True)
def fill_gains(sums: Any, out_gains: Any) -> None:
    """Fill the gains (Z, N_BEFORE) that the sums (Z, N_SUMS) give; 0 where there is no such band."""
    for z in range(sums.shape[0]):
        for i in range(1, N_BEFORE + 1):
            out_gains[z, i - 1] = ratio(sums[z, i], sums[z - i, ENERGY]) if z >= i else 0


@njit(cache=True)
def fill_levels(sums: Any, gains: Any, out_shifts: Any, out_units: Any, out_features: Any) -> None:
    """Fill the shifts (Z, 2), units (Z,) and constant features (Z, FIXED_FEATURES) that the sums and gains give."""
    for z in range(sums.shape[0]):
        count = max(sums[z, COUNT], 1)
        magnitude = (sums[z, MAGNITUDE] << 4) // count + 1  # mean magnitude in 1/16 sample
        innovation = (sums[z, INNOVATION] << 4) // count + 1
        out_shifts[z, 0] = min(max(8 - log2_floor(magnitude), SMALLEST_SHIFT), LARGEST_SHIFT)
        out_shifts[z, 1] = min(max(8 - log2_floor(innovation), SMALLEST_SHIFT), LARGEST_SHIFT)
        out_units[z] = max(innovation >> 2, 1)
        out_features[z, 0] = clipped((gains[z, 0] - (1 << GAIN_BITS)) >> 2, 127)
        place = np.int64(1)
        for i in range(N_CANDIDATES):
            if i != 1:
                candidate = (sums[z, FIRST_CANDIDATE + i] << 4) // count + 1
                out_features[z, place] = clipped(4 * (log2_eighths(candidate) - log2_eighths(innovation)), 127)
                place += 1
        out_features[z, place] = clipped(log2_eighths(magnitude) - 64, 127)


def first_sums(first_line: npt.NDArray[np.int32]) -> Sums:
    """Sums (Z, N_SUMS) after the first line (Z, X) of a segment: differences of columns stand in for those of lines."""
    east, west = first_line[:, 1:], first_line[:, :-1]
    gains = np.zeros((len(first_line), N_BEFORE), np.int64)
    sums = np.zeros((len(first_line), N_SUMS), np.int64)
    add_line(east, west, sums)
    fill_gains(sums, gains)
    add_errors(east, west, west << SLOW_BITS, gains, sums)
    return sums


def band_constants(sums: Sums) -> BandConstants:
    """What holds for the next line."""
    n_bands = len(sums)
    shapes = (n_bands, N_BEFORE), (n_bands, 2), (n_bands,), (n_bands, FIXED_FEATURES)
    constants = BandConstants(*(np.empty(shape, np.int64) for shape in shapes))
    fill_gains(sums, constants.gains)
    fill_levels(sums, *constants)
    return constants

"""What the flight cell's host side knows of each band: causal sums of line differences, and the integers made of them.

All of it is computed from decoded lines of the same segment, by integers only, so encoder and decoder agree on every
machine (docs/arithmetic.md, section 2).
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

N_BEFORE = 6
"""Bands before the one to predict whose line differences are regressors."""
ENERGY, MAGNITUDE, INNOVATION, COUNT = 0, N_BEFORE + 1, N_BEFORE + 2, N_BEFORE + 3
N_SUMS = N_BEFORE + 4
FORGET_SHIFT = 5
"""A sum loses 1/32 of itself with every line."""
GAIN_BITS = 8
LARGEST_GAIN = 4 << GAIN_BITS
LARGEST_SHIFT, SMALLEST_SHIFT = 5, -11

Sums = npt.NDArray[np.int64]


class BandConstants(NamedTuple):
    """Integers of each band that hold for one line."""

    gains: npt.NDArray[np.int64]
    """(Z, N_BEFORE), what one unit of line difference 1, 2, ... bands before means here, in 1/256; least squares."""
    shifts: npt.NDArray[np.int64]
    """(Z, 2), powers of two that bring line differences, and what the band before leaves of them, to about 16."""
    features: npt.NDArray[np.int64]
    """(Z, 3), -127..127: the first gain, how much the band before explains, and the noise level."""


@njit(cache=True, inline="always")
def log2_floor(value: Any) -> Any:
    """The exponent of the largest power of two that does not exceed `value` >= 1."""
    exponent = np.int64(0)
    while value > 1:
        value >>= 1
        exponent += 1
    return exponent


@njit(cache=True, inline="always")
def log2_eighths(value: Any) -> Any:
    """8 log2(value) for value >= 1, linear between powers of two, rounded down."""
    exponent = log2_floor(value)
    return 8 * exponent + (((value << 3) >> exponent) & 7)


@njit(cache=True, inline="always")
def clipped(value: Any, bound: Any) -> Any:
    """`value` brought into -bound..bound."""
    return min(max(value, -bound), bound)


@njit(cache=True, inline="always")
def ratio(numerator: Any, denominator: Any) -> Any:
    """256 numerator / (denominator + 1), rounded to nearest and clipped to LARGEST_GAIN; denominator >= 0."""
    excess = max(0, log2_floor(denominator | 1) - 39)
    above, below = numerator >> excess, (denominator >> excess) + 1
    return clipped((above * (2 << GAIN_BITS) + below) // (2 * below), LARGEST_GAIN)


@njit(cache=True)
def add_line(now: Any, before: Any, gains: Any, out_sums: Any) -> None:
    """Forget a little and add the differences of two lines (Z, X) to the sums (Z, N_SUMS).

    gains: (Z, N_BEFORE), those that held for the line. Sums stay below 2**60: 32 lines of 2**22 columns of 2**33.
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
        magnitude, innovation = np.int64(0), np.int64(0)
        for x in range(n_columns):
            here = np.int64(now[z, x]) - np.int64(before[z, x])
            explained = np.int64(0)
            if z > 0:
                explained = (gains[z, 0] * (np.int64(now[z - 1, x]) - np.int64(before[z - 1, x]))) >> GAIN_BITS
            magnitude += abs(here)
            innovation += abs(here - explained)
        out_sums[z, MAGNITUDE] += magnitude
        out_sums[z, INNOVATION] += innovation
        out_sums[z, COUNT] += n_columns


@njit(cache=True)
def fill_gains(sums: Any, out_gains: Any) -> None:
    """Fill the gains (Z, N_BEFORE) that the sums (Z, N_SUMS) give; 0 where there is no such band."""
    for z in range(sums.shape[0]):
        for i in range(1, N_BEFORE + 1):
            out_gains[z, i - 1] = ratio(sums[z, i], sums[z - i, ENERGY]) if z >= i else 0


@njit(cache=True)
def fill_levels(sums: Any, gains: Any, out_shifts: Any, out_features: Any) -> None:
    """Fill the shifts (Z, 2) and the constant features (Z, 3) that the sums and gains give."""
    for z in range(sums.shape[0]):
        count = max(sums[z, COUNT], 1)
        magnitude = (sums[z, MAGNITUDE] << 4) // count + 1  # mean magnitude in 1/16 sample
        innovation = (sums[z, INNOVATION] << 4) // count + 1
        out_shifts[z, 0] = min(max(8 - log2_floor(magnitude), SMALLEST_SHIFT), LARGEST_SHIFT)
        out_shifts[z, 1] = min(max(8 - log2_floor(innovation), SMALLEST_SHIFT), LARGEST_SHIFT)
        out_features[z, 0] = clipped((gains[z, 0] - (1 << GAIN_BITS)) >> 2, 127)
        out_features[z, 1] = clipped(4 * (log2_eighths(magnitude) - log2_eighths(innovation)), 127)
        out_features[z, 2] = clipped(log2_eighths(magnitude) - 64, 127)


def first_sums(first_line: npt.NDArray[np.int32]) -> Sums:
    """Sums (Z, N_SUMS) after the first line (Z, X) of a segment: differences of columns stand in for those of lines."""
    east, west = first_line[:, 1:], first_line[:, :-1]
    gains = np.zeros((len(first_line), N_BEFORE), np.int64)
    sums = np.zeros((len(first_line), N_SUMS), np.int64)
    add_line(east, west, gains, sums)
    fill_gains(sums, gains)
    sums[:] = 0
    add_line(east, west, gains, sums)
    return sums


def band_constants(sums: Sums) -> BandConstants:
    """What holds for the next line."""
    n_bands = len(sums)
    constants = BandConstants(
        np.empty((n_bands, N_BEFORE), np.int64), np.empty((n_bands, 2), np.int64), np.empty((n_bands, 3), np.int64)
    )
    fill_gains(sums, constants.gains)
    fill_levels(sums, constants.gains, constants.shifts, constants.features)
    return constants

"""What a flag of a special value is expected to be, from those around it and how often its band has had them.

Integers only. docs/formats/stream.md, "Flags of special values".
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.coders.range_coder import SHARE_BITS
from runtime.kernels.kernel_cache import njit
from runtime.kernels.log2 import log2_floor
from runtime.kernels.marks import Marks

FULL_SHARE = 1 << SHARE_BITS
SMALLEST_SHARE = 8
FIRST_SHARE = FULL_SHARE >> 2
SAMPLES_IN_A_BIT = 1 << 12
"""More flags than a bit can hold at the smallest share; bounds what a payload can announce."""
N_LEVELS, N_NEIGHBOURS = 8, 16
QUICK, SLOW = 16, 128
"""Each probability is the mean of two, which follow their last flags, about so many."""
RATE_BITS, RATE_FADING = 16, 3
"""Of a band's share of special samples, which moves by 1 / 2**RATE_FADING with each line that has any."""


class FlagState(NamedTuple):
    """What both sides know of a segment; the arrays are changed in place. S special values."""

    before: Marks  # (Z, X), of the line before
    rates: npt.NDArray[np.int64]  # (Z,), share of each band, in 2**-RATE_BITS
    lines: npt.NDArray[np.int32]  # (2, 3), of the line's flag by that of the line before: quick, slow, flags so far
    flags: npt.NDArray[np.int32]  # (N_LEVELS * N_NEIGHBOURS, 3)
    kinds: npt.NDArray[np.int32]  # (4 * S, 3), of `this value`, by whether it is that north and west


def initial_flags(n_bands: int, n_columns: int, n_specials: int) -> FlagState:
    """Before the first line of a segment."""
    sizes = (2, N_LEVELS * N_NEIGHBOURS, 4 * n_specials)
    lines, flags, kinds = (np.tile(np.array([FIRST_SHARE, FIRST_SHARE, 0], np.int32), (n, 1)) for n in sizes)
    return FlagState(np.zeros((n_bands, n_columns), np.uint8), np.zeros(n_bands, np.int64), lines, flags, kinds)


@njit(cache=True, inline="always")
def share_of(probabilities: Any, where: Any) -> Any:
    """The share of a set flag, of 2**SHARE_BITS."""
    mean = (np.int64(probabilities[where, 0]) + np.int64(probabilities[where, 1])) >> 1
    return min(max(mean, SMALLEST_SHARE), FULL_SHARE - SMALLEST_SHARE)


@njit(cache=True, inline="always")
def learn(probabilities: Any, where: Any, flag: Any) -> None:
    """Move both probabilities towards a flag, in the beginning to the share of those so far."""
    target = FULL_SHARE if flag else 0
    n = probabilities[where, 2] + 2
    probabilities[where, 0] += (target - probabilities[where, 0]) // min(n, QUICK)
    probabilities[where, 1] += (target - probabilities[where, 1]) // n
    probabilities[where, 2] = min(n - 1, SLOW - 2)


@njit(cache=True, inline="always")
def neighbours(z: Any, x: Any, marks: Any, before: Any) -> Any:
    """Context 0..15: whether the samples west, north, north-east and in the band before are special."""
    found = np.int64(0)
    if x > 0 and marks[z, x - 1]:
        found += 1
    if before[z, x]:
        found += 2
    if before[z, min(x + 1, marks.shape[1] - 1)]:
        found += 4
    if z > 0 and marks[z - 1, x]:
        found += 8
    return found


@njit(cache=True, inline="always")
def level_of(rate: Any) -> Any:
    """Context 0..N_LEVELS - 1: the octaves, in twos, of a band's share."""
    return min(log2_floor(rate + 1) >> 1, N_LEVELS - 1)


@njit(cache=True, inline="always")
def kind_context(kind: Any, z: Any, x: Any, marks: Any, before: Any) -> Any:
    """Where the probability of value `kind` (from 1 on) lies."""
    is_north = before[z, x] == kind
    is_west = x > 0 and marks[z, x - 1] == kind
    return 4 * (kind - 1) + 2 * is_north + is_west


@njit(cache=True)
def end_band(z: Any, marks: Any, state: Any) -> None:
    """Take the finished band into its share."""
    n_set = np.int64(0)
    for x in range(marks.shape[1]):
        n_set += marks[z, x] != 0
    state.rates[z] += ((n_set << RATE_BITS) // marks.shape[1] - state.rates[z]) >> RATE_FADING

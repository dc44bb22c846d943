"""The formulas of prediction, one function per clause (4.4..4.7, 4.10), for scalars inside kernels.

Every sample, prediction and representative is relative to s_mid here: the formulas do not change, because local
differences are differences and s_mid enters equation 37 as an offset on both sides, and each value then fits a
signed number of D bits. All scalars are int64.
"""

from typing import Any

import numpy as np

from runtime.kernels.kernel_cache import njit

WIDE_NEIGHBOR, NARROW_NEIGHBOR, WIDE_COLUMN = 0, 1, 2


@njit(cache=True, inline="always")
def clip(value: Any, lowest: Any, highest: Any) -> Any:
    """The nearest number in lowest..highest (equation 3)."""
    return min(max(value, lowest), highest)


@njit(cache=True, inline="always")
def local_sum(kind: Any, y: Any, is_first: Any, is_last: Any, w: Any, nw: Any, n: Any, ne: Any, below_w: Any) -> Any:
    """The local sum sigma from the representatives around (y, x), t > 0 (equations 20..23).

    `below_w` is the western one of the previous band, 0 (s_mid) in band 0; `is_first` and `is_last` are of columns.
    """
    if y == 0:
        return 4 * (w if kind in (WIDE_NEIGHBOR, WIDE_COLUMN) else below_w)
    if kind >= WIDE_COLUMN:
        return 4 * n
    if is_first:
        return 2 * (n + ne)
    if kind == WIDE_NEIGHBOR:
        return w + nw + 2 * n if is_last else w + nw + n + ne
    return 2 * (nw + n) if is_last else nw + 2 * n + ne


@njit(cache=True, inline="always")
def high_resolution(predicted_difference: Any, total: Any, resolution: Any, register_bits: Any, depth: Any) -> Any:
    """The high-resolution predicted sample from d-hat and sigma (equation 37), relative to s_mid."""
    value = predicted_difference + (total << resolution)
    unused = 64 - register_bits
    value = (value << unused) >> unused  # mod*_R: keep R bits, sign-extended
    half = np.int64(1) << (depth - 1)
    lowest = -half << (resolution + 2)
    highest = ((half - 1) << (resolution + 2)) + (np.int64(1) << (resolution + 1))
    return clip(value + (np.int64(1) << (resolution + 1)), lowest, highest)


@njit(cache=True, inline="always")
def scaling_exponent(t: Any, n_columns: Any, constants: Any) -> Any:
    """The weight update scaling exponent rho(t) (equation 50)."""
    first, last = constants.first_exponent, constants.last_exponent
    exponent = clip(first + ((t - n_columns) >> constants.interval_exponent), first, last)
    return exponent + constants.depth - constants.resolution


@njit(cache=True, inline="always")
def updated_weight(weight: Any, difference: Any, is_negative: Any, exponent: Any, resolution: Any) -> Any:
    """A weight after a sample (equations 51..54); `exponent` is rho + sigma, `is_negative` says sgn+(e) = -1.

    The sign goes inside the shift. A difference of 0 leaves the weight as it is.
    """
    signed = -difference if is_negative else difference
    scaled = signed >> exponent if exponent >= 0 else signed << -exponent
    limit = np.int64(1) << (resolution + 2)
    return clip(weight + ((scaled + 1) >> 1), -limit, limit - 1)

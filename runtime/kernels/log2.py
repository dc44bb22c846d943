"""Logarithms to base 2 of integers, by the exponent and the fraction of their exact float64."""

from typing import Any

import numpy as np

from runtime.kernels.kernel_cache import njit

FRACTION_BITS, BIAS = 52, 1023


@njit(cache=True, inline="always")
def log2_floor(value: Any) -> Any:
    """The exponent of the largest power of two that does not exceed `value`, 1..2**53 - 1."""
    return (np.float64(value).view(np.int64) >> FRACTION_BITS) - BIAS


@njit(cache=True, inline="always")
def log2_eighths(value: Any) -> Any:
    """8 log2(value) for `value` 1..2**53 - 1, linear between powers of two, rounded down."""
    return (np.float64(value).view(np.int64) >> (FRACTION_BITS - 3)) - 8 * BIAS

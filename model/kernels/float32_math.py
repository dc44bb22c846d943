"""Exponential and normal distribution for compiled loops, written so that the compiler vectorises them.

Numba calls the C library once per element for exp and erf; these are polynomials over whole vectors. They only serve
the training kernels: nothing here decides a bit of a stream.
"""

from typing import Any

import numpy as np

from runtime.kernels.kernel_cache import njit

FASTMATH = {"reassoc", "contract", "nsz", "arcp"}  # sums may be split into vectors; NaN and infinity stay NaN and inf

SMALLEST_INPUT, LARGEST_INPUT = np.float32(-87), np.float32(88)  # e^x stays a normal float32 in between
LOG2_E = np.float32(1.4426950408889634)
LN2_HIGH, LN2_LOW = np.float32(0.693145751953125), np.float32(1.428606765330187e-06)  # their sum is ln 2
# Taylor coefficients of e^r up to r^6: the remainder is below 2e-7 for |r| <= ln(2) / 2
E6, E5, E4, E3 = np.float32(1 / 720), np.float32(1 / 120), np.float32(1 / 24), np.float32(1 / 6)
HALF, ONE = np.float32(0.5), np.float32(1)
EXPONENT_BIAS, MANTISSA_BITS = np.int32(127), np.int32(23)

# Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: erf to 1.5e-7
ERF_P = np.float32(0.3275911)
ERF_1, ERF_2, ERF_3 = np.float32(0.254829592), np.float32(-0.284496736), np.float32(1.421413741)
ERF_4, ERF_5 = np.float32(-1.453152027), np.float32(1.061405429)
SQRT_HALF = np.float32(0.7071067811865476)
NORMAL_PEAK = np.float32(0.3989422804014327)


@njit(inline="always")
def exp32(x: Any) -> Any:
    """e^x of a float32, relative error below 4e-7 for -87 <= x <= 88, beyond that the value at the border."""
    bounded = min(max(x, SMALLEST_INPUT), LARGEST_INPUT)
    power = np.floor(bounded * LOG2_E + HALF)
    rest = bounded - power * LN2_HIGH - power * LN2_LOW
    series = ((E6 * rest + E5) * rest + E4) * rest + E3
    series = (series * rest + HALF) * rest * rest + rest + ONE
    bits = np.int32((np.int32(power) + EXPONENT_BIAS) << MANTISSA_BITS)
    return series * bits.view(np.float32)


@njit(inline="always")
def sigmoid32(x: Any) -> Any:
    """1 / (1 + e^-x) of a float32."""
    return ONE / (ONE + exp32(-x))


@njit(inline="always")
def normal32(x: Any) -> Any:
    """Distribution and density of the standard normal at a float32, absolute errors below 3e-7."""
    density = NORMAL_PEAK * exp32(-HALF * x * x)
    t = ONE / (ONE + ERF_P * SQRT_HALF * abs(x))
    tail = ((((ERF_5 * t + ERF_4) * t + ERF_3) * t + ERF_2) * t + ERF_1) * t * density * (HALF / NORMAL_PEAK)
    return (ONE - tail if x > 0 else tail), density

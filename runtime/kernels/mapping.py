"""Signed residuals to non-negative integers and back: CCSDS 123.0-B-2 clause 4.11.

The prediction arrives with double resolution (s-tilde of the standard): s-tilde >> 1 is the predicted
sample and the low bit says on which side the finer prediction lies, which decides the sign that gets
the shorter codeword.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.kernels.in_loop import quantizer_index, restored, steps_within
from runtime.kernels.kernel_cache import njit

IntArray = npt.NDArray[np.integer[Any]]


@njit(cache=True, inline="always")
def map_index(index: Any, doubled: Any, low: Any, high: Any) -> Any:
    """Mapped quantizer index delta (equation 55).

    `index` is q, `doubled` is s-tilde, `low` and `high` are the number of steps that fit between the
    prediction and the smallest and largest sample (the two arguments of min in equation 56).
    """
    theta = min(low, high)
    magnitude = abs(index)
    if magnitude > theta:
        return magnitude + theta
    if (index >= 0) == ((doubled & 1) == 0) or index == 0:
        return 2 * magnitude
    return 2 * magnitude - 1


@njit(cache=True, inline="always")
def unmap_index(mapped: Any, doubled: Any, low: Any, high: Any) -> Any:
    """The quantizer index q whose `map_index` is `mapped`; arguments as there."""
    theta = min(low, high)
    if mapped > 2 * theta:
        return mapped - theta if high > low else theta - mapped
    magnitude = (mapped + 1) >> 1
    is_even_code = (mapped & 1) == 0
    is_even_side = (doubled & 1) == 0
    return magnitude if is_even_code == is_even_side else -magnitude


@njit(cache=True)
def map_samples(samples: Any, doubled: Any, error: Any, smallest: Any, largest: Any, out_mapped: Any) -> None:
    """Fill `out_mapped` with delta of each sample, its residual quantised for the maximum error m (0: lossless).

    samples: (...) integers, smallest <= s <= largest. doubled: same shape, s-tilde, with
    2*smallest <= s-tilde <= 2*largest + 1. out_mapped: same shape, 0 <= delta <= (largest - smallest + 2m) / (2m + 1).
    """
    flat_samples, flat_doubled, flat_mapped = samples.reshape(-1), doubled.reshape(-1), out_mapped.reshape(-1)
    for i in range(flat_samples.size):
        twice = np.int64(flat_doubled[i])
        predicted = twice >> 1
        index = quantizer_index(np.int64(flat_samples[i]) - predicted, error)
        low, high = steps_within(predicted - smallest, error), steps_within(largest - predicted, error)
        flat_mapped[i] = map_index(index, twice, low, high)


@njit(cache=True)
def unmap_samples(mapped: Any, doubled: Any, error: Any, smallest: Any, largest: Any, out_samples: Any) -> bool:
    """Fill `out_samples`, each within m of its sample, from delta and s-tilde; False where a delta is out of range.

    Shapes and ranges as in `map_samples`; a hostile delta of any size gives False, never a sample
    outside smallest..largest.
    """
    flat_mapped, flat_doubled, flat_samples = mapped.reshape(-1), doubled.reshape(-1), out_samples.reshape(-1)
    is_inside = True
    for i in range(flat_mapped.size):
        twice = np.int64(flat_doubled[i])
        predicted = twice >> 1
        low, high = steps_within(predicted - smallest, error), steps_within(largest - predicted, error)
        index = unmap_index(np.int64(flat_mapped[i]), twice, low, high)
        if index < -low or index > high:
            is_inside = False
        flat_samples[i] = restored(predicted, index, error, smallest, largest)
    return is_inside

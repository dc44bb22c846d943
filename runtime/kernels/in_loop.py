"""Uniform quantisation of prediction residuals in the loop: CCSDS 123.0-B-2 clause 4.8, for scalars inside kernels.

A residual is quantised in steps of 2m + 1 around the prediction; the decoder gives back the middle of the step, clipped
to the sample range, which is never further than m from the sample.
"""

from typing import Any

from runtime.kernels.kernel_cache import njit


@njit(cache=True, inline="always")
def quantizer_index(residual: Any, error: Any) -> Any:
    """The quantizer index q of a prediction residual (equation 41)."""
    if error == 0:
        return residual
    magnitude = (abs(residual) + error) // (2 * error + 1)
    return magnitude if residual >= 0 else -magnitude


@njit(cache=True, inline="always")
def steps_within(distance: Any, error: Any) -> Any:
    """Quantizer steps between the prediction and an end of the sample range (one argument of min in equation 56)."""
    if error == 0:
        return distance
    return (distance + error) // (2 * error + 1)


@njit(cache=True, inline="always")
def restored(predicted: Any, index: Any, error: Any, smallest: Any, largest: Any) -> Any:
    """The middle of step q around the prediction, within the sample range (equation 48)."""
    if error == 0:
        return predicted + index
    return min(max(predicted + index * (2 * error + 1), smallest), largest)


@njit(cache=True, inline="always")
def representative(sample: Any, index: Any, error: Any) -> Any:
    """What predictions learn from: a restored sample, drawn by m / 2 towards its prediction, never past it.

    Samples lie on the near side of a step more often; only the middle of the step is within m of all of them.
    """
    if error == 0 or index == 0:
        return sample
    return sample - (error >> 1) if index > 0 else sample + (error >> 1)


def index_depth(smallest: int, largest: int, max_error: int) -> int:
    """Bits of a mapped quantizer index (equation 56): enough for all steps around any prediction, at least 2."""
    return max(2, ((largest - smallest + 2 * max_error) // (2 * max_error + 1)).bit_length())

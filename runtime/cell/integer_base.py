"""The exact integer that a network corrects, and the step from its float correction to an integer prediction."""

from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.kernels.kernel_cache import njit

IntArray = npt.NDArray[np.integer[Any]]


class Base(StrEnum):
    """What the correction is added to."""

    MEAN = "mean"  # The mean of the band: the network predicts the sample itself, as in the paper
    LINE = "line"  # The sample of the line before
    SPECTRAL = "spectral"  # That plus the change from line to line in the band before (none in band 0)


def base_samples(
    base: Base, line_before: IntArray, band_before: IntArray, line_before_band_before: IntArray, mean: IntArray
) -> IntArray:
    """The base of each sample, of the broadcast shape of the arguments.

    line_before: the samples of the line before. band_before and line_before_band_before: both lines in the band
    before; equal (zeros, say) in band 0, where there is none. mean: the band's mean.
    """
    if base is Base.MEAN:
        return np.broadcast_to(mean, line_before.shape)
    if base is Base.LINE:
        return line_before
    return line_before + (band_before - line_before_band_before)


LARGEST_CORRECTION = float(1 << 20)  # beyond every sample range; keeps the conversion to integers defined


@njit(cache=True)
def doubled_predictions(correction: Any, base: Any, scale: Any, smallest: Any, largest: Any, out_doubled: Any) -> None:
    """Fill s-tilde, the prediction with double resolution (clause 4.7 of CCSDS 123.0-B-2), from a float correction.

    correction: (Z, X) float32 in units of scale. base: (Z, X). scale: (Z,). out_doubled: (Z, X) integers,
    floor(2 * (base + scale * correction)) + 1 clipped to 2*smallest .. 2*largest + 1, so that s-tilde >> 1 is the
    prediction rounded to nearest. A correction that is not a number counts as none. float32 times a 17-bit integer is
    exact in float64, so this is the only place where a float becomes an integer, and it rounds once.
    """
    for z in range(correction.shape[0]):
        for x in range(correction.shape[1]):
            change = 2.0 * np.float64(correction[z, x]) * np.float64(scale[z])
            if np.isnan(change):
                change = np.float64(0)
            bounded = min(max(change, -LARGEST_CORRECTION), LARGEST_CORRECTION)
            doubled = np.int64(np.floor(bounded)) + 2 * np.int64(base[z, x]) + 1
            out_doubled[z, x] = min(max(doubled, 2 * smallest), 2 * largest + 1)

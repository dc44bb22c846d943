"""Per-band normalisation by integers that encoder and decoder both know.

Either constants of the package (one sensor), or causal: taken from the first line of a segment, which is decoded
before the network runs. Never statistics of lines that the decoder does not have yet.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer[Any]]
MEAN_SHIFT = 3  # an eighth of the mean: keeps a flat first line from blowing up the lines after it


class Normalisation(NamedTuple):
    """Offset and divisor of each band, in sample units."""

    mean: npt.NDArray[np.int32]  # (Z,), of the sample range
    scale: npt.NDArray[np.int32]  # (Z,), 1..2**17


def from_first_line(line: IntArray) -> Normalisation:
    """Rounded mean, and mean absolute deviation plus an eighth of the mean, of each band of `line` (Z, X)."""
    wide = line.astype(np.int64)
    n_columns = wide.shape[1]
    mean = (2 * wide.sum(axis=1) + n_columns) // (2 * n_columns)
    deviation = np.abs(wide - mean[:, None]).sum(axis=1) // n_columns
    scale = np.maximum(1, deviation + (np.abs(mean) >> MEAN_SHIFT))
    return Normalisation(mean.astype(np.int32), scale.astype(np.int32))


def normalised(samples: IntArray, normalisation: Normalisation) -> npt.NDArray[np.float32]:
    """(samples - mean) / scale as float32, for samples (..., Z, X); one IEEE division of exact integers each."""
    offset = samples.astype(np.int32) - normalisation.mean[:, None]
    return offset.astype(np.float32) / normalisation.scale.astype(np.float32)[:, None]

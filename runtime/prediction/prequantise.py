"""Near-lossless by uniform quantisation before prediction (section 3 of the paper): |error| <= M for every sample."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer[Any]]


class Quantiser(NamedTuple):
    """A step of 2M + 1 over a sample range; M = 0 changes nothing."""

    max_error: int  # M
    smallest: int
    largest: int

    @property
    def index_range(self) -> tuple[int, int]:
        """Smallest and largest quantised sample."""
        step = 2 * self.max_error + 1
        return (self.smallest + self.max_error) // step, (self.largest + self.max_error) // step

    def quantised(self, samples: IntArray) -> npt.NDArray[np.int32]:
        """floor((s + M) / (2M + 1)) as int32, a new array in C order: kernels are compiled for no other."""
        copied = samples.astype(np.int32, order="C")
        return copied if self.max_error == 0 else (copied + self.max_error) // (2 * self.max_error + 1)

    def reconstructed(self, indices: IntArray) -> npt.NDArray[np.int32]:
        """The middle of each step, clipped to the sample range; clipping only brings it nearer to the sample."""
        if self.max_error == 0:
            return indices.astype(np.int32, copy=False)
        step = 2 * self.max_error + 1
        return np.clip(indices.astype(np.int32) * step, self.smallest, self.largest)

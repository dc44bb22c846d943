"""The prediction of a line without a network: over columns in band 0, from the band before in the others.

The paper codes the first line so; without a package every line is coded so.
"""

from typing import Any

import numpy as np

from runtime.kernels.in_loop import quantizer_index, restored, steps_within
from runtime.kernels.kernel_cache import njit
from runtime.kernels.mapping import map_index, unmap_index


@njit(cache=True, inline="always")
def predicted_sample(line: Any, z: Any, x: Any, smallest: Any, largest: Any) -> Any:
    """The sample west of (z, x) in band 0 (the middle of the range at its start), the band before elsewhere."""
    if z > 0:
        return np.int64(line[z - 1, x])
    if x > 0:
        return np.int64(line[z, x - 1])
    return (smallest + largest + 1) >> 1


@njit(cache=True)
def map_line(line: Any, marks: Any, error: Any, smallest: Any, largest: Any, out_mapped: Any) -> None:
    """Fill the mapped residuals (Z, X) of `line` (Z, X), smallest <= sample <= largest.

    marks: (Z, X), or (Z, 0) for none; samples that are marked are known, their residuals 0. error: the maximum error m
    of a restored sample; 0 is lossless. `line` becomes what a decoder restores.
    """
    for z in range(line.shape[0]):
        for x in range(line.shape[1]):
            if marks.size > 0 and marks[z, x]:
                out_mapped[z, x] = 0
                continue
            predicted = predicted_sample(line, z, x, smallest, largest)
            low, high = steps_within(predicted - smallest, error), steps_within(largest - predicted, error)
            index = quantizer_index(np.int64(line[z, x]) - predicted, error)
            out_mapped[z, x] = map_index(index, 2 * predicted + 1, low, high)
            line[z, x] = restored(predicted, index, error, smallest, largest)


@njit(cache=True)
def unmap_line(mapped: Any, marks: Any, error: Any, smallest: Any, largest: Any, out_line: Any) -> bool:
    """Fill `out_line` (Z, X), but for marked samples, from mapped residuals (Z, X).

    False where one leads outside the sample range.
    """
    for z in range(mapped.shape[0]):
        for x in range(mapped.shape[1]):
            if marks.size > 0 and marks[z, x]:
                continue
            predicted = predicted_sample(out_line, z, x, smallest, largest)
            low, high = steps_within(predicted - smallest, error), steps_within(largest - predicted, error)
            index = unmap_index(np.int64(mapped[z, x]), 2 * predicted + 1, low, high)
            if index < -low or index > high:
                return False
            out_line[z, x] = restored(predicted, index, error, smallest, largest)
    return True

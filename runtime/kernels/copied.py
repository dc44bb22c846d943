"""Copies of lines in kernels, by loops.

An assignment of slices does the same, but compiles Numba's message of unequal shapes into every kernel above it: some
seconds of the first start.
"""

from typing import Any

from runtime.kernels.kernel_cache import njit


@njit(cache=True, inline="always")
def copy_line(line: Any, out: Any) -> None:
    """Copy (Z, X) into an array of the same shape."""
    for z in range(line.shape[0]):
        for x in range(line.shape[1]):
            out[z, x] = line[z, x]

"""Samples written plainly in D bits each, for segments that coding would expand."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from runtime.bits import finish, initial_bits, put_bits, refill, take_bits


@njit(cache=True)
def pack_kernel(values: Any, depth: Any, buffer: Any, bits: Any) -> None:
    """Append each value, 0 <= value < 2**depth."""
    position, pending, n_pending = bits[0], bits[1], bits[2]
    for i in range(values.size):
        position, pending, n_pending = put_bits(buffer, position, pending, n_pending, np.int64(values[i]), depth)
    bits[0], bits[1], bits[2] = position, pending, n_pending


@njit(cache=True)
def unpack_kernel(data: Any, depth: Any, bits: Any, out_values: Any) -> None:
    """Read values of `depth` bits."""
    position, pending, n_pending = bits[0], bits[1], bits[2]
    for i in range(out_values.size):
        position, pending, n_pending = refill(data, position, pending, n_pending)
        out_values[i], pending, n_pending = take_bits(pending, n_pending, depth)
    bits[0], bits[1], bits[2] = position, pending, n_pending


def stored_bytes(n_samples: int, depth: int) -> int:
    """Bytes of `n_samples` stored samples."""
    return (n_samples * depth + 7) // 8


def pack(samples: npt.NDArray[np.int32], smallest: int, depth: int) -> bytes:
    """The samples (any shape) as offsets from `smallest`, most significant bit first."""
    buffer = np.empty(stored_bytes(samples.size, depth) + 8, np.uint8)
    bits = initial_bits()
    pack_kernel(samples.reshape(-1) - smallest, depth, buffer, bits)
    return buffer[: finish(buffer, bits)].tobytes()


def unpack_line(
    data: npt.NDArray[np.uint8], bits: npt.NDArray[np.int64], smallest: int, depth: int, out_line: npt.NDArray[np.int32]
) -> None:
    """Fill the next line (Z, X); `bits` advances in place. The caller has checked the payload's length."""
    unpack_kernel(data, depth, bits, out_line.reshape(-1))
    out_line += smallest

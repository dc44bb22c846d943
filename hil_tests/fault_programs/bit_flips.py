"""Bits that flip in memory, on purpose: for trials of what finds them."""

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt


def held_arrays(value: Any) -> Iterator[npt.NDArray[Any]]:
    """All arrays that `value` holds, as `runtime.defences.checksum` visits it; bytes as arrays of the same memory."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, bytes | bytearray):
        yield np.frombuffer(value, np.uint8)
    elif isinstance(value, tuple | list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from held_arrays(part)
    elif hasattr(value, "__dict__"):
        yield from held_arrays(vars(value))


def flip_bit(value: Any, generator: np.random.Generator) -> str:
    """Change one bit of the arrays that `value` holds, each bit as likely as any other; says which."""
    arrays = [array for array in held_arrays(value) if array.nbytes and array.flags.c_contiguous]
    place = int(generator.integers(sum(array.nbytes for array in arrays)))
    for i, array in enumerate(arrays):
        if place < array.nbytes:
            bit = int(generator.integers(8))
            ctypes.c_uint8.from_address(array.ctypes.data + place).value ^= 1 << bit  # writes where NumPy may not
            return f"bit {bit} of byte {place} of array {i}, {array.dtype} of shape {array.shape}"
        place -= array.nbytes
    raise AssertionError("there is no array to change")

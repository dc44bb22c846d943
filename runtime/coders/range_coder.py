"""A range coder: symbols of given shares of 2**15, and plain bits, in whole bytes with carries.

A coder is three integers, kept in registers over a line: low (of a reader: code), span, position. A carry runs back
through bytes that are written already. Integers only. Method: Martin 1979, as a 32-bit coder.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.kernels.kernel_cache import njit

SHARE_BITS = 15
LOW, SPAN, POSITION = 0, 1, 2
"""Places of a coder between lines: the interval's lower bound (of a reader: the code less it), its length, bytes."""
SMALLEST_SPAN, FULL = 1 << 24, 1 << 32
LAST_BYTES = 4

Coder = npt.NDArray[np.int64]
"""(3,)."""


def initial_writer() -> Coder:
    """Before the first symbol."""
    return np.array([0, FULL - 1, 0], np.int64)


@njit(cache=True)
def carry(position: Any, out: Any) -> None:
    """Add one to the number that the bytes before `position` are; it never overflows."""
    i = position - 1
    while out[i] == 255:
        out[i] = 0
        i -= 1
    out[i] += np.uint8(1)


@njit(cache=True)
def take_carry_back(position: Any, out: Any) -> None:
    """Undo one `carry`. Between two states of a coder there is at most one: low + span is less than 2**33."""
    i = position - 1
    while out[i] == 0:
        out[i] = 255
        i -= 1
    out[i] -= np.uint8(1)


def bits_written(coder: Coder) -> int:
    """Information in the bytes and the interval of a writer, to the next bit."""
    return 8 * int(coder[POSITION]) + FULL.bit_length() - int(coder[SPAN]).bit_length()


@njit(cache=True, inline="always")
def put(first: Any, share: Any, bits: Any, low: Any, span: Any, position: Any, out: Any) -> Any:
    """Narrow the interval to first..first + share - 1 of 2**bits; returns (low, span, position)."""
    part = span >> bits
    low += part * first
    span = part * share
    if low >= FULL:
        low -= FULL
        carry(position, out)
    while span < SMALLEST_SPAN:
        out[position] = low >> 24
        low = (low & 0x00FFFFFF) << 8
        span <<= 8
        position += 1
    return low, span, position


def last_bytes(coder: Coder) -> bytes:
    """What ends a payload after the bytes that are written."""
    return int(coder[LOW]).to_bytes(LAST_BYTES, "big")


def initial_reader(data: npt.NDArray[np.uint8]) -> Coder:
    """Before the first symbol of `data` (N,)."""
    head = data[:LAST_BYTES].tobytes().ljust(LAST_BYTES, b"\0")
    return np.array([int.from_bytes(head, "big"), FULL - 1, LAST_BYTES], np.int64)


@njit(cache=True, inline="always")
def place(bits: Any, code: Any, span: Any) -> Any:
    """Where in 0..2**bits - 1 the code lies."""
    return min(code // (span >> bits), (1 << bits) - 1)


@njit(cache=True, inline="always")
def take(first: Any, share: Any, bits: Any, code: Any, span: Any, position: Any, data: Any) -> Any:
    """Narrow the interval as `put` did; returns (code, span, position)."""
    part = span >> bits
    code -= part * first
    span = part * share
    while span < SMALLEST_SPAN:
        byte = np.int64(data[position]) if position < data.size else np.int64(0)
        code = ((code << 8) | byte) & (FULL - 1)  # corrupt bytes may leave it above span
        span <<= 8
        position += 1
    return code, span, position

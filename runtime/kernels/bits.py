"""Most-significant-bit-first bit writing and reading, as a tuple of scalars that a kernel carries by hand.

A writer is (position, pending, n_pending): bytes stored so far, and fewer than 32 bits not stored yet.
A reader is (position, pending, n_pending): bytes consumed so far, and up to 63 bits read ahead.
All are int64 and live in the registers of the calling kernel; between calls they are kept in an int64[3].
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.kernels.kernel_cache import njit

Uint8Array = npt.NDArray[np.uint8]
BitState = npt.NDArray[np.int64]

WORD_BITS = 32


def initial_bits() -> BitState:
    """The state of a writer or reader before the first bit: int64[3] of zeros."""
    return np.zeros(3, np.int64)


@njit(cache=True, inline="always")
def put_bits(buffer: Any, writer: Any, value: Any, n_bits: Any) -> Any:
    """Append the `n_bits` low bits of `value`, 0 <= n_bits <= 32 and 0 <= value < 2**n_bits.

    The caller guarantees room: 4 bytes beyond `position`. Returns the new writer state.
    """
    position, pending, n_pending = writer
    pending = (pending << n_bits) | value  # < 2**63, because fewer than 32 bits were pending
    n_pending += n_bits
    if n_pending >= WORD_BITS:
        n_pending -= WORD_BITS
        word = pending >> n_pending
        buffer[position] = (word >> 24) & 255
        buffer[position + 1] = (word >> 16) & 255
        buffer[position + 2] = (word >> 8) & 255
        buffer[position + 3] = word & 255
        position += 4
        pending &= (np.int64(1) << n_pending) - 1
    return position, pending, n_pending


@njit(cache=True, inline="always")
def refill(data: Any, reader: Any) -> Any:
    """Read ahead until at least 32 bits are pending; past the end of `data` zeros are read.

    `position` then passes len(data), which is how a caller notices: see `overrun`.
    """
    position, pending, n_pending = reader
    if n_pending < WORD_BITS:
        if position + 4 <= data.size:
            word = (
                (np.int64(data[position]) << 24)
                | (np.int64(data[position + 1]) << 16)
                | (np.int64(data[position + 2]) << 8)
                | np.int64(data[position + 3])
            )
        else:
            word = np.int64(0)
            for offset in range(4):
                word <<= 8
                if position + offset < data.size:
                    word |= np.int64(data[position + offset])
        pending = (pending << 32) | word  # < 2**63, because fewer than 32 bits were pending
        n_pending += 32
        position += 4
    return position, pending, n_pending


@njit(cache=True, inline="always")
def take_bits(reader: Any, n_bits: Any) -> Any:
    """The next `n_bits` <= n_pending bits as a number, and the new reader state."""
    position, pending, n_pending = reader
    n_pending -= n_bits
    value = pending >> n_pending
    pending &= ~(np.int64(-1) << n_pending)  # n_pending may be 63, where 1 << 63 would overflow
    return value, (position, pending, n_pending)


@njit(cache=True, inline="always")
def overrun(n_bytes: Any, reader: Any) -> Any:
    """True where a reader has consumed more bits than the `n_bytes` it was given."""
    return reader[0] * 8 - reader[2] > n_bytes * 8


def finish(buffer: Uint8Array, bits: BitState) -> int:
    """Store the pending bits, zero-filled to a whole byte; returns the number of bytes in `buffer`."""
    position, pending, n_pending = (int(value) for value in bits)
    n_tail = (n_pending + 7) // 8
    tail = pending << (n_tail * 8 - n_pending)
    buffer[position : position + n_tail] = np.frombuffer(tail.to_bytes(n_tail, "big"), np.uint8)
    return position + n_tail

"""A range coder: symbols of given shares of 2**15, and plain bits, in whole bytes with carries.

The state is five integers; the names of their places are below. Integers only. Method: Martin 1979, as a 32-bit coder
whose carry waits in bytes not yet written.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

SHARE_BITS = 15
LOW, RANGE, CACHE, N_WAITING, POSITION = 0, 1, 2, 3, 4
"""Of a writer: bounds of the interval, a byte and bytes of 255 that a carry may still change, bytes written."""
CODE = 0
"""Of a reader, in the place of LOW; N_WAITING counts bytes that were read beyond the end; none are of a whole
payload."""
SMALLEST_RANGE, FULL = 1 << 24, 1 << 32

State = npt.NDArray[np.int64]


def initial_writer() -> State:
    """Before the first symbol. The first byte written is always 0 and is left out by `finish`."""
    return np.array([0, FULL - 1, 0, 0, 0], np.int64)


@njit(cache=True)
def shift_low(state: Any, out: Any) -> None:
    """Move the top byte of the lower bound out of the interval, into `out` once no carry can reach it."""
    low = state[LOW]
    if low < 0xFF000000 or low >= FULL:
        carry = low >> 32
        position = state[POSITION]
        out[position] = (state[CACHE] + carry) & 255
        for i in range(state[N_WAITING]):
            out[position + 1 + i] = (255 + carry) & 255
        state[POSITION] = position + 1 + state[N_WAITING]
        state[N_WAITING] = 0
        state[CACHE] = (low >> 24) & 255
    else:
        state[N_WAITING] += 1
    state[LOW] = (low & 0x00FFFFFF) << 8


@njit(cache=True)
def put(first: Any, share: Any, bits: Any, state: Any, out: Any) -> None:
    """Narrow the interval to first..first + share - 1 of 2**bits."""
    part = state[RANGE] >> bits
    state[LOW] += part * first
    state[RANGE] = part * share
    while state[RANGE] < SMALLEST_RANGE:
        state[RANGE] <<= 8
        shift_low(state, out)


@njit(cache=True)
def finish(state: Any, out: Any) -> Any:
    """Write what is left; returns the number of bytes in `out`."""
    for _ in range(5):
        shift_low(state, out)
    return state[POSITION]


@njit(cache=True)
def next_byte(state: Any, data: Any) -> Any:
    """The next byte of `data`, 0 beyond its end."""
    position = state[POSITION]
    state[POSITION] = position + 1
    if position < data.size:
        return np.int64(data[position])
    state[N_WAITING] += 1
    return np.int64(0)


@njit(cache=True)
def begin_reading(data: Any, state: Any) -> None:
    """Set the state (5,) to the first symbol of `data` (N,) uint8, without the byte that `finish` left out."""
    state[:] = 0
    state[RANGE] = FULL - 1
    for _ in range(4):
        state[CODE] = (state[CODE] << 8) | next_byte(state, data)


@njit(cache=True)
def place(bits: Any, state: Any) -> Any:
    """Where in 0..2**bits - 1 the code lies."""
    return min(state[CODE] // (state[RANGE] >> bits), (1 << bits) - 1)


@njit(cache=True)
def take(first: Any, share: Any, bits: Any, state: Any, data: Any) -> None:
    """Narrow the interval as `put` did."""
    part = state[RANGE] >> bits
    state[CODE] -= part * first
    state[RANGE] = part * share
    while state[RANGE] < SMALLEST_RANGE:
        state[RANGE] <<= 8
        state[CODE] = (state[CODE] << 8) | next_byte(state, data)

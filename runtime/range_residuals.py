"""Mapped residuals of a segment by a range coder with contexts (docs/formats/stream.md, coder 4)."""

from typing import Any

import numpy as np
from numba import njit

from runtime.errors import Corrupt, Truncated
from runtime.golomb_residuals import Mapped
from runtime.range_coder import (
    N_WAITING,
    POSITION,
    SHARE_BITS,
    begin_reading,
    finish,
    initial_writer,
    place,
    put,
    take,
)
from runtime.residual_contexts import context, end_band, end_line, fill_known, initial_contexts
from runtime.stream_format import Coder
from runtime.symbol_counts import ESCAPE_CONTEXT, N_SYMBOLS, count, initial_counts, shift_of

ESCAPE = N_SYMBOLS - 1
LARGEST_SIZE = 17
"""Bits of an escaped residual less what its symbol says, plus one."""
LARGEST_SAMPLE_BYTES = 12  # of one residual: three symbols of 15 bits, two plain numbers of 17
SAMPLES_IN_A_BIT = 1 << 10
"""More than the likeliest symbol takes; bounds what a payload can announce."""


@njit(cache=True)
def put_symbol(where: Any, symbol: Any, counts: Any, coder: Any, out: Any) -> None:
    """Code a symbol in a context, and count it."""
    first = counts.firsts[where, symbol]
    put(first, counts.firsts[where, symbol + 1] - first, SHARE_BITS, coder, out)
    count(where, symbol, counts)


@njit(cache=True)
def take_symbol(where: Any, counts: Any, coder: Any, data: Any) -> Any:
    """The symbol that `put_symbol` wrote."""
    firsts, target = counts.firsts[where], place(SHARE_BITS, coder)
    symbol = np.int64(0)
    while firsts[symbol + 1] <= target:
        symbol += 1
    take(firsts[symbol], firsts[symbol + 1] - firsts[symbol], SHARE_BITS, coder, data)
    count(where, symbol, counts)
    return symbol


@njit(cache=True)
def take_bits(n_bits: Any, coder: Any, data: Any) -> Any:
    """A number of so many plain bits."""
    value = place(n_bits, coder)
    take(value, 1, n_bits, coder, data)
    return value


@njit(cache=True)
def encode_line(mapped: Any, contexts: Any, counts: Any, coder: Any, out: Any) -> None:
    """Append a line (Z, X) to `out`, which has room for it."""
    known = np.empty(mapped.shape[1], np.int64)
    for z in range(mapped.shape[0]):
        row = mapped[z]
        fill_known(z, mapped, contexts, known)
        for x in range(row.size):
            where = context(x, known, row)
            shift = shift_of(where)
            value = np.int64(row[x])
            high = value >> shift
            put_symbol(where, min(high, ESCAPE), counts, coder, out)
            if high >= ESCAPE:
                rest = high - ESCAPE + 1
                size = np.int64(0)
                while rest >> (size + 1) > 0:
                    size += 1
                put_symbol(ESCAPE_CONTEXT, size, counts, coder, out)
                if size > 0:
                    put(rest - (1 << size), 1, size, coder, out)
            if shift > 0:
                put(value & ((1 << shift) - 1), 1, shift, coder, out)
        end_band(z, row, contexts)
    end_line(mapped, contexts)


@njit(cache=True)
def decode_line(largest: Any, contexts: Any, counts: Any, coder: Any, data: Any, out_mapped: Any) -> Any:
    """Fill a line (Z, X); the first band with a residual above `largest`, or -1."""
    known = np.empty(out_mapped.shape[1], np.int64)
    for z in range(out_mapped.shape[0]):
        row = out_mapped[z]
        fill_known(z, out_mapped, contexts, known)
        for x in range(row.size):
            where = context(x, known, row)
            shift = shift_of(where)
            high = take_symbol(where, counts, coder, data)
            if high == ESCAPE:
                size = take_symbol(ESCAPE_CONTEXT, counts, coder, data)
                if size > LARGEST_SIZE:
                    return np.int64(z)
                rest = np.int64(1) << size
                if size > 0:
                    rest += take_bits(size, coder, data)
                high += rest - 1
            value = high << shift
            if shift > 0:
                value += take_bits(shift, coder, data)
            if value > largest:
                return np.int64(z)
            row[x] = value
        end_band(z, row, contexts)
    end_line(out_mapped, contexts)
    return np.int64(-1)


class RangeWriter:
    """One segment being written."""

    def __init__(self, n_bands: int, n_columns: int) -> None:
        self.contexts = initial_contexts(n_bands, n_columns)
        self.counts = initial_counts()
        self.coder = initial_writer()
        self.buffer = np.empty(0, np.uint8)

    def push(self, mapped: Mapped) -> None:
        """Append a line."""
        position = int(self.coder[POSITION])
        room = mapped.size * LARGEST_SAMPLE_BYTES + int(self.coder[N_WAITING]) + 16
        if position + room > self.buffer.size:
            self.buffer = np.concatenate([self.buffer[:position], np.empty(position // 2 + room, np.uint8)])
        encode_line(mapped, self.contexts, self.counts, self.coder, self.buffer)

    def coded(self) -> tuple[Coder, bytes]:
        """As in `runtime.residual_coders.CodingWriter`."""
        return Coder.RANGE, self.payload()

    def payload(self) -> bytes:
        """The finished bytes, without the first, which is 0."""
        coder = self.coder.copy()
        buffer = np.concatenate([self.buffer, np.empty(int(coder[N_WAITING]) + 16, np.uint8)])
        return buffer[1 : finish(coder, buffer)].tobytes()


class RangeReader:
    """One segment being read."""

    def __init__(self, payload: bytes, depth: int, n_bands: int, n_columns: int, n_lines: int) -> None:
        """Raise Corrupt where the payload cannot hold so many samples."""
        n_samples = n_lines * n_bands * n_columns
        if n_samples > 8 * SAMPLES_IN_A_BIT * len(payload):
            raise Corrupt(f"range-coded segment: {n_samples} samples in {len(payload)} bytes")
        self.largest = (1 << depth) - 1
        self.contexts = initial_contexts(n_bands, n_columns)
        self.counts = initial_counts()
        self.data = np.frombuffer(payload, np.uint8)
        self.coder = np.zeros(5, np.int64)
        begin_reading(self.data, self.coder)

    def take(self, out_mapped: Mapped) -> None:
        """Fill the next line. Raises Truncated or Corrupt."""
        band = decode_line(self.largest, self.contexts, self.counts, self.coder, self.data, out_mapped)
        if self.coder[N_WAITING] > 0:
            raise Truncated(f"range-coded segment ends after {self.data.size} bytes, its residuals do not")
        if band >= 0:
            raise Corrupt(f"range-coded segment: a residual of band {band} is above {self.largest}")

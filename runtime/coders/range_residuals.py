"""Mapped residuals of a segment by a range coder with contexts (docs/formats/stream.md, coder 4)."""

from typing import Any

import numpy as np
from typing_extensions import override

from runtime.coders.flag_contexts import SAMPLES_IN_A_BIT as FLAGS_IN_A_BIT
from runtime.coders.line_coder import LineReader, LineWriter, Mapped
from runtime.coders.range_coder import (
    LOW,
    POSITION,
    SHARE_BITS,
    SPAN,
    bits_written,
    initial_reader,
    initial_writer,
    last_bytes,
    place,
    put,
    take,
    take_carry_back,
)
from runtime.coders.residual_contexts import context, end_band, end_line, expected_size, fill_known, initial_contexts
from runtime.coders.symbol_counts import ESCAPE_CONTEXT, N_SYMBOLS, count, initial_counts, shift_of
from runtime.errors import Corrupt, Truncated
from runtime.kernels.kernel_cache import njit
from runtime.kernels.log2 import log2_floor
from runtime.kernels.marks import Marks, kernel_marks

ESCAPE = N_SYMBOLS - 1
LARGEST_SIZE = 17  # Bits of an escaped residual less what its symbol stands for, plus one
LARGEST_SAMPLE_BYTES = 12  # of one residual: three symbols of 15 bits, two plain numbers of 17
SAMPLES_IN_A_BIT = 1 << 10  # More than the likeliest symbol takes; bounds what a payload can announce.


@njit(cache=True, inline="always")
def symbol_at(target: Any, firsts: Any) -> Any:
    """The symbol whose share holds `target`. firsts: (N_SYMBOLS + 1,)."""
    symbol = np.int64(0)
    while firsts[symbol + 1] <= target:
        symbol += 1
    return symbol


@njit(cache=True)
def encode_line(mapped: Any, marks: Any, contexts: Any, counts: Any, coder: Any, out: Any) -> None:
    """Append a line (Z, X) to `out`, which has room for it.

    marks: (Z, X), or (Z, 0) for none; a sample that is marked is not coded, and becomes what it was expected to be.
    """
    known = np.empty(mapped.shape[1], np.int64)
    firsts, low, span, position = counts.firsts, coder[LOW], coder[SPAN], coder[POSITION]
    for z in range(mapped.shape[0]):
        row = mapped[z]
        fill_known(z, mapped, contexts, known)
        for x in range(row.size):
            expected = expected_size(x, known, row)
            if marks.size > 0 and marks[z, x]:
                row[x] = expected >> 4
                continue
            where = context(expected)
            shift = shift_of(where)
            value = np.int64(row[x])
            high = value >> shift
            symbol = min(high, ESCAPE)
            first = firsts[where, symbol]
            share = firsts[where, symbol + 1] - first
            low, span, position = put(first, share, SHARE_BITS, low, span, position, out)
            count(where, symbol, counts)
            if high >= ESCAPE:
                rest = high - ESCAPE + 1
                size = log2_floor(rest)
                first = firsts[ESCAPE_CONTEXT, size]
                share = firsts[ESCAPE_CONTEXT, size + 1] - first
                low, span, position = put(first, share, SHARE_BITS, low, span, position, out)
                count(ESCAPE_CONTEXT, size, counts)
                low, span, position = put(rest - (1 << size), 1, size, low, span, position, out)
            low, span, position = put(value & ((1 << shift) - 1), 1, shift, low, span, position, out)
        end_band(z, row, contexts)
    end_line(mapped, contexts)
    coder[LOW], coder[SPAN], coder[POSITION] = low, span, position


@njit(cache=True)
def decode_line(largest: Any, marks: Any, contexts: Any, counts: Any, coder: Any, data: Any, out_mapped: Any) -> Any:
    """Fill a line (Z, X), marks as in `encode_line`; the first band with a residual above `largest`, or -1."""
    known = np.empty(out_mapped.shape[1], np.int64)
    firsts, code, span, position = counts.firsts, coder[LOW], coder[SPAN], coder[POSITION]
    failed = np.int64(-1)
    for z in range(out_mapped.shape[0]):
        row = out_mapped[z]
        fill_known(z, out_mapped, contexts, known)
        for x in range(row.size):
            expected = expected_size(x, known, row)
            if marks.size > 0 and marks[z, x]:
                row[x] = expected >> 4
                continue
            where = context(expected)
            shift = shift_of(where)
            high = symbol_at(place(SHARE_BITS, code, span), firsts[where])
            first = firsts[where, high]
            share = firsts[where, high + 1] - first
            code, span, position = take(first, share, SHARE_BITS, code, span, position, data)
            count(where, high, counts)
            if high == ESCAPE:
                size = symbol_at(place(SHARE_BITS, code, span), firsts[ESCAPE_CONTEXT])
                first = firsts[ESCAPE_CONTEXT, size]
                share = firsts[ESCAPE_CONTEXT, size + 1] - first
                code, span, position = take(first, share, SHARE_BITS, code, span, position, data)
                count(ESCAPE_CONTEXT, size, counts)
                if size > LARGEST_SIZE:
                    failed = np.int64(z)
                    break
                rest = place(size, code, span)
                code, span, position = take(rest, 1, size, code, span, position, data)
                high += (np.int64(1) << size) + rest - 1
            value = high << shift
            if shift > 0:
                rest = place(shift, code, span)
                code, span, position = take(rest, 1, shift, code, span, position, data)
                value += rest
            if value > largest:
                failed = np.int64(z)
                break
            row[x] = value
        if failed >= 0:
            break
        end_band(z, row, contexts)
    end_line(out_mapped, contexts)
    coder[LOW], coder[SPAN], coder[POSITION] = code, span, position
    return failed


class RangeWriter(LineWriter):
    """One segment being written."""

    def __init__(self, n_bands: int, n_columns: int) -> None:
        self.shape = (n_bands, n_columns)
        self.coder = initial_writer()
        self.buffer = np.empty(0, np.uint8)
        self.reset_statistics()

    def reset_statistics(self) -> None:
        """As before the first line."""
        self.contexts, self.counts = initial_contexts(*self.shape), initial_counts()

    @property
    @override
    def n_bits(self) -> int:
        return bits_written(self.coder)

    @override
    def push(self, mapped: Mapped, marks: Marks | None = None) -> None:
        position = int(self.coder[POSITION])
        self.before = (self.coder.copy(), int(self.buffer[position - 1]) if position else 0)
        room = mapped.size * LARGEST_SAMPLE_BYTES
        if position + room > self.buffer.size:
            self.buffer = np.concatenate([self.buffer[:position], np.empty(position // 2 + room, np.uint8)])
        encode_line(mapped, kernel_marks(marks, self.shape[0]), self.contexts, self.counts, self.coder, self.buffer)

    @override
    def undo(self) -> None:
        """The interval as it was; what was learned is given up, because keeping a copy would cost every line."""
        self.coder, last_byte = self.before
        position = int(self.coder[POSITION])
        if position and self.buffer[position - 1] != last_byte:
            take_carry_back(position, self.buffer)
        self.reset_statistics()

    @override
    def payload(self) -> bytes:
        return b"".join([self.buffer[: int(self.coder[POSITION])].data, last_bytes(self.coder)])


class RangeReader(LineReader):
    """One segment being read."""

    def __init__(
        self, payload: bytes, depth: int, n_bands: int, n_columns: int, n_lines: int, n_flag_bytes: int = 0
    ) -> None:
        """Raise Corrupt where the payload, and flags of special values beside it, cannot hold so many samples."""
        n_samples = n_lines * n_bands * n_columns
        if n_samples > 8 * (SAMPLES_IN_A_BIT * len(payload) + FLAGS_IN_A_BIT * n_flag_bytes):
            raise Corrupt(f"range-coded segment: {n_samples} samples in {len(payload)} bytes")
        self.largest = (1 << depth) - 1
        self.shape = (n_bands, n_columns)
        self.reset_statistics()
        self.data = np.frombuffer(payload, np.uint8)
        self.coder = initial_reader(self.data)

    @override
    def reset_statistics(self) -> None:
        self.contexts, self.counts = initial_contexts(*self.shape), initial_counts()

    @override
    def take(self, out_mapped: Mapped, marks: Marks | None = None) -> None:
        known = kernel_marks(marks, self.shape[0])
        band = decode_line(self.largest, known, self.contexts, self.counts, self.coder, self.data, out_mapped)
        if self.coder[POSITION] > self.data.size:
            raise Truncated(f"range-coded segment ends after {self.data.size} bytes, its residuals do not")
        if band >= 0:
            raise Corrupt(f"range-coded segment: a residual of band {band} is above {self.largest}")

"""Mapped residuals of a segment by the hybrid coder of CCSDS 123.0-B-2 (docs/formats/stream.md, coder 3).

It spends less than a bit on a sample where residuals are nearly all 0. Its codewords are read from the last one back,
so the reader holds the mapped residuals of the whole segment, in memory bounded by its payload: of a line that is
nearly all 0 only the others. The writer goes forwards, line after line.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from runtime.ccsds123.body import raise_status, untrusted
from runtime.ccsds123.golomb import CoderNumbers
from runtime.ccsds123.hybrid import HybridState, encode_pieces
from runtime.ccsds123.hybrid_decoder import counter_at, decode_backwards, end_of_body, take_tail
from runtime.ccsds123.low_entropy import N_CODES, low_entropy_tables
from runtime.coders.line_coder import BodyLineWriter, LineReader, Mapped
from runtime.errors import Corrupt
from runtime.kernels.marks import Marks

RESCALING_EXPONENT = 8
LARGEST_SAMPLES = 1 << 28
"""Of a segment: bounds the time of a reader."""
SPARSE = 32
"""A line where at most one residual in so many is not 0 is kept as these."""


def hybrid_numbers(depth: int) -> CoderNumbers:
    """The coder of the format for residuals of at most 16 bits: U_max 18, gamma* 8, gamma0 1."""
    return CoderNumbers(depth, 18, RESCALING_EXPONENT, 1)


class HybridWriter(BodyLineWriter[HybridState]):
    """One segment being written."""

    def __init__(self, depth: int, n_bands: int) -> None:
        self.numbers = hybrid_numbers(depth)
        self.tables = low_entropy_tables()
        first = min(4 << self.numbers.initial_count_exponent, (1 << (depth + self.numbers.initial_count_exponent)) - 1)
        prefixes = self.tables.root.astype(np.int64)
        super().__init__(HybridState(np.full(n_bands, first, np.int64), np.zeros(n_bands, np.int64), prefixes))

    @override
    def push(self, mapped: Mapped, marks: Marks | None = None) -> None:
        self.keep()
        # at most a rescaling bit, an escaped residual and a low-entropy word of 21 bits for each sample
        self.body.make_room(mapped.size * (self.numbers.unary_limit + self.numbers.depth + 22) // 8)
        sequence = mapped.reshape(-1).astype(np.uint32)
        encode_pieces(sequence, 1, self.numbers, self.tables, self.state, self.body.buffer, self.body.bits)

    @override
    def payload(self) -> bytes:
        """With the tail (5.4.3.3.5.4)."""
        for node in self.state.prefix:
            self.body.put_all([int(self.tables.flush_value[node])], int(self.tables.flush_bits[node]))
        self.body.put_all(self.state.accumulator.tolist(), 2 + self.numbers.depth + self.numbers.rescaling_exponent)
        self.body.put_all([1], 1)
        return bytes(self.body.finish())


class HybridReader(LineReader):
    """One segment, read as a whole at the start."""

    def __init__(self, payload: bytes, depth: int, n_bands: int, n_columns: int, n_lines: int) -> None:
        """Raise Corrupt or Truncated."""
        check_announcement(len(payload), n_bands, n_lines * n_columns)
        self.lines: list[KeptLine] = []
        data, numbers, tables = untrusted(payload), hybrid_numbers(depth), low_entropy_tables()
        end = np.array([end_of_body(data)], np.int64)
        accumulators, prefixes = np.empty(n_bands, np.int64), np.empty(N_CODES, np.int64)
        status = take_tail(data, end, numbers, tables, accumulators, prefixes)
        raise_status(status, "the tail of a hybrid segment", len(data))
        last = counter_at(n_lines * n_columns - 1, numbers.initial_count_exponent, numbers.rescaling_exponent)
        counters, sequence = np.full(n_bands, last, np.int64), np.empty(n_bands * n_columns, np.uint32)
        state = HybridState(accumulators, counters, prefixes)
        for y in range(n_lines - 1, -1, -1):
            status = decode_backwards(data, end, 1, y * n_columns, numbers, tables, state, sequence)
            raise_status(status, f"line {y} of a hybrid segment", len(data))
            self.lines.append(kept_line(sequence))
        if end[0] != 0:
            raise Corrupt(f"hybrid segment: {end[0]} bits lie before its first sample, must be none")

    @override
    def take(self, out_mapped: Mapped, marks: Marks | None = None) -> None:
        line, values = self.lines.pop(), out_mapped.reshape(-1)
        if line.places is None:
            values[:] = line.values
        else:
            values[:] = 0
            values[line.places] = line.values


class KeptLine(NamedTuple):
    """The mapped residuals of a line, band after band."""

    values: npt.NDArray[np.uint16]
    places: npt.NDArray[np.uint32] | None
    """Of the values, where the others are 0 and not kept."""


def kept_line(sequence: npt.NDArray[np.uint32]) -> KeptLine:
    """All residuals (Z * X,) of a line, or those that are not 0."""
    is_other = sequence != 0
    if SPARSE * int(np.count_nonzero(is_other)) > sequence.size:
        return KeptLine(sequence.astype(np.uint16), None)
    places = np.flatnonzero(is_other).astype(np.uint32)
    return KeptLine(sequence[places].astype(np.uint16), places)


def check_announcement(n_bytes: int, n_bands: int, n_times: int) -> None:
    """Raise Corrupt where `n_bytes` cannot hold so many samples: each band writes a bit at every rescaling at least."""
    n_rescalings = max(0, n_times - (1 << RESCALING_EXPONENT)) >> (RESCALING_EXPONENT - 1)
    if n_bands * n_times > LARGEST_SAMPLES or n_bands * n_rescalings > 8 * n_bytes:
        allowed = f"{LARGEST_SAMPLES}, and a bit for every {1 << (RESCALING_EXPONENT - 1)}"
        raise Corrupt(f"hybrid segment: {n_bands * n_times} samples in {n_bytes} bytes, allowed {allowed}")

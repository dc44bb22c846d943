"""The coders of mapped residuals: the standard's two, side by side while both may win, or the range coder.

The range coder is the smallest wherever it was measured, and takes several times as long as they
(benchmarks/results/adaptive_speed.md): it goes with the adaptive stage `best`, which takes longer by itself.
"""

from typing import Protocol

import numpy as np

from runtime.coders.golomb_residuals import GolombReader, GolombWriter, Mapped
from runtime.coders.hybrid_residuals import LARGEST_SAMPLES, HybridReader, HybridWriter
from runtime.coders.range_residuals import RangeReader, RangeWriter
from runtime.errors import Corrupt
from runtime.segments.stored import PlainReader, PlainWriter, stored_bytes
from runtime.stream.stream_format import AdaptiveStage, Coder

HEAD_LINES, TRIAL_LINES = 4, 8
"""Once there are TRIAL_LINES, the hybrid coder is given up when it is behind over the lines after the first HEAD_LINES,
where predictions still learn and its longer memory is a burden."""


class ResidualReader(Protocol):
    """The mapped residuals of one segment, line after line."""

    def take(self, out_mapped: Mapped) -> None:
        """Fill the next line (Z, X). Raises Truncated or Corrupt."""


class CodingWriter(Protocol):
    """The mapped residuals of one segment being written, in memory bounded by what they are coded to."""

    def push(self, mapped: Mapped) -> None:
        """Append a line (Z, X)."""

    def coded(self) -> tuple[Coder, bytes]:
        """The coder and the finished bytes."""


class StandardWriter:
    """The coders of CCSDS 123.0-B-2, side by side while both may win."""

    def __init__(self, depth: int, n_bands: int) -> None:
        self.golomb = GolombWriter(depth, n_bands)
        self.hybrid: HybridWriter | None = HybridWriter(depth, n_bands)
        self.head_lag = 0
        self.n_lines = 0

    def push(self, mapped: Mapped) -> None:
        """As in `CodingWriter`."""
        self.n_lines += 1
        self.golomb.push(mapped)
        if self.hybrid is None:
            return
        if self.n_lines * mapped.size > LARGEST_SAMPLES:
            self.hybrid = None
            return
        self.hybrid.push(mapped)
        lag = self.hybrid.n_bits - self.golomb.n_bits
        if self.n_lines == HEAD_LINES:
            self.head_lag = lag
        if self.n_lines >= TRIAL_LINES and lag > self.head_lag:
            self.hybrid = None

    def coded(self) -> tuple[Coder, bytes]:
        """As in `CodingWriter`: the smaller one."""
        payload = self.golomb.payload()
        other = self.hybrid.payload() if self.hybrid is not None else payload
        return (Coder.HYBRID, other) if len(other) < len(payload) else (Coder.SAMPLE_ADAPTIVE, payload)


class ResidualWriter:
    """One segment being written: coded, or plain where that is smaller."""

    def __init__(self, depth: int, n_bands: int, n_columns: int, stage: AdaptiveStage) -> None:
        self.depth = depth
        self.shape = (n_bands, n_columns)
        is_best = stage is AdaptiveStage.BEST
        self.writer: CodingWriter = RangeWriter(n_bands, n_columns) if is_best else StandardWriter(depth, n_bands)
        self.n_lines = 0

    @property
    def n_samples(self) -> int:
        """So far."""
        return self.n_lines * self.shape[0] * self.shape[1]

    def push(self, mapped: Mapped) -> None:
        """Append a line (Z, X)."""
        self.n_lines += 1
        self.writer.push(mapped)

    def coded(self, *, may_be_plain: bool) -> tuple[Coder, bytes]:
        """The smallest form; a plain one only where that is allowed."""
        coder, payload = self.writer.coded()
        if may_be_plain and stored_bytes(self.n_samples, self.depth) < len(payload):
            return Coder.STORED, self.plain(coder, payload)
        return coder, payload

    def plain(self, coder: Coder, payload: bytes) -> bytes:
        """The plain form, from the coded one: the residuals themselves are gone."""
        reader, writer = residual_reader(coder, payload, self.depth, *self.shape, self.n_lines), PlainWriter(self.depth)
        mapped = np.empty(self.shape, np.int32)
        for _ in range(self.n_lines):
            reader.take(mapped)
            writer.push(mapped)
        return writer.payload()


def residual_reader(
    coder: Coder, payload: bytes, depth: int, n_bands: int, n_columns: int, n_lines: int
) -> ResidualReader:
    """The reader of a segment. Raises Corrupt or Truncated."""
    if coder is Coder.SAMPLE_ADAPTIVE:
        return GolombReader(payload, depth, n_bands, n_columns, n_lines)
    if coder is Coder.HYBRID:
        return HybridReader(payload, depth, n_bands, n_columns, n_lines)
    if coder is Coder.RANGE:
        return RangeReader(payload, depth, n_bands, n_columns, n_lines)
    if coder is Coder.STORED:
        return PlainReader(payload, depth, n_bands * n_columns * n_lines)
    raise Corrupt(f"coder is {coder.name.lower()}, which codes no residuals")

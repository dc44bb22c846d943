"""The coders of mapped residuals: two run side by side while both may win; the smaller result is the segment's."""

from typing import Protocol

import numpy as np

from runtime.errors import Corrupt
from runtime.golomb_residuals import GolombReader, GolombWriter, Mapped
from runtime.hybrid_residuals import LARGEST_SAMPLES, HybridReader, HybridWriter
from runtime.stored import PlainReader, PlainWriter, stored_bytes
from runtime.stream_format import Coder

TRIAL_LINES = 8
NEEDED_LEAD = 1 << 10
"""From the 8th line on the hybrid coder goes on only while it is ahead by this part of its rival's bits."""


class ResidualReader(Protocol):
    """The mapped residuals of one segment, line after line."""

    def take(self, out_mapped: Mapped) -> None:
        """Fill the next line (Z, X). Raises Truncated or Corrupt."""


class ResidualWriter:
    """The mapped residuals of one segment being written, in memory bounded by what they are coded to."""

    def __init__(self, depth: int, n_bands: int, n_columns: int) -> None:
        self.depth = depth
        self.shape = (n_bands, n_columns)
        self.golomb = GolombWriter(depth, n_bands)
        self.hybrid: HybridWriter | None = HybridWriter(depth, n_bands)
        self.n_lines = 0

    @property
    def n_samples(self) -> int:
        """So far."""
        return self.n_lines * self.shape[0] * self.shape[1]

    def push(self, mapped: Mapped) -> None:
        """Append a line."""
        self.n_lines += 1
        self.golomb.push(mapped)
        if self.hybrid is None:
            return
        if self.n_samples > LARGEST_SAMPLES:
            self.hybrid = None
            return
        self.hybrid.push(mapped)
        allowed = self.golomb.n_bits - self.golomb.n_bits // NEEDED_LEAD
        if self.n_lines >= TRIAL_LINES and self.hybrid.n_bits > allowed:
            self.hybrid = None

    def coded(self, *, may_be_plain: bool) -> tuple[Coder, bytes]:
        """The smallest form; a plain one only where that is allowed."""
        coder, payload = Coder.SAMPLE_ADAPTIVE, self.golomb.payload()
        other = self.hybrid.payload() if self.hybrid is not None else payload
        if len(other) < len(payload):
            coder, payload = Coder.HYBRID, other
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
    if coder is Coder.STORED:
        return PlainReader(payload, depth, n_bands * n_columns * n_lines)
    raise Corrupt(f"coder is {coder.name.lower()}, which codes no residuals")

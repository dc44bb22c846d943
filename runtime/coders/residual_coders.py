"""Segments of mapped residuals: each line coded, or plain where coding expands it, by the coder that makes it smallest.

The range coder is the smallest wherever it was measured, and takes several times as long as the standard's two
(benchmarks/results/adaptive_speed.md): it is used with the adaptive stage `best`, which takes longer by itself. The
standard's run side by side while both may win.
"""

import numpy as np

from runtime.coders.golomb_residuals import GolombReader, GolombWriter
from runtime.coders.hybrid_residuals import LARGEST_SAMPLES, HybridReader, HybridWriter
from runtime.coders.line_coder import LineReader, LineWriter, Mapped
from runtime.coders.plain import PlainReader, PlainWriter, plain_bytes
from runtime.coders.range_residuals import RangeReader, RangeWriter
from runtime.errors import Corrupt, Truncated
from runtime.kernels.marks import Marks
from runtime.stream.kinds import AdaptiveStage, Coder

HEAD_LINES, TRIAL_LINES = 4, 8
"""Once there are TRIAL_LINES, the hybrid coder is given up when it is behind over the lines after the first HEAD_LINES,
where predictions still learn and its longer memory costs bits."""
ALL_CODED, SOME_PLAIN = 0, 1
"""First byte of a payload."""


RESIDUAL_CODERS = (Coder.SAMPLE_ADAPTIVE, Coder.HYBRID, Coder.RANGE)


def default_coders(stage: AdaptiveStage) -> tuple[Coder, ...]:
    """Those of which a segment of this stage has the smallest, where none is asked for."""
    return (Coder.RANGE,) if stage is AdaptiveStage.BEST else (Coder.SAMPLE_ADAPTIVE, Coder.HYBRID)


def line_writer(coder: Coder, depth: int, n_bands: int, n_columns: int) -> LineWriter:
    """The writer of a coder, for residuals of `depth` bits."""
    if coder is Coder.RANGE:
        return RangeWriter(n_bands, n_columns)
    return HybridWriter(depth, n_bands) if coder is Coder.HYBRID else GolombWriter(depth, n_bands)


class ChosenLines:
    """A segment by one coder, or plain, line by line."""

    def __init__(self, coder: Coder, depth: int, n_bands: int, n_columns: int) -> None:
        self.coder = coder
        self.writer = line_writer(coder, depth, n_bands, n_columns)
        self.plain = PlainWriter(depth)
        self.bits_of_plain_line = n_bands * n_columns * depth
        self.is_plain: list[bool] = []

    @property
    def n_bits(self) -> int:
        """So far."""
        return self.writer.n_bits + sum(self.is_plain) * self.bits_of_plain_line

    def push(self, mapped: Mapped, marks: Marks | None = None) -> None:
        """Append a line (Z, X), marked samples as in `LineWriter`."""
        before = self.writer.n_bits
        self.writer.push(mapped, marks)
        is_plain = self.writer.n_bits - before > self.bits_of_plain_line
        if is_plain:
            self.writer.undo()
            if marks is not None:
                mapped[marks != 0] = 0
            self.plain.push(mapped)
        self.is_plain.append(is_plain)

    def payload(self) -> bytes:
        """The finished bytes: flags, plain lines, coded lines."""
        if not any(self.is_plain):
            return bytes([ALL_CODED]) + self.writer.payload()
        coded = b"" if all(self.is_plain) else self.writer.payload()
        flags = np.packbits(self.is_plain).tobytes()
        return b"".join([bytes([SOME_PLAIN]), flags, self.plain.payload(), coded])


class ResidualWriter:
    """One segment being written, in memory bounded by what it is coded to."""

    def __init__(self, depth: int, n_bands: int, n_columns: int, coders: tuple[Coder, ...]) -> None:
        """coders: one, or two of which the smaller is kept."""
        self.first, *others = (ChosenLines(coder, depth, n_bands, n_columns) for coder in coders)
        self.other: ChosenLines | None = others[0] if others else None
        self.head_lag = 0

    def push(self, mapped: Mapped, marks: Marks | None = None) -> None:
        """Append a line (Z, X), whose marked samples are 0."""
        self.first.push(mapped, marks)
        if self.other is None:
            return
        n_lines = len(self.first.is_plain)
        if n_lines * mapped.size > LARGEST_SAMPLES:
            self.other = None
            return
        self.other.push(mapped, marks)
        lag = self.other.n_bits - self.first.n_bits
        if n_lines == HEAD_LINES:
            self.head_lag = lag
        if n_lines >= TRIAL_LINES and lag > self.head_lag:
            self.other = None

    def coded(self) -> tuple[Coder, bytes]:
        """The coder of the fewest bytes, and these."""
        found = [(lines.coder, lines.payload()) for lines in (self.first, self.other) if lines is not None]
        return min(found, key=lambda coded: len(coded[1]))


def largest_coded(depth: int, n_bands: int, n_columns: int, n_lines: int) -> int:
    """Bytes that no payload of `ResidualWriter` exceeds: flags, plain lines, and what ends a coder's bytes."""
    return 1 + (n_lines + 7) // 8 + plain_bytes(n_lines * n_bands * n_columns, depth) + 8 * n_bands + 64


class ResidualReader:
    """One segment being read."""

    def __init__(
        self, coder: Coder, payload: bytes, depth: int, n_bands: int, n_columns: int, n_lines: int,
        n_flag_bytes: int = 0,
    ) -> None:  # fmt: skip
        """n_flag_bytes: of the flags of special values beside it. Raise Corrupt or Truncated."""
        if payload[:1] not in (bytes([ALL_CODED]), bytes([SOME_PLAIN])):
            raise Corrupt(f"segment begins with {payload[:1]!r}, allowed {ALL_CODED} or {SOME_PLAIN}")
        start = 1 + (n_lines + 7) // 8 * (payload[0] == SOME_PLAIN)
        if len(payload) < start:
            raise Truncated(f"segment of {n_lines} lines ends in its flags")
        flags = np.frombuffer(payload, np.uint8, start - 1, 1)
        self.is_plain = np.unpackbits(flags, count=n_lines).astype(bool) if flags.size else np.zeros(n_lines, bool)
        self.next_line = 0
        n_plain = int(self.is_plain.sum())
        n_values = n_plain * n_bands * n_columns
        end = start + plain_bytes(n_values, depth)
        self.plain = PlainReader(payload[start:end], depth, n_values)
        self.coded: LineReader | None = None
        if n_plain < n_lines:
            self.coded = line_reader(coder, payload[end:], depth, n_bands, n_columns, n_lines - n_plain, n_flag_bytes)
        elif len(payload) != end:
            raise Corrupt(f"segment of plain lines has {len(payload)} bytes, needs {end}")

    def take(self, out_mapped: Mapped, marks: Marks | None = None) -> None:
        """Fill the next line (Z, X), but for marked samples. Raises Truncated or Corrupt."""
        is_plain = self.is_plain[self.next_line]
        self.next_line += 1
        if self.coded is None or is_plain:
            self.plain.take(out_mapped)
            if self.coded is not None:
                self.coded.reset_statistics()
        else:
            self.coded.take(out_mapped, marks)


def line_reader(
    coder: Coder, payload: bytes, depth: int, n_bands: int, n_columns: int, n_lines: int, n_flag_bytes: int
) -> LineReader:
    """The reader of a coder's lines. Raises Corrupt or Truncated."""
    if coder is Coder.SAMPLE_ADAPTIVE:
        return GolombReader(payload, depth, n_bands, n_columns, n_lines, n_flag_bytes)
    if coder is Coder.HYBRID:
        return HybridReader(payload, depth, n_bands, n_columns, n_lines)
    if coder is Coder.RANGE:
        return RangeReader(payload, depth, n_bands, n_columns, n_lines, n_flag_bytes)
    raise Corrupt(f"coder is {coder.name.lower()}, which codes no residuals")

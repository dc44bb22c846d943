"""What codes the mapped residuals of a segment line after line: the interface that `residual_coders` uses."""

from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from runtime.ccsds123.body import BodyWriter
from runtime.kernels.marks import Marks

Mapped = npt.NDArray[np.integer[Any]]
"""(Z, X) of one line."""


class LineWriter(Protocol):
    """Lines being coded, in memory bounded by what they are coded to."""

    @property
    def n_bits(self) -> int:
        """Bits so far, without what ends a payload."""

    def push(self, mapped: Mapped, marks: Marks | None = None) -> None:
        """Append a line; what it has at marked samples (Z, X), 0 before, means nothing afterwards."""

    def undo(self) -> None:
        """Remove the last line; a reader calls `reset_statistics` in its place."""

    def payload(self) -> bytes:
        """The finished bytes."""


Statistics = TypeVar("Statistics", bound=tuple[Any, ...])
"""A NamedTuple of arrays."""


class BodyLineWriter(LineWriter, Generic[Statistics]):
    """Lines coded into a body by statistics so small that a copy of them, before each line, can take it back."""

    def __init__(self, state: Statistics) -> None:
        self.state = state
        self.body = BodyWriter()
        self.before = (self.state, self.body.bits)

    @property
    @override
    def n_bits(self) -> int:
        return 8 * int(self.body.bits[0]) + int(self.body.bits[2])

    def keep(self) -> None:
        """Remember statistics and bits, for `undo`."""
        self.before = (type(self.state)(*(values.copy() for values in self.state)), self.body.bits.copy())

    @override
    def undo(self) -> None:
        self.state, self.body.bits = self.before


class LineReader(Protocol):
    """Lines being read."""

    def take(self, out_mapped: Mapped, marks: Marks | None = None) -> None:
        """Fill the next line, but for marked samples (Z, X). Raises Truncated or Corrupt."""

    def reset_statistics(self) -> None:
        """A line was removed here. Most coders are then as before it."""
        return

"""What codes the mapped residuals of a segment line after line: the interface that `residual_coders` uses."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Mapped = npt.NDArray[np.integer[Any]]
"""(Z, X) of one line."""


class LineWriter(Protocol):
    """Lines being coded, in memory bounded by what they are coded to."""

    @property
    def n_bits(self) -> int:
        """Bits so far, without what ends a payload."""

    def push(self, mapped: Mapped) -> None:
        """Append a line."""

    def undo(self) -> None:
        """Remove the last line; a reader calls `reset_statistics` in its place."""

    def payload(self) -> bytes:
        """The finished bytes."""


class LineReader(Protocol):
    """Lines being read."""

    def take(self, out_mapped: Mapped) -> None:
        """Fill the next line. Raises Truncated or Corrupt."""

    def reset_statistics(self) -> None:
        """A line was removed here. Most coders are then as before it."""
        return

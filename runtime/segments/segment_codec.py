"""What makes the payload of a segment and reads it back: the border that Encoder and Decoder see."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from runtime.stream.residual_sums import ResidualSums
from runtime.stream.stream_format import AdaptiveStage, Coder, PredictorKind, SegmentHeader

Samples = npt.NDArray[np.integer[Any]]
"""(Z, X), one line of the image, as it came or within the stream's maximum error of it."""


class SegmentWriter(Protocol):
    """One segment being written.

    A line enters `written` whole or not at all: where `push` raises, the segment ends with the line before.
    """

    residual_sums: ResidualSums
    """Of the lines so far; of none where nothing is predicted."""

    @property
    def state(self) -> Any:
        """What the next line is predicted from: arrays that only `push` changes."""

    @property
    def written(self) -> Any:
        """What is coded so far, and what the coder learned from it: arrays that only `push` changes."""

    def push(self, line: Samples) -> None:
        """Add the next line; its samples are in the range of the bit depth."""

    def coded(self) -> tuple[Coder, bytes]:
        """The finished segment: how it is written, and its bytes."""


class SegmentCodec(Protocol):
    """One way to code a segment. It keeps nothing of any segment itself."""

    predictor: PredictorKind
    stage: AdaptiveStage
    coders: tuple[Coder, ...]
    """Those that its segments may have."""
    may_be_stored: bool
    """Whether a segment may be stored instead, from its own decoded lines, without a larger error."""

    def writer(self) -> SegmentWriter:
        """A writer in the state before the first line of a segment."""

    def largest_payload(self, n_lines: int) -> int:
        """Bytes that no sound payload exceeds."""

    def lines(self, header: SegmentHeader, payload: bytes) -> Iterator[Samples]:
        """The lines of a segment, one at a time. Raises Corrupt or Truncated."""

"""What makes the payload of a segment and reads it back: the interface that Encoder and Decoder use."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from runtime.errors import Corrupt, LineRwkvError
from runtime.kernels.marks import Marks
from runtime.stream.kinds import Coder
from runtime.stream.samples_checksum import samples_crc
from runtime.stream.segment_header import SegmentCoding, SegmentHeader
from runtime.stream.telemetry import ResidualSums

Samples = npt.NDArray[np.integer[Any]]
"""(Z, X), codes of one line (runtime/stream/special_values.py), as it came or within the segment's maximum error."""


class Given(NamedTuple):
    """What is known of the lines of a segment before they are decoded."""

    fill: Callable[[Any], Marks | None]
    """Called once for each line, before it is decoded: fills its marked codes (Z, X), and gives the marks."""
    n_flag_bytes: int


class SegmentWriter(Protocol):
    """One segment being written. A line enters `written` whole, or not at all where `push` raises for it.

    The last line may still be coded on a thread when `push` returns: reading `written` waits for it. What fails there
    is raised by the next `push`, by `written` and by `coded`, each time.
    """

    residual_sums: ResidualSums  # Of the lines so far
    state: Any  # What the next line is predicted from: arrays that only `push` changes
    written: Any  # What is coded so far, and what the coder learned from it: arrays that only coding a line changes

    def push(self, line: Samples, marks: Marks | None = None) -> Samples:
        """Add the next line of codes; returns what a decoder will restore.

        marks: samples (Z, X) that a decoder knows already.
        """

    @property
    def has_specials(self) -> bool:
        """Whether the segment needs flags of special values."""
        return False

    def coded(self) -> tuple[Coder, bytes | memoryview]:
        """The finished segment: how it is written, and its bytes."""


class SegmentCodec(Protocol):
    """One way to code a segment. It keeps nothing of any segment itself."""

    coding: SegmentCoding
    coders: tuple[Coder, ...]  # Those that its segments may have
    written_coders: tuple[Coder, ...]  # Those that its writers choose from

    def writer(self) -> SegmentWriter:
        """A writer in the state before the first line of a segment."""

    def lines(self, header: SegmentHeader, payload: bytes, given: Given | None = None) -> Iterator[Samples]:
        """The lines of a segment, one at a time, not yet held against its checksum. Raises Corrupt or Truncated."""


def checked_lines(codec: SegmentCodec, header: SegmentHeader, payload: bytes) -> Iterator[Samples]:
    """The lines of a segment. Raises what its codec does, Corrupt at its end where they have another checksum."""
    if header.coder not in codec.coders:
        raise Corrupt(f"{header.where}: {codec.coding.predictor.name.lower()} with coder {header.coder.name.lower()}")
    crc = 0
    try:
        for line in codec.lines(header, payload):
            crc = samples_crc(line, crc)
            yield line
    except LineRwkvError as error:
        raise type(error)(f"{header.where}: {error}") from None
    if crc != header.samples_crc:
        raise Corrupt(f"{header.where}: its samples do not have the checksum that its encoder gave them")

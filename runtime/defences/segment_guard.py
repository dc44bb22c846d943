"""What is kept of an open segment so that a bit that flips in memory is found, and nothing accepted is lost by it.

Between lines: CRCs of the predictor's state and of what is coded. Beside the segment: its twin, the same lines by CCSDS
123.0-B-2, which goes down in its place where the segment cannot be trusted. No raw line is kept.
"""

from enum import StrEnum
from typing import Any

import numpy as np

from runtime.defences.checksum import checksum
from runtime.errors import Corrupt
from runtime.segments.segment_codec import Samples, SegmentCodec, SegmentWriter
from runtime.stream.stream_format import SegmentHeader
from runtime.stream.telemetry import FaultKind


class GuardLevel(StrEnum):
    """How much is spent on damage in memory."""

    OFF = "off"
    CHECKS = "checks"
    """CRCs between lines; before a segment goes down, the package and the executor are tested."""
    PROOF = "proof"
    """And the segment is decoded by an executor that is made for this from the package just checked."""


class SegmentGuard:
    """Of one segment; told of each line after the segment's writer took it."""

    def __init__(self, codec: SegmentCodec, *, is_lossless: bool) -> None:
        """`codec` makes the twin."""
        self.codec = codec
        self.twin: SegmentWriter | None = codec.writer()
        self.is_lossless = is_lossless
        self.states: list[int] = []
        """CRC of the state after each line."""
        self.lines: list[int] = []
        """CRC of each line as it came."""
        self.coded_sum = self.twin_sum = 0
        self.is_coded_sound = True

    def push(self, line: Samples, writer: SegmentWriter) -> None:
        """Take in the line that the writer has just coded."""
        if self.twin is not None:
            self.twin.push(line)
            self.twin_sum = writer_sum(self.twin)
        self.states.append(checksum(writer.state))
        self.lines.append(line_sum(line))
        self.coded_sum = checksum(writer.written)

    def damage(self, writer: SegmentWriter) -> list[FaultKind]:
        """What has changed in memory since the last line. What is coded is then not sound, a twin is given up."""
        if not self.states:
            return []
        found = []
        if checksum(writer.state) != self.states[-1]:
            found.append(FaultKind.STATE)
        if checksum(writer.written) != self.coded_sum:
            self.is_coded_sound = False
            found.append(FaultKind.CODED)
        if self.twin is not None and writer_sum(self.twin) != self.twin_sum:
            self.twin = None
            found.append(FaultKind.TWIN)
        return found

    def prove(self, codec: SegmentCodec, header: SegmentHeader, payload: bytes) -> None:
        """Decode a segment. Raises Corrupt where it does not give the lines that came, or what the decoder raises.

        With a maximum error its states are compared in place of its lines: equal states restore within the error. A
        predictor without a state then only shows that it decodes.
        """
        lines = codec.lines(header, payload)
        for y, line in enumerate(lines):
            is_equal = line_sum(line) == self.lines[y]
            if not self.is_lossless:
                is_equal = not hasattr(lines, "state") or checksum(lines.state) == self.states[y]
            if not is_equal:
                raise Corrupt(f"line {header.first_line + y} does not decode to what it was")


def writer_sum(writer: SegmentWriter) -> int:
    """Of all that a writer holds."""
    return checksum([writer.state, writer.written])


def line_sum(line: Samples) -> int:
    """Of the samples, whatever their type."""
    same: Any = line.astype(np.int32, copy=False)
    return checksum(same)

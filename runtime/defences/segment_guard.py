"""What is kept of an open segment so that a bit that flips in memory is found, and nothing accepted is lost by it.

Between lines: CRCs of the predictor's state and of what is coded. Beside the segment: a backup, the same lines by CCSDS
123.0-B-2, which is sent in its place where the segment cannot be trusted. No raw line is kept.
"""

from enum import StrEnum

import numpy as np

from runtime.defences.checksum import checksum
from runtime.segments.segment_codec import Samples, SegmentCodec, SegmentWriter
from runtime.stream.samples_checksum import samples_crc
from runtime.stream.telemetry import FaultKind


class GuardLevel(StrEnum):
    """How much is spent on damage in memory."""

    OFF = "off"
    CHECKS = "checks"  # CRCs between lines; before a segment is sent, the package and the executor are tested.
    PROOF = "proof"  # And the segment is decoded by an executor that is made for this from the package just checked


class SegmentGuard:
    """Of one segment; gets each line after the segment's writer."""

    def __init__(self, codec: SegmentCodec) -> None:
        """`codec` makes the backup."""
        self.max_error = codec.coding.max_error
        self.backup: SegmentWriter | None = codec.writer()
        self.backup_samples_crc = 0
        self.has_lines = False
        self.state_sum = self.coded_sum = self.backup_sum = 0
        self.is_coded_sound = True

    def push(self, line: Samples, restored: Samples, writer: SegmentWriter) -> None:
        """Take in the line that the writer has just coded, and what it said that a decoder restores."""
        if self.backup is not None:
            self.backup_samples_crc = samples_crc(self.backup.push(line), self.backup_samples_crc)
            self.backup_sum = writer_sum(self.backup)
        self.has_lines = True
        self.state_sum, self.coded_sum = checksum(writer.state), checksum(writer.written)
        if np.abs(restored.astype(np.int64) - line).max() > self.max_error:
            self.is_coded_sound = False

    def damage(self, writer: SegmentWriter) -> list[FaultKind]:
        """What has changed in memory since the last line. What is coded is then not sound, a backup is given up."""
        if not self.has_lines:
            return []
        found = []
        if checksum(writer.state) != self.state_sum:
            found.append(FaultKind.STATE)
        if not self.is_coded_sound or checksum(writer.written) != self.coded_sum:
            self.is_coded_sound = False
            found.append(FaultKind.CODED)
        if self.backup is not None and writer_sum(self.backup) != self.backup_sum:
            self.backup = None
            found.append(FaultKind.BACKUP)
        return found


def writer_sum(writer: SegmentWriter) -> int:
    """Of all that a writer holds."""
    return checksum([writer.state, writer.written])

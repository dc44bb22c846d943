"""The segment that an encoder is writing: writer, guard, checksum of what a decoder will restore, records of lines."""

import time

from typing_extensions import override

from runtime.defences.segment_guard import SegmentGuard
from runtime.segments.segment_codec import Samples, SegmentCodec
from runtime.stream.line_records import LARGEST_CONTENT_BYTES, LineRecords, largest_content
from runtime.stream.samples_checksum import samples_crc
from runtime.stream.telemetry import FaultKind


class OpenSegment:
    """It takes lines; `runtime.codec.segment_closing` finishes it."""

    def __init__(self, codec: SegmentCodec, first_line: int, guards: SegmentCodec | None = None) -> None:
        """guards: what a guard's backup is coded by; None: there is no guard."""
        self.codec = codec
        self.writer = codec.writer()
        self.first_line = first_line
        self.guard = None if guards is None else SegmentGuard(guards)
        self.n_lines = 0
        self.samples_crc = 0
        self.seconds = 0.0
        self.line_records: list[bytes] = []
        self.n_record_bytes = 0

    @property
    def next_line(self) -> int:
        """The first line after it."""
        return self.first_line + self.n_lines

    def has_room(self, record: bytes) -> bool:
        """Whether the records of its lines and this one fit into one structure."""
        return largest_content(self.n_lines + 1, self.n_record_bytes + len(record)) <= LARGEST_CONTENT_BYTES

    def records(self) -> LineRecords | None:
        """Of its lines; None where no line has any."""
        return LineRecords(self.first_line, tuple(self.line_records)) if self.n_record_bytes else None

    def push(self, line: Samples, record: bytes = b"") -> None:
        """Code the next line, and keep its record.

        Raises ExecutorFailed; what is coded, and the records, are then as they were after the line before, which may
        still be on its way through the coder.
        """
        start = time.perf_counter()
        try:
            restored = self.writer.push(line)
            if self.guard is not None:
                self.guard.push(line, restored, self.writer)
            self.samples_crc = samples_crc(restored, self.samples_crc)
            self.n_lines += 1
            self.line_records.append(record)
            self.n_record_bytes += len(record)
        finally:
            self.seconds += time.perf_counter() - start

    @property
    def spent(self) -> float:
        """Seconds that its lines took."""
        return self.seconds

    def damage(self) -> list[FaultKind]:
        """What of it has changed in memory since its last line, as far as a guard tells."""
        return [] if self.guard is None else self.guard.damage(self.writer)


class TrialSegment(OpenSegment):
    """A segment that is coded in two ways, of which one is sent."""

    def __init__(self, codec: SegmentCodec, first_line: int, guards: SegmentCodec | None, other: SegmentCodec) -> None:
        super().__init__(codec, first_line, guards)
        self.rival = OpenSegment(other, first_line, guards)

    @override
    def push(self, line: Samples, record: bytes = b"") -> None:
        super().push(line, record)
        self.rival.push(line)

    @property
    @override
    def spent(self) -> float:
        return self.seconds + self.rival.seconds

    @override
    def damage(self) -> list[FaultKind]:
        return super().damage() + self.rival.damage()

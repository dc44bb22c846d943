"""The segment that an encoder is writing: writer, guard, checksum of what a decoder will restore, records of lines."""

import time

from runtime.defences.segment_guard import SegmentGuard
from runtime.segments.segment_codec import Samples, SegmentCodec
from runtime.stream.line_records import LARGEST_CONTENT_BYTES, LineRecords, largest_content
from runtime.stream.samples_checksum import samples_crc


class OpenSegment:
    """It takes lines; `runtime.codec.segment_closing` finishes it."""

    def __init__(self, codec: SegmentCodec, first_line: int, guard: SegmentGuard | None) -> None:
        self.codec = codec
        self.writer = codec.writer()
        self.first_line = first_line
        self.guard = guard
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

        Raises ExecutorFailed; what is coded, and the records, are then as they were after the line before.
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

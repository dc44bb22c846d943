"""The segment that an encoder is writing: its writer, its guard, the checksum of what a decoder will restore."""

import time

from runtime.defences.segment_guard import SegmentGuard
from runtime.segments.segment_codec import Samples, SegmentCodec
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

    @property
    def next_line(self) -> int:
        """The first line after it."""
        return self.first_line + self.n_lines

    def push(self, line: Samples) -> None:
        """Code the next line. Raises ExecutorFailed; what is coded is then as it was after the line before."""
        start = time.perf_counter()
        try:
            restored = self.writer.push(line)
            if self.guard is not None:
                self.guard.push(line, restored, self.writer)
            self.samples_crc = samples_crc(restored, self.samples_crc)
            self.n_lines += 1
        finally:
            self.seconds += time.perf_counter() - start

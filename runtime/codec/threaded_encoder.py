"""The encoder of files on several threads: each codes whole segments, the bytes are those of one thread.

Lines wait until their segment is complete, so this is not for lines that come live. A trial of the network decides how
the segments after it are coded: these are begun as if nothing changed, and coded anew where it does.
"""

import zlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple

from typing_extensions import override

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.ordered_work import OrderedWork
from runtime.codec.segment_encoder import CodedSegment, SegmentEncoder
from runtime.codec.stream_encoder import StreamEncoder
from runtime.defences.checksum import checksum
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import Corrupt
from runtime.executors.array_executor import ArrayExecutor
from runtime.stream.coded_line import Codes
from runtime.stream.image_description import ImageDescription
from runtime.stream.line_records import LARGEST_CONTENT_BYTES, largest_content
from runtime.stream.telemetry import Fault, SegmentTelemetry

LARGEST_HELD = 1 << 26
"""Bytes of the lines of a segment, as int32, that may wait for a thread."""
LARGEST_LINE = 1 << 19
"""Samples of a line, for whose state each thread has some 370 bytes."""


class HeldLine(NamedTuple):
    """A line that waits for its segment."""

    codes: Codes
    record: bytes
    crc: int | None  # Of the codes, where a guard watches memory


class HeldSegment(NamedTuple):
    """Lines that become one segment, more where something fails."""

    number: int
    first_line: int
    lines: list[HeldLine]
    has_network: bool  # What the trials before it decided, or are taken to decide


Coded = list[CodedSegment]


def may_wait(image: ImageDescription, n_lines: int) -> bool:
    """Whether segments of so many lines are coded on threads: a thread then has at most 320 MiB."""
    n_samples = image.n_bands * image.n_columns
    return n_samples <= LARGEST_LINE and 4 * n_samples * n_lines <= LARGEST_HELD


def useful_threads(n_threads: int, image: ImageDescription, options: CodingOptions) -> int:
    """How many of `n_threads` have segments to code; 1 where these may not wait."""
    n_segments = -(-image.n_lines // options.segment_lines) or n_threads
    return min(n_threads, n_segments) if may_wait(image, options.segment_lines) else 1


class ThreadedEncoder(StreamEncoder):
    """As `Encoder`, with an executor for each thread; whoever makes it ends `work`."""

    def __init__(
        self, image: ImageDescription, options: CodingOptions, package: FlightPackage | None,
        executors: Sequence[ArrayExecutor | None], on_segment: Callable[[SegmentTelemetry], None] | None = None,
    ) -> None:  # fmt: skip
        """Raises BadArgument."""
        super().__init__(image, options, () if package is None else (package,), on_segment)
        self.workers = [SegmentEncoder(image, options, self.stream_crc, package, executor) for executor in executors]
        self.work: OrderedWork[SegmentEncoder, Coded] = OrderedWork(self.workers)
        self.held: deque[HeldSegment] = deque()
        self.dropped: list[Future[Coded]] = []
        self.lines: list[HeldLine] = []
        self.n_record_bytes = 0
        self.n_given = 0
        self.n_threads = len(self.workers)
        self.has_network = True

    @override
    def push_codes(self, codes: Codes, record: bytes) -> Coded:
        coded: Coded = []
        if largest_content(len(self.lines) + 1, self.n_record_bytes + len(record)) > LARGEST_CONTENT_BYTES:
            coded += self.give(self.n_lines)
        crc = None if self.options.guard is GuardLevel.OFF else checksum(codes)
        self.lines.append(HeldLine(codes.copy(), record, crc))  # it may be of a block of the file
        self.n_record_bytes += len(record)
        return coded + self.give(self.n_lines + 1) if len(self.lines) == self.options.segment_lines else coded

    @override
    def close(self) -> Coded:
        coded = self.give(self.n_lines)
        while self.held:
            coded += self.taken()
        return coded

    def give(self, next_line: int) -> Coded:
        """The lines that came, which end before `next_line`, to a thread; what is complete meanwhile."""
        if not self.lines:
            return []
        coded = self.taken() if self.work.is_full else []
        segment = HeldSegment(self.n_given, next_line - len(self.lines), self.lines, self.has_network)
        self.lines, self.n_record_bytes = [], 0
        self.n_given += 1
        self.held.append(segment)
        self.work.give(self.job(segment))
        return coded

    def taken(self) -> Coded:
        """The oldest segment, when it is coded; what a trial decides goes to those that were begun after it."""
        segment = self.held.popleft()
        coded = self.work.take()
        if self.options.guard is not GuardLevel.OFF and not all(map(is_sound, coded)):
            coded = self.work.start(self.job(segment)).result()  # it changed in memory while it waited
        for gains in (one.gains for one in coded if one.gains is not None):
            self.has_network = gains
        for i, held in enumerate(self.held):
            if held.has_network != self.has_network:
                self.held[i] = again = held._replace(has_network=self.has_network)
                self.dropped.append(self.work.give_again(i, self.job(again)))
        faults = self.faults_of_dropped(wait=not self.held)
        return [coded[0]._replace(faults=(*faults, *coded[0].faults)), *coded[1:]]

    def job(self, segment: HeldSegment) -> Callable[[SegmentEncoder], Coded]:
        """What a thread does with a segment."""
        return partial(code_segment, self.work.check_wanted, segment)

    def faults_of_dropped(self, *, wait: bool) -> list[Fault]:
        """Of segments that were coded in vain, since the last call; wait: of all of them."""
        ended = [job for job in self.dropped if wait or job.done()]
        self.dropped = [job for job in self.dropped if job not in ended]
        coded = [job.result() for job in ended if not job.cancelled() and job.exception() is None]
        return [fault for segments in coded for segment in segments for fault in segment.faults]


def is_sound(coded: CodedSegment) -> bool:
    """Whether a payload is what its thread made."""
    return zlib.crc32(coded.payload) == coded.header.payload_crc


def code_segment(check_wanted: Callable[[], None], segment: HeldSegment, worker: SegmentEncoder) -> Coded:
    """Code the lines of a segment, in a thread. Raises as `Encoder.push`."""
    worker.begin(segment.first_line, segment.number, has_network=segment.has_network)
    coded: Coded = []
    for y, line in enumerate(segment.lines, segment.first_line):
        check_wanted()
        if line.crc is not None and checksum(line.codes) != line.crc:
            raise Corrupt(f"line {y} changed in memory while it waited for a thread")
        coded += worker.push(line.codes, line.record)
    return coded + worker.close()

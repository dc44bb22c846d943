"""Lines to coded segments: what codes them, and what happens where it fails. Nothing here is of the stream around them.

Where the executor fails, or memory is found damaged, the segment ends and the next line opens another: no accepted line
is lost.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from runtime.cell.flight_package import FlightPackage, IntegerPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.network_choice import NetworkChoice
from runtime.codec.open_segment import OpenSegment, TrialSegment
from runtime.codec.segment_closing import ClosedSegment, SegmentClosing
from runtime.defences.segment_guard import GuardLevel
from runtime.defences.supervised_executor import SupervisedExecutor
from runtime.errors import ExecutorFailed, LineRwkvError
from runtime.executors.array_executor import ArrayExecutor
from runtime.segments.line_threads import line_threads
from runtime.segments.segment_codecs import segment_codec
from runtime.stream.coded_line import Codes
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Coder, PredictorKind
from runtime.stream.line_records import LineRecords
from runtime.stream.segment_header import SegmentCoding, SegmentHeader
from runtime.stream.telemetry import Fault, FaultKind, ResidualSums


class CodedSegment(NamedTuple):
    """A segment that is ready to be sent, and what telemetry says of it."""

    header: SegmentHeader
    payload: bytes | memoryview
    records: LineRecords | None
    residuals: ResidualSums
    executor: tuple[str, str] | None  # Name and provider of what predicted it
    seconds: float  # Wall time spent in it, the closing included
    faults: tuple[Fault, ...]  # Since the segment before
    gains: bool | None  # Whether the network gained in a trial; None: it was none


class SegmentEncoder:
    """Of one stream; one thread at a time uses it."""

    def __init__(
        self, image: ImageDescription, options: CodingOptions, stream_crc: int, package: FlightPackage | None,
        executor: ArrayExecutor | None, threads: Sequence[ThreadPoolExecutor] = (), package_index: int = 0,
    ) -> None:  # fmt: skip
        """As for `Encoder`. stream_crc: of the stream's header; package_index: row of its table. Raises BadArgument."""
        if (
            isinstance(package, IntegerPackage)
            and executor is not None
            and not isinstance(executor, SupervisedExecutor)
        ):
            executor = SupervisedExecutor(package, executor)
        self.image = image
        self.options = options
        self.supervised = executor if isinstance(executor, SupervisedExecutor) else None
        coding = options.coding(package, image)
        if options.has_network:
            coding = coding._replace(package_index=package_index)
        coder = options.residual_coder
        is_ahead = isinstance(package, IntegerPackage) and coding.max_error == 0
        beside, alone = (line_threads(threads, has_network_ahead=has) for has in (is_ahead, False))
        self.n_threads = 1 if coder is Coder.STORED else beside.n
        self.codec = segment_codec(coding, image, package, executor, coder, beside)
        self.choice = NetworkChoice(coding, options.network, image.n_lines, options.segment_lines)
        self.alone = (
            segment_codec(self.choice.alone, image, coder=coder, threads=alone) if self.choice.is_free else None
        )
        fallback = SegmentCoding(PredictorKind.CCSDS123, max_error=coding.max_error, has_specials=coding.has_specials)
        self.fallback = segment_codec(fallback, image, coder=coder)
        self.closing = SegmentClosing(image, stream_crc, self.fallback, self.supervised, options.guard)
        self.segment: OpenSegment | None = None
        self.faults: list[Fault] = []
        self.n_lines = 0
        """The line that comes next."""

    def begin(self, first_line: int, n_segments: int, *, has_network: bool) -> None:
        """Forget the open segment; go on at a line, after so many segments, with what their trials decided."""
        self.segment, self.n_lines = None, first_line
        self.choice.n_segments, self.choice.has_network = n_segments, has_network

    def push(self, codes: Codes, record: bytes = b"") -> list[CodedSegment]:
        """Code the next line; returns the segments that are complete now, mostly none. Raises as `Encoder.push`."""
        coded = self.closed_if_damaged()
        if self.segment is not None and not self.segment.has_room(record):
            coded += self.close()
        segment = self.segment = self.segment or self.new_segment()
        if self.supervised is not None:
            self.supervised.begin_line()
        try:
            segment.push(codes, record)
        except ExecutorFailed as error:
            self.note(FaultKind.EXECUTOR, str(error))
            self.give_up_executor()
            coded += self.close()
            segment = self.segment = self.new_segment()
            segment.push(codes, record)
        self.n_lines += 1
        return coded + self.close() if segment.n_lines == self.options.segment_lines else coded

    def new_segment(self) -> OpenSegment:
        """By the predictor asked for, or by CCSDS 123 while it has no executor; of a trial also without the network."""
        codec = self.codec
        if self.alone is not None and not self.choice.has_network and not self.choice.is_trial:
            codec = self.alone
        elif self.supervised is not None:
            codec = codec if self.supervised.is_ready() else self.fallback
            for text in self.supervised.take_restart_errors():
                self.note(FaultKind.RESTART, text)
        guards = None if self.options.guard is GuardLevel.OFF else self.fallback
        if self.alone is not None and self.choice.is_trial and codec is self.codec is not self.fallback:
            return TrialSegment(codec, self.n_lines, guards, self.alone)
        return OpenSegment(codec, self.n_lines, guards)

    def note(self, kind: FaultKind, text: str) -> None:
        """For the telemetry of the segment that closes next."""
        self.faults.append(Fault(self.n_lines, kind, text))

    def give_up_executor(self) -> None:
        """It failed: until there is another, or to the end of the stream, lines are coded without."""
        if self.supervised is not None:
            self.supervised.fail()
        else:
            self.codec = self.fallback

    def closed_if_damaged(self) -> list[CodedSegment]:
        """The open segment where something of it has changed in memory since its last line, else nothing."""
        found = self.segment.damage() if self.segment is not None else []
        for kind in set(found) - {FaultKind.CODED}:  # which `SegmentClosing` names
            self.note(kind, "changed in memory between two lines")
        return self.close() if found else []

    def close(self) -> list[CodedSegment]:
        """The open segment, none where it has no line; the next line begins another."""
        segment = self.segment
        if segment is None or segment.n_lines == 0:
            self.segment = None
            return []
        start, gains = time.perf_counter(), None
        try:
            closed, faults = self.closing.closed(segment)
            rival = self.closing.closed(segment.rival) if isinstance(segment, TrialSegment) else None
        except LineRwkvError:  # which says that its lines are lost; after any other error nothing more is closed
            self.segment = None
            raise
        self.segment = None
        self.choice.n_segments += 1
        if rival is not None:
            closed, faults = self.choice.smaller(closed, rival[0]), faults + rival[1]
            gains = self.choice.has_network
        seconds = segment.spent + time.perf_counter() - start
        taken, self.faults = (*self.faults, *faults), []
        return [CodedSegment(
            closed.header, closed.payload, segment.records(), closed.writer.residual_sums, self.used(closed), seconds,
            taken, gains,
        )]  # fmt: skip

    def used(self, closed: ClosedSegment) -> tuple[str, str] | None:
        """The executor that predicted a segment."""
        if self.supervised is None or closed.header.coding.predictor is not PredictorKind.LINERWKV:
            return None
        return self.supervised.name, self.supervised.provider

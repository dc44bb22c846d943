"""The streaming encoder: lines in, bytes out, in memory bounded by one line, the state and one coded segment.

Where the executor fails, or memory is found damaged, the segment ends and the next line opens another: no accepted line
is lost. `runtime.codec.opened_encoder` makes an encoder from options.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from runtime.cell.flight_package import FlightPackage, IntegerPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.line_codes import LineCodes
from runtime.codec.network_choice import NetworkChoice
from runtime.codec.open_segment import OpenSegment, TrialSegment
from runtime.codec.segment_closing import ClosedSegment, SegmentClosing
from runtime.defences.segment_guard import GuardLevel
from runtime.defences.supervised_executor import SupervisedExecutor
from runtime.errors import BadArgument, ExecutorFailed
from runtime.executors.array_executor import ArrayExecutor
from runtime.segments.segment_codecs import segment_codec
from runtime.stream import records
from runtime.stream.crc32c import crc32c
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Arithmetic, PredictorKind
from runtime.stream.line_records import LARGEST_RECORD_BYTES
from runtime.stream.segment_header import SegmentCoding
from runtime.stream.stream_header import PackageName, StreamHeader
from runtime.stream.telemetry import Fault, FaultKind, SegmentTelemetry


class Encoder:
    """Push lines, collect bytes.

    The first bytes are `header`; each `push` returns the bytes of a segment when one is complete, else none; `finish`
    returns the rest.
    """

    def __init__(
        self, image: ImageDescription, options: CodingOptions, package: FlightPackage | None = None,
        executor: ArrayExecutor | None = None, on_segment: Callable[[SegmentTelemetry], None] | None = None,
    ) -> None:  # fmt: skip
        """A network needs its package and an executor that passed the self-test. Raises BadArgument.

        After a failure of `executor` a `SupervisedExecutor` gives another, after any other one the rest is
        CCSDS 123. `on_segment` is called after each segment.
        """
        self.image = image
        self.options = options
        self.packages: tuple[PackageName, ...] = ()
        if package is not None:
            self.packages = (PackageName(Arithmetic.of(package.arithmetic), package.sha256),)
        self.header = StreamHeader(image, self.packages).to_bytes()
        self.stream_crc = crc32c(self.header)
        if (
            isinstance(package, IntegerPackage)
            and executor is not None
            and not isinstance(executor, SupervisedExecutor)
        ):
            executor = SupervisedExecutor(package, executor)
        self.supervised = executor if isinstance(executor, SupervisedExecutor) else None
        coding = options.coding(package, image)
        coder = options.residual_coder
        self.codec = segment_codec(coding, image, package, executor, coder)
        self.choice = NetworkChoice(coding, options.network, image.n_lines, options.segment_lines)
        self.alone = segment_codec(self.choice.alone, image, coder=coder) if self.choice.is_free else None
        fallback = SegmentCoding(PredictorKind.CCSDS123, max_error=coding.max_error, has_specials=coding.has_specials)
        self.fallback = segment_codec(fallback, image)
        self.closing = SegmentClosing(image, self.stream_crc, self.fallback, self.supervised, options.guard)
        self.codes = LineCodes(image, options.out_of_range)
        self.on_segment = on_segment
        self.segment: OpenSegment | None = None
        self.faults: list[Fault] = []
        self.index: list[records.IndexEntry] = []
        self.n_bytes = len(self.header)
        self.n_lines = 0
        self.n_segments = 0
        self.n_fallbacks = 0

    def push(self, line: npt.NDArray[Any], record: bytes = b"") -> bytes:
        """Code the next line (Z, X), of values of the file; returns the segments that are complete now, mostly none.

        record: bytes that go through the stream beside the line, at most 2^16; none: the line has no record. Raises
        BadArgument where the line has the wrong shape, a sample outside the range of the bit depth, or a record that is
        too long; the line is then not part of the stream, and the next `push` may follow. Raises Corrupt where a
        guarded segment is lost, because it and its backup were both damaged in memory.
        """
        if len(record) > LARGEST_RECORD_BYTES:
            raise BadArgument(f"line {self.n_lines}: record of {len(record)} bytes, allowed {LARGEST_RECORD_BYTES}")
        codes = self.codes.of(line, self.n_lines)
        closed = self.closed_if_damaged()
        if self.segment is not None and not self.segment.has_room(record):
            closed += self.close_segment()
        segment = self.segment = self.segment or self.new_segment()
        if self.supervised is not None:
            self.supervised.begin_line()
        try:
            segment.push(codes, bytes(record))
        except ExecutorFailed as error:
            self.note(FaultKind.EXECUTOR, str(error))
            self.give_up_executor()
            closed += self.close_segment()
            segment = self.segment = self.new_segment()
            segment.push(codes, bytes(record))
        self.n_lines += 1
        return closed + self.close_segment() if segment.n_lines == self.options.segment_lines else closed

    def skip(self, n_lines: int) -> bytes:
        """Say that the next `n_lines` lines, 1 or more, never came; returns what is complete now."""
        closed = self.closed_if_damaged() + self.close_segment()
        gap = records.Gap(self.n_lines, n_lines)
        self.n_lines += n_lines
        return closed + self.record(records.GAP_MARKER, gap.body())

    def finish(self) -> bytes:
        """The last segment, the index and the end. Raises BadArgument: no line came, or not as many as announced."""
        segments = self.closed_if_damaged() + self.close_segment()
        if self.n_segments == 0 or self.image.n_lines not in (0, self.n_lines):
            raise BadArgument(f"{self.n_lines} lines came, allowed {self.image.n_lines or 'at least 1'}")
        index, index_offset = b"", 0
        if self.options.index:
            index_offset = self.n_bytes
            index = self.record(records.INDEX_MARKER, records.index_body(self.index))
        end = records.EndRecord(self.n_lines, self.n_segments, index_offset, self.header)
        return segments + index + self.record(records.END_MARKER, end.body())

    def record(self, marker: bytes, body: bytes) -> bytes:
        """A record of this stream, counted."""
        data = records.record_bytes(marker, self.stream_crc, body)
        self.n_bytes += len(data)
        return data

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

    def closed_if_damaged(self) -> bytes:
        """The open segment where something of it has changed in memory since its last line, else nothing."""
        found = self.segment.damage() if self.segment is not None else []
        for kind in set(found) - {FaultKind.CODED}:  # which `SegmentClosing` names
            self.note(kind, "changed in memory between two lines")
        return self.close_segment() if found else b""

    def close_segment(self) -> bytes:
        """The open segment and the records of its lines, nothing where it has none; the next line begins another."""
        segment, self.segment = self.segment, None
        if segment is None or segment.n_lines == 0:
            return b""
        start = time.perf_counter()
        closed, faults = self.closing.closed(segment)
        self.choice.n_segments += 1
        if isinstance(segment, TrialSegment):
            other, more = self.closing.closed(segment.rival)
            closed, faults = self.choice.smaller(closed, other), faults + more
        self.faults += faults
        self.report(segment, closed, segment.spent + time.perf_counter() - start)
        if self.options.index:
            self.index.append(records.IndexEntry(segment.first_line, segment.n_lines, self.n_bytes))
        data = closed.header.to_bytes() + closed.payload
        self.n_bytes += len(data)
        records_of_lines = segment.records()
        if records_of_lines is not None:
            data += self.record(records.LINES_MARKER, records_of_lines.body())
        return data

    def report(self, segment: OpenSegment, closed: ClosedSegment, seconds: float) -> None:
        """Count a segment, and call `on_segment` with its telemetry."""
        predictor = closed.header.coding.predictor
        asked = (self.options.predictor, self.choice.alone.predictor if self.choice.is_free else None)
        self.n_fallbacks += predictor not in asked
        if self.on_segment is not None:
            executor = self.supervised if predictor is PredictorKind.LINERWKV else None
            name, provider = (executor.name, executor.provider) if executor is not None else (None, None)
            n_samples = segment.n_lines * self.image.n_bands * self.image.n_columns
            self.on_segment(SegmentTelemetry(
                self.n_segments, closed.header, n_samples, name, provider, closed.writer.residual_sums, seconds,
                self.n_fallbacks, tuple(self.faults),
            ))  # fmt: skip
        self.faults = []
        self.n_segments += 1

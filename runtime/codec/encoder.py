"""The streaming encoder: lines in, bytes out, in memory bounded by one line, the state and one coded segment.

Where the executor fails, or memory is found damaged, the segment ends and the lines go on in another: nothing that was
accepted is lost.
"""

import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_package import FlightPackage, IntegerPackage
from runtime.codec.open_segment import OpenSegment
from runtime.codec.segment_forms import Form, SegmentForms
from runtime.defences.segment_guard import GuardLevel, SegmentGuard
from runtime.defences.supervised_executor import SupervisedExecutor
from runtime.errors import BadArgument, ExecutorFailed
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.executors import AnyExecutor, make_executor
from runtime.images.image_description import ImageDescription, stream_header
from runtime.segments.segment_codecs import default_stage, segment_codec
from runtime.stream.crc32c import crc32c
from runtime.stream.depth import check_in_range, sample_range
from runtime.stream.stream_format import LARGEST_SEGMENT_LINES, AdaptiveStage, EndRecord, PredictorKind, Quantisation
from runtime.stream.telemetry import Fault, FaultKind, SegmentTelemetry

DEFAULT_SEGMENT_LINES = 64  # benchmarks/results/segment_lines.md


class Encoder:
    """Push lines, collect bytes.

    The first bytes are `header`; each `push` returns the bytes of a segment when one is complete, else none; `finish`
    returns the rest.
    """

    def __init__(
        self,
        image: ImageDescription,
        package: FlightPackage | None = None,
        *,
        predictor: PredictorKind | None = None,
        max_error: int = 0,
        segment_lines: int = DEFAULT_SEGMENT_LINES,
        executor: AnyExecutor | None = None,
        stage: AdaptiveStage | None = None,
        quantisation: Quantisation | None = None,
        guard: GuardLevel = GuardLevel.OFF,
        on_segment: Callable[[SegmentTelemetry], None] | None = None,
    ) -> None:
        """`predictor` None is LineRWKV with a package and DPCM without. Raises BadArgument.

        `stage` None is the best one for RLS and for an int8 package, and none for the others, which allow no other.
        `quantisation` None is in the loop, but not with a float32 package; it says nothing where `max_error` is 0, and
        CCSDS 123 has its own. After a failure of `executor` a `SupervisedExecutor` gives another, any other executor is
        followed by CCSDS 123 for good. `on_segment` is called after each segment.
        """
        if not 1 <= segment_lines <= LARGEST_SEGMENT_LINES:
            raise BadArgument(f"segment length is {segment_lines} lines, allowed 1..{LARGEST_SEGMENT_LINES}")
        if predictor is None:
            predictor = PredictorKind.DPCM if package is None else PredictorKind.LINERWKV
        if predictor is not PredictorKind.LINERWKV:
            package = executor = None
        self.image = image
        self.predictor = predictor
        self.segment_lines = segment_lines
        self.stream = stream_header(image, predictor, package, max_error, quantisation)
        self.header = self.stream.to_bytes()
        self.header_crc = crc32c(self.header)
        if package is not None and executor is None:
            executor = make_executor(package)
        if isinstance(package, IntegerPackage) and not isinstance(executor, SupervisedExecutor):
            executor = SupervisedExecutor(package, cast(ArrayExecutor, executor))
        self.supervised = executor if isinstance(executor, SupervisedExecutor) else None
        if stage is None:
            stage = default_stage(predictor, package)
        self.codec = segment_codec(predictor, self.stream, package, executor, stage)
        self.fallback = segment_codec(PredictorKind.CCSDS123, self.stream)
        self.forms = SegmentForms(self.stream, self.fallback, self.supervised, guard)
        self.guard = guard
        self.on_segment = on_segment
        self.range = sample_range(image.depth, is_signed=image.is_signed)
        self.segment: OpenSegment | None = None
        self.faults: list[Fault] = []
        self.n_lines = 0
        self.n_segments = 0
        self.n_fallbacks = 0

    def push(self, line: npt.NDArray[np.integer[Any]]) -> bytes:
        """Code the next line (Z, X); returns the segments that are complete now, mostly none.

        Raises BadArgument where the line has the wrong shape or a sample outside the range of the bit depth; the line
        is then not part of the stream, and the next `push` may follow. Raises Corrupt where a guarded segment is lost,
        because it and its twin were both damaged in memory.
        """
        shape = (self.image.n_bands, self.image.n_columns)
        if line.shape != shape or not np.issubdtype(line.dtype, np.integer):
            raise BadArgument(
                f"line {self.n_lines}: {line.dtype} of shape {line.shape}, allowed integers of shape {shape}"
            )
        check_in_range(line, *self.range, self.n_lines)
        closed = self.closed_if_damaged()
        segment = self.segment = self.segment or self.new_segment()
        if self.supervised is not None:
            self.supervised.begin_line()
        try:
            segment.push(line)
        except ExecutorFailed as error:
            self.note(FaultKind.EXECUTOR, str(error))
            self.give_up_executor()
            closed += self.close_segment()
            segment = self.segment = self.new_segment()
            segment.push(line)
        self.n_lines += 1
        return closed + self.close_segment() if segment.n_lines == self.segment_lines else closed

    def finish(self) -> bytes:
        """The last segment and the end record. Raises BadArgument where no line came, or not as many as announced."""
        if self.n_lines == 0 or self.image.n_lines not in (0, self.n_lines):
            raise BadArgument(f"{self.n_lines} lines came, allowed {self.image.n_lines or 'at least 1'}")
        segments = self.closed_if_damaged() + self.close_segment()
        return segments + EndRecord(self.n_lines, self.n_segments, self.header).to_bytes(self.header_crc)

    def new_segment(self) -> OpenSegment:
        """By the predictor asked for, or by CCSDS 123 where its executor is not there now."""
        codec = self.codec
        if self.supervised is not None:
            codec = codec if self.supervised.is_ready() else self.fallback
            for text in self.supervised.take_restart_errors():
                self.note(FaultKind.RESTART, text)
        is_lossless = self.stream.max_error == 0
        guard = None if self.guard is GuardLevel.OFF else SegmentGuard(self.fallback, is_lossless=is_lossless)
        return OpenSegment(codec, self.n_lines, guard)

    def note(self, kind: FaultKind, text: str) -> None:
        """For the telemetry of the segment that closes next."""
        self.faults.append(Fault(self.n_lines, kind, text))

    def give_up_executor(self) -> None:
        """It failed: until there is another, or for good, lines are coded without."""
        if self.supervised is not None:
            self.supervised.fail()
        else:
            self.codec = self.fallback

    def closed_if_damaged(self) -> bytes:
        """The open segment where something of it has changed in memory since its last line, else nothing."""
        found = self.segment.damage() if self.segment is not None else []
        for kind in set(found) - {FaultKind.CODED}:  # which `SegmentForms` names
            self.note(kind, "changed in memory between two lines")
        return self.close_segment() if found else b""

    def close_segment(self) -> bytes:
        """Header and payload of the open segment, nothing where none has lines; the next line begins another."""
        segment, self.segment = self.segment, None
        if segment is None or segment.n_lines == 0:
            return b""
        start = time.perf_counter()
        form, faults = self.forms.closed(segment)
        self.faults += faults
        self.tell(segment, form, segment.seconds + time.perf_counter() - start)
        return form.header.to_bytes(self.header_crc) + form.payload

    def tell(self, segment: OpenSegment, form: Form, seconds: float) -> None:
        """Count a segment, and hand its telemetry to whoever asked for it."""
        self.n_fallbacks += form.codec.predictor is not self.predictor
        if self.on_segment is not None:
            n_samples = segment.n_lines * self.image.n_bands * self.image.n_columns
            executor = self.supervised if form.header.predictor is PredictorKind.LINERWKV else None
            self.on_segment(
                SegmentTelemetry(
                    self.n_segments,
                    form.header,
                    n_samples,
                    None if executor is None else executor.name,
                    None if executor is None else executor.provider,
                    form.writer.residual_sums,
                    seconds,
                    self.n_fallbacks,
                    tuple(self.faults),
                )
            )
        self.faults = []
        self.n_segments += 1

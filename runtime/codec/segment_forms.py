"""The bytes of a finished segment: as written, stored where that is smaller, its twin where it is in doubt."""

from typing import NamedTuple

from runtime.codec.open_segment import OpenSegment
from runtime.defences.segment_guard import GuardLevel, SegmentGuard
from runtime.defences.supervised_executor import SupervisedExecutor
from runtime.errors import Corrupt, LineRwkvError
from runtime.executors.executors import make_executor
from runtime.segments.segment_codec import SegmentCodec, SegmentWriter
from runtime.segments.segment_codecs import segment_codec
from runtime.stream.crc32c import crc32c
from runtime.stream.stream_format import Arithmetic, Coder, PredictorKind, SegmentHeader, StreamHeader
from runtime.stream.telemetry import Fault, FaultKind


class Form(NamedTuple):
    """What can go down, and the writer that it comes from."""

    header: SegmentHeader
    payload: bytes
    codec: SegmentCodec
    writer: SegmentWriter


class SegmentForms:
    """Of the segments of one stream; keeps nothing of any segment."""

    def __init__(
        self, stream: StreamHeader, fallback: SegmentCodec, supervised: SupervisedExecutor | None, guard: GuardLevel
    ) -> None:
        self.stream = stream
        self.stored = segment_codec(PredictorKind.NONE, stream)
        self.fallback = fallback
        self.supervised = supervised
        self.guard = guard

    def closed(self, segment: OpenSegment) -> tuple[Form, list[Fault]]:
        """The form to send, and what was found wrong with others.

        Raises Corrupt where a segment is in doubt and its twin is damaged too: its lines are lost.
        """
        if segment.guard is None:
            return self.form(segment, segment.codec, segment.writer), []
        fault = self.doubt(segment, segment.guard)
        if fault is None:
            try:
                form = self.form(segment, segment.codec, segment.writer)
                if self.guard is GuardLevel.PROOF:
                    self.prove(segment.guard, form)
                return form, []
            except LineRwkvError as error:
                fault = Fault(segment.first_line + segment.n_lines, FaultKind.DECODING, str(error))
                if self.supervised is not None:
                    self.supervised.fail()
        if segment.guard.twin is None:
            last = segment.first_line + segment.n_lines - 1
            raise Corrupt(f"lines {segment.first_line}..{last} are lost: their segment ({fault}) and its twin")
        return self.form(segment, self.fallback, segment.guard.twin), [fault]

    def doubt(self, segment: OpenSegment, guard: SegmentGuard) -> Fault | None:
        """Why not to trust the segment as it is coded: itself, the package, the executor, which is given up then."""
        next_line = segment.first_line + segment.n_lines
        if not guard.is_coded_sound:
            return Fault(next_line, FaultKind.CODED, "changed in memory between two lines")
        if self.supervised is None or segment.codec.predictor is not PredictorKind.LINERWKV:
            return None
        if self.supervised.current is None:
            return Fault(next_line, FaultKind.SELF_TEST, "the executor is gone: it cannot be tested after these lines")
        kind = FaultKind.PACKAGE
        try:
            self.supervised.check_package()
            kind = FaultKind.SELF_TEST
            self.supervised.check_executor()
        except LineRwkvError as error:
            self.supervised.fail()
            return Fault(next_line, kind, str(error))
        return None

    def prove(self, guard: SegmentGuard, form: Form) -> None:
        """Raise Corrupt or another error where the form does not decode to the lines that came."""
        codec = self.stored if form.header.predictor is PredictorKind.NONE else self.reading(form.codec)
        guard.prove(codec, form.header, form.payload)

    def form(self, segment: OpenSegment, codec: SegmentCodec, writer: SegmentWriter) -> Form:
        """The finished form of a writer of the segment, stored where that is smaller."""
        coder, payload = writer.coded()
        header = self.header(segment, codec, coder, payload)
        if codec.may_be_stored and len(payload) > self.stored.largest_payload(segment.n_lines):
            # only now the samples are needed again, and the payload has them: no second copy in memory until here
            plain = self.stored.writer()
            for line in self.reading(codec).lines(header, payload):
                plain.push(line)
            coder, payload = plain.coded()
            header = self.header(segment, self.stored, coder, payload)
        return Form(header, payload, codec, writer)

    def reading(self, codec: SegmentCodec) -> SegmentCodec:
        """The codec to read a segment back: ONNX Runtime here, made for this, whatever wrote it; it may be gone."""
        if self.supervised is None or codec.predictor is not PredictorKind.LINERWKV:
            return codec
        package = self.supervised.package
        return segment_codec(codec.predictor, self.stream, package, make_executor(package), codec.stage)

    def header(self, segment: OpenSegment, codec: SegmentCodec, coder: Coder, payload: bytes) -> SegmentHeader:
        """The header of a form."""
        return SegmentHeader(
            segment.first_line,
            segment.n_lines,
            codec.predictor,
            self.stream.arithmetic if codec.predictor is PredictorKind.LINERWKV else Arithmetic.NONE,
            codec.stage,
            coder,
            len(payload),
            crc32c(payload),
        )

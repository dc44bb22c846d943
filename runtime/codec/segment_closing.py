"""The bytes of a finished segment: as written, or its backup where it cannot be trusted."""

import zlib
from collections import deque
from typing import NamedTuple

from runtime.codec.open_segment import OpenSegment
from runtime.defences.segment_guard import GuardLevel, SegmentGuard
from runtime.defences.supervised_executor import SupervisedExecutor
from runtime.errors import Corrupt, LineRwkvError
from runtime.executors.executors import make_executor
from runtime.segments.segment_codec import SegmentCodec, SegmentWriter, checked_lines
from runtime.segments.segment_codecs import segment_codec
from runtime.segments.special_segments import reading_codec
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind
from runtime.stream.segment_header import SegmentHeader
from runtime.stream.telemetry import Fault, FaultKind


class ClosedSegment(NamedTuple):
    """What is sent, and the writer that it comes from."""

    header: SegmentHeader
    payload: bytes | memoryview
    writer: SegmentWriter


class SegmentClosing:
    """Of the segments of one stream; keeps nothing of any segment."""

    def __init__(
        self, image: ImageDescription, stream_crc: int, fallback: SegmentCodec, supervised: SupervisedExecutor | None,
        guard: GuardLevel,
    ) -> None:  # fmt: skip
        self.image = image
        self.stream_crc = stream_crc
        self.fallback = fallback
        self.supervised = supervised
        self.guard = guard

    def closed(self, segment: OpenSegment) -> tuple[ClosedSegment, list[Fault]]:
        """The segment to send, and its faults. Raises Corrupt where its backup is damaged too: its lines are lost."""
        guard = segment.guard
        if guard is None:
            return self.finished(segment, segment.codec, segment.writer, segment.samples_crc), []
        fault = self.distrust(segment, guard)
        if fault is None:
            try:
                closed = self.finished(segment, segment.codec, segment.writer, segment.samples_crc)
                if self.guard is GuardLevel.PROOF:
                    self.prove(segment.codec, closed)
                return closed, []
            except LineRwkvError as error:
                fault = Fault(segment.next_line, FaultKind.DECODING, str(error))
                if self.supervised is not None:
                    self.supervised.fail()
        if guard.backup is None:
            last = segment.next_line - 1
            raise Corrupt(f"lines {segment.first_line}..{last} are lost: their segment ({fault}) and its backup")
        return self.finished(segment, self.fallback, guard.backup, guard.backup_samples_crc), [fault]

    def distrust(self, segment: OpenSegment, guard: SegmentGuard) -> Fault | None:
        """Why not to trust the segment as it is coded: itself, the package, the executor, which is given up then."""
        if not guard.is_coded_sound:
            return Fault(segment.next_line, FaultKind.CODED, "changed in memory, or is not what its line was")
        if self.supervised is None or segment.codec.coding.predictor is not PredictorKind.LINERWKV:
            return None
        if self.supervised.current is None:
            return Fault(segment.next_line, FaultKind.SELF_TEST, "the executor has ended and cannot be tested")
        kind = FaultKind.PACKAGE
        try:
            self.supervised.check_package()
            kind = FaultKind.SELF_TEST
            self.supervised.check_executor()
        except LineRwkvError as error:
            self.supervised.fail()
            return Fault(segment.next_line, kind, str(error))
        return None

    def prove(self, codec: SegmentCodec, closed: ClosedSegment) -> None:
        """Decode a segment, by ONNX Runtime made for this. Raises Corrupt, or what the decoder raises."""
        if self.supervised is not None and codec.coding.predictor is PredictorKind.LINERWKV:
            package = self.supervised.package
            codec = segment_codec(codec.coding, self.image, package, make_executor(package))
        deque(checked_lines(reading_codec(codec, closed.header), closed.header, bytes(closed.payload)), maxlen=0)

    def finished(
        self, segment: OpenSegment, codec: SegmentCodec, writer: SegmentWriter, samples_crc: int
    ) -> ClosedSegment:
        """Header and payload of a writer of the segment's lines."""
        coder, payload = writer.coded()
        coding = codec.coding._replace(has_specials=writer.has_specials)
        header = SegmentHeader(
            self.stream_crc, segment.first_line, segment.n_lines, coding, coder, samples_crc, len(payload),
            zlib.crc32(payload),
        )  # fmt: skip
        return ClosedSegment(header, payload, writer)

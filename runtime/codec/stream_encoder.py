"""What every encoder of a whole stream is: lines in, and the bytes of header, segments, gaps, index and end out."""

import abc
from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.line_codes import LineCodes
from runtime.codec.segment_encoder import CodedSegment
from runtime.errors import BadArgument
from runtime.stream import records
from runtime.stream.coded_line import Codes
from runtime.stream.crc32c import crc32c
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Arithmetic, PredictorKind
from runtime.stream.line_records import LARGEST_RECORD_BYTES
from runtime.stream.stream_header import PackageName, StreamHeader
from runtime.stream.telemetry import SegmentTelemetry


class StreamEncoder(abc.ABC):
    """Push lines, collect bytes.

    The first bytes are `header`; each `push` returns the bytes of segments that are complete, mostly none; `finish`
    returns the rest.
    """

    def __init__(
        self, image: ImageDescription, options: CodingOptions, packages: Sequence[FlightPackage],
        on_segment: Callable[[SegmentTelemetry], None] | None,
    ) -> None:  # fmt: skip
        """`on_segment` is called after each segment. packages: those that segments may name, in the table's order."""
        self.image = image
        self.options = options
        self.packages = package_names(packages)
        self.header = StreamHeader(image, self.packages).to_bytes()
        self.stream_crc = crc32c(self.header)
        self.codes = LineCodes(image, options.out_of_range)
        self.on_segment = on_segment
        self.index: list[records.IndexEntry] = []
        self.n_bytes = len(self.header)
        self.n_lines = 0
        self.n_segments = 0
        self.n_fallbacks = 0
        self.n_with_network = 0
        self.n_threads = 1

    def push(self, line: npt.NDArray[Any], record: bytes = b"") -> bytes:
        """Take the next line (Z, X), of values of the file; returns the segments that are complete now, mostly none.

        record: bytes that go through the stream beside the line, at most 2^16; none: the line has no record. Raises
        BadArgument where the line has the wrong shape, a sample outside the range of the bit depth, or a record that is
        too long; the line is then not part of the stream, and the next `push` may follow. Raises Corrupt where a
        guarded segment is lost, because it and its backup were both damaged in memory.
        """
        if len(record) > LARGEST_RECORD_BYTES:
            raise BadArgument(f"line {self.n_lines}: record of {len(record)} bytes, allowed {LARGEST_RECORD_BYTES}")
        coded = self.push_codes(self.codes.of(line, self.n_lines), bytes(record))
        self.n_lines += 1
        return self.sent(coded)

    @abc.abstractmethod
    def push_codes(self, codes: Codes, record: bytes) -> list[CodedSegment]:
        """Code a line, now or later; the segments that are complete."""

    @abc.abstractmethod
    def close(self) -> list[CodedSegment]:
        """All lines that came and are in no complete segment; the next line begins another segment."""

    def skip(self, n_lines: int) -> bytes:
        """Say that the next `n_lines` lines, 1 or more, never came; returns what is complete now."""
        closed = self.sent(self.close())
        gap = records.Gap(self.n_lines, n_lines)
        self.n_lines += n_lines
        return closed + self.record(records.GAP_MARKER, gap.body())

    def finish(self) -> bytes:
        """The last segments, the index and the end. Raises BadArgument: no line came, or not as many as announced."""
        segments = self.sent(self.close())
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

    def sent(self, coded: list[CodedSegment]) -> bytes:
        """The bytes of segments and of the records of their lines, counted and told."""
        return b"".join(self.segment(one) for one in coded)

    def segment(self, coded: CodedSegment) -> bytes:
        """The bytes of one."""
        header = coded.header
        self.tell(coded)
        if self.options.index:
            self.index.append(records.IndexEntry(header.first_line, header.n_lines, self.n_bytes))
        data = header.to_bytes() + coded.payload
        self.n_bytes += len(data)
        if coded.records is not None:
            data += self.record(records.LINES_MARKER, coded.records.body())
        return data

    def tell(self, coded: CodedSegment) -> None:
        """Count a segment, and call `on_segment` with its telemetry."""
        header, asked = coded.header, self.options.kind
        is_alone = asked is PredictorKind.LINERWKV and header.coding.predictor is PredictorKind.RLS
        self.n_with_network += header.coding.predictor is PredictorKind.LINERWKV
        self.n_fallbacks += header.coding.predictor is not asked and not is_alone
        if self.on_segment is not None:
            n_samples = header.n_lines * self.image.n_bands * self.image.n_columns
            name, provider = coded.executor or (None, None)
            self.on_segment(SegmentTelemetry(
                self.n_segments, header, n_samples, name, provider, coded.residuals, coded.seconds, self.n_fallbacks,
                coded.faults,
            ))  # fmt: skip
        self.n_segments += 1


def package_names(packages: Sequence[FlightPackage]) -> tuple[PackageName, ...]:
    """The rows of a stream's table."""
    return tuple(PackageName(Arithmetic.of(one.arithmetic), one.sha256) for one in packages)

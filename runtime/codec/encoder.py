"""The encoder that codes each line when it comes, in memory bounded by one line, the state and one coded segment.

`runtime.codec.opened_encoder` makes an encoder from options.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from typing_extensions import override

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.segment_encoder import CodedSegment, SegmentEncoder
from runtime.codec.stream_encoder import StreamEncoder
from runtime.executors.array_executor import ArrayExecutor
from runtime.stream.coded_line import Codes
from runtime.stream.image_description import ImageDescription
from runtime.stream.telemetry import SegmentTelemetry


class LiveEncoder(StreamEncoder):
    """Lines are coded at once, by the `segments` that a subclass has chosen."""

    segments: SegmentEncoder

    @override
    def push_codes(self, codes: Codes, record: bytes) -> list[CodedSegment]:
        self.segments.n_lines = self.n_lines
        return self.segments.push(codes, record)

    @override
    def close(self) -> list[CodedSegment]:
        self.segments.n_lines = self.n_lines
        return self.segments.closed_if_damaged() + self.segments.close()


class Encoder(LiveEncoder):
    """A line that raises LineRwkvError is not part of the stream, and changes nothing."""

    def __init__(
        self, image: ImageDescription, options: CodingOptions, package: FlightPackage | None = None,
        executor: ArrayExecutor | None = None, on_segment: Callable[[SegmentTelemetry], None] | None = None,
        threads: Sequence[ThreadPoolExecutor] = (),
    ) -> None:  # fmt: skip
        """A network needs its package and an executor that passed the self-test. Raises BadArgument.

        After a failure of `executor` a `SupervisedExecutor` gives another, after any other one the rest is
        CCSDS 123. `on_segment` is called after each segment. threads: for parts of lines, of
        `runtime.segments.line_threads`.
        """
        super().__init__(image, options, () if package is None else (package,), on_segment)
        self.segments = SegmentEncoder(image, options, self.stream_crc, package, executor, threads)
        self.n_threads = self.segments.n_threads

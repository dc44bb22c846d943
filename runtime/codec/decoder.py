"""The streaming decoder: bytes in, lines out. Every byte is taken as hostile until its checksum is right."""

from collections.abc import Iterator
from typing import BinaryIO

from runtime.cell.flight_package import FlightPackage
from runtime.errors import BadArgument, Corrupt
from runtime.exact_read import read_exactly, read_fully
from runtime.executors.executors import AnyExecutor, make_executor
from runtime.segments.segment_codec import Samples
from runtime.segments.segment_codecs import allowed_stages, segment_codec
from runtime.stream.crc32c import crc32c
from runtime.stream.stream_format import (
    CRC,
    END,
    END_MARKER,
    LARGEST_HEADER_BYTES,
    PREFIX,
    SEGMENT_BYTES,
    SEGMENT_MARKER,
    Arithmetic,
    EndRecord,
    PredictorKind,
    SegmentHeader,
    StreamHeader,
    header_size,
)


class StreamReader:
    """The header of a stream, and its segments as they stand, without decoding samples."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.n_bytes = 0
        prefix = read_fully(file.read, PREFIX.size)
        self.n_bytes += len(prefix)
        rest = self.read(header_size(prefix) - len(prefix), "stream header")
        self.header_bytes = prefix + rest
        self.header = StreamHeader.from_bytes(self.header_bytes)
        self.header_crc = crc32c(self.header_bytes)
        self.end: EndRecord | None = None

    def read(self, n_bytes: int, what: str) -> bytes:
        """The next `n_bytes` of the stream, counted."""
        data = read_exactly(self.file.read, n_bytes, what)
        self.n_bytes += n_bytes
        return data

    def segments(self) -> Iterator[tuple[SegmentHeader, bytes]]:
        """Each segment with its payload, in order; `end` is set afterwards. Raises Truncated or Corrupt."""
        n_lines = n_segments = 0
        while True:
            marker = self.read(len(SEGMENT_MARKER), "segment marker")
            if marker == END_MARKER:
                self.read_end(n_lines, n_segments)
                return
            if marker != SEGMENT_MARKER:
                raise Corrupt(f"segment after line {n_lines}: marker {marker!r}, allowed {SEGMENT_MARKER!r}")
            rest = self.read(SEGMENT_BYTES - len(marker), "segment header")
            header = SegmentHeader.from_bytes(marker + rest, self.header_crc)
            if header.first_line != n_lines:
                raise Corrupt(f"segment begins at line {header.first_line}, allowed {n_lines}")
            check_payload_size(self.header, header)
            payload = self.read(header.n_payload_bytes, f"segment at line {n_lines}")
            check_payload(header, payload)
            yield header, payload
            n_lines += header.n_lines
            n_segments += 1

    def read_end(self, n_lines: int, n_segments: int) -> None:
        """Read the end record after its marker and hold it against what came before."""
        fixed = self.read(END.size - len(END_MARKER), "end record")
        n_header = int.from_bytes(fixed[-4:], "big")
        if n_header > LARGEST_HEADER_BYTES:
            raise Corrupt(f"end record: a header copy of {n_header} bytes, allowed {LARGEST_HEADER_BYTES}")
        rest = self.read(n_header + CRC.size, "end record")
        self.end = EndRecord.from_bytes(END_MARKER + fixed + rest, self.header_crc)
        if (self.end.n_lines, self.end.n_segments) != (n_lines, n_segments) or n_lines == 0:
            raise Corrupt(
                f"end record: {self.end.n_lines} lines in {self.end.n_segments} segments, "
                f"found {n_lines} in {n_segments}"
            )
        if self.header.n_lines not in (0, n_lines):
            raise Corrupt(f"stream has {n_lines} lines, its header announces {self.header.n_lines}")
        if self.file.read(1):
            raise Corrupt("stream: bytes follow the end record")


def check_payload_size(stream: StreamHeader, segment: SegmentHeader) -> None:
    """Raise Corrupt where a payload is larger than any encoder makes it, before it is read."""
    needs_more = segment.predictor in (PredictorKind.LINERWKV, PredictorKind.RLS)
    largest = segment_codec(PredictorKind.DPCM if needs_more else segment.predictor, stream).largest_payload(
        segment.n_lines
    )
    if segment.n_payload_bytes > largest:
        raise Corrupt(
            f"segment at line {segment.first_line}: {segment.n_payload_bytes} bytes announced, "
            f"allowed at most {largest} for {segment.n_lines} lines"
        )


def check_payload(segment: SegmentHeader, payload: bytes) -> None:
    """Raise Corrupt where the payload does not have the CRC of its header."""
    if crc32c(payload) != segment.payload_crc:
        raise Corrupt(f"segment at line {segment.first_line}: the CRC of its payload does not match")


class Decoder:
    """Decodes segments of one stream into lines of samples."""

    def __init__(
        self, header: StreamHeader, package: FlightPackage | None = None, executor: AnyExecutor | None = None
    ) -> None:
        """Raise BadArgument where the stream needs a package and `package` is not that one."""
        if header.arithmetic is not Arithmetic.NONE:
            if package is None:
                raise BadArgument(f"stream needs the flight package {header.package_sha256.hex()[:12]}..., none given")
            if package.sha256 != header.package_sha256:
                raise BadArgument(
                    f"stream was made with package {header.package_sha256.hex()[:12]}..., "
                    f"given {package.sha256.hex()[:12]}... ({package.source})"
                )
            executor = executor or make_executor(package)
        else:
            package = executor = None
        self.header = header
        self.package = package
        self.executor = executor

    def lines(self, segment: SegmentHeader, payload: bytes) -> Iterator[Samples]:
        """The lines (Z, X) of one segment, one at a time. Raises Corrupt or Truncated."""
        if segment.stage not in allowed_stages(segment.predictor):
            raise Corrupt(
                f"segment at line {segment.first_line}: {segment.predictor.name} with stage {segment.stage.name}"
            )
        codec = segment_codec(segment.predictor, self.header, self.package, self.executor, segment.stage)
        if segment.coder not in codec.coders:
            raise Corrupt(f"segment at line {segment.first_line}: {segment.predictor.name} with {segment.coder.name}")
        return codec.lines(segment, payload)

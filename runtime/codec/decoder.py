"""The decoder: segments in, lines of samples out, each segment held against the checksum of its samples."""

from collections.abc import Callable, Iterator, Sequence

from runtime.cell.flight_package import FlightPackage
from runtime.cell.package_store import places_in_words
from runtime.errors import BadArgument, Corrupt
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.executors import make_executor
from runtime.images.sample_file import DTYPES
from runtime.segments.segment_codec import Samples, SegmentCodec, checked_lines
from runtime.segments.segment_codecs import segment_codec
from runtime.stream.coded_line import file_line
from runtime.stream.image_description import ImageDescription
from runtime.stream.segment_header import NO_PACKAGE, SegmentCoding, SegmentHeader
from runtime.stream.stream_header import StreamHeader

Make = Callable[[FlightPackage], ArrayExecutor]


class Decoder:
    """Decodes segments of one stream; each needs its own bytes, the header and its package, nothing else."""

    def __init__(
        self, header: StreamHeader, packages: Sequence[FlightPackage] = (), make: Make = make_executor
    ) -> None:
        """`make` gives a package's executor when the first segment needs it."""
        self.header = header
        self.packages = {package.sha256: package for package in packages}
        self.make = make
        self.executors: dict[bytes, ArrayExecutor] = {}

    def lines(self, segment: SegmentHeader, payload: bytes) -> Iterator[Samples]:
        """The lines (Z, X) of one segment, one at a time.

        Raises BadArgument where its package is not there; Corrupt or Truncated, where the samples do not have their
        checksum after the last line.
        """
        lines = checked_lines(self.codec(segment.coding, segment.where), segment, payload)
        return file_lines(self.header.image, lines, segment.where)

    def codec(self, coding: SegmentCoding, where: str) -> SegmentCodec:
        """The codec of a segment, with its package and executor."""
        try:
            if coding.package_index == NO_PACKAGE:
                return segment_codec(coding, self.header.image)
            package = self.package(coding.package_index, where)
            if package.sha256 not in self.executors:
                self.executors[package.sha256] = self.make(package)
            return segment_codec(coding, self.header.image, package, self.executors[package.sha256])
        except BadArgument as error:
            raise type(error)(f"{where}: {error}") from None

    def package(self, index: int, where: str) -> FlightPackage:
        """The package of a row of the header's table. Raises BadArgument or Corrupt."""
        if index >= len(self.header.packages):
            raise Corrupt(f"{where}: package {index}, the stream names {len(self.header.packages)}")
        name = self.header.packages[index]
        package = self.packages.get(name.sha256)
        if package is None:
            given = ", ".join(f"{known.sha256.hex()[:12]}... ({known.source})" for known in self.packages.values())
            wanted = f"{name.sha256.hex()} ({name.arithmetic.name.lower()})"
            raise BadArgument(
                f"needs the flight package {wanted}, given {given or 'none'}; looked for in {places_in_words()}; "
                f"allowed by --package, or there by `linerwkv package add`"
            )
        if package.arithmetic.upper().replace("-", "_") != name.arithmetic.name:
            raise Corrupt(f"{where}: package {name} is of arithmetic {package.arithmetic}")
        return package


def file_lines(image: ImageDescription, lines: Iterator[Samples], where: str) -> Iterator[Samples]:
    """The values of lines of codes. Raises Corrupt."""
    for codes in lines:
        try:
            yield file_line(image, codes, DTYPES[image.file_type])
        except Corrupt as error:
            raise Corrupt(f"{where}: {error}") from None

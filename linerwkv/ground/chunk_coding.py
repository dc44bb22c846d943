"""A chunk of samples as one segment of a stream, and back: what both kinds of Zarr's codecs do.

A chunk's bytes are a segment as docs/formats/stream.md has it, header and payload. What its stream's header would say
is in the configuration, so segments of a downlinked stream are chunks as they lie.
"""

import math
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from linerwkv.stream_image import filled_with
from runtime.cell.flight_package import FlightPackage
from runtime.cell.package_store import known_packages, places_in_words
from runtime.checked_table import checked_arguments
from runtime.codec.coding_options import CodingOptions, coding_options
from runtime.codec.decoder import Decoder
from runtime.codec.line_codes import LineCodes
from runtime.codec.segment_encoder import SegmentEncoder
from runtime.codec.stream_reader import check_payload, check_segment
from runtime.errors import BadArgument, Corrupt
from runtime.executors.executors import make_executor
from runtime.images.raw_lines import SAMPLE_TYPES
from runtime.images.sample_file import DTYPES
from runtime.stream.crc32c import crc32c
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Arithmetic, SpecialKind
from runtime.stream.sample_map import SampleMap
from runtime.stream.segment_header import LARGEST_SEGMENT_LINES, SEGMENT_BYTES, SegmentHeader
from runtime.stream.special_values import Special, number_of
from runtime.stream.stream_header import PackageName, StreamHeader

CODEC = "linerwkv"
"""Of the codecs, in the metadata of arrays."""
SHA256_BYTES = 32
POOLS = ("decoders", "encoders")
"""Of the fields, those that are no configuration."""
Cube = npt.NDArray[Any]


@dataclass(frozen=True)
class ChunkCoding:
    """The configuration of a codec, plain values for JSON. Raises BadArgument for what no stream has."""

    lines: Annotated[int, Meta(ge=1, le=LARGEST_SEGMENT_LINES)]
    bands: int
    columns: int
    sample_type: str = "uint16"
    depth: int = 16
    signed: bool = False
    max_error: int = 0
    predictor: str = "rls"
    """Of chunks that are written, as stage: rls, dpcm, ccsds123, or linerwkv with a package."""
    stage: str | None = None
    packages: Annotated[tuple[str, ...], Meta(description="list of ARITHMETIC:SHA256")] = ()
    """ARITHMETIC:SHA256 each, found among the shipped ones or in a store; the first one writes."""
    special_values: Annotated[tuple[tuple[str, str], ...], Meta(description="list of a number, and void or limit")] = ()
    """A number in words, and void or limit."""
    values: Annotated[tuple[int, int, float, bool], Meta(description="offset, step, scale, whether it divides")] = (
        0, 1, 1.0, False,
    )  # fmt: skip
    """Offset, step, scale, whether it divides (docs/formats/stream.md)."""
    fill: str = "0"
    """In words: of lines that a shorter segment lacks, a value that the sample type holds."""
    stream: Annotated[int, Meta(ge=0, le=(1 << 32) - 1)] | None = None
    """CRC of the header of the stream whose segments these are; None: of no stream."""
    decoders: list[Decoder] = field(default_factory=list, compare=False, repr=False)
    """Idle ones."""
    encoders: list[SegmentEncoder] = field(default_factory=list, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check all numbers."""
        if not 1 <= self.lines <= LARGEST_SEGMENT_LINES:
            raise BadArgument(f"chunk: {self.lines} lines, allowed 1..{LARGEST_SEGMENT_LINES}")
        image, options = self.header.image, self.options
        self.header.to_bytes()
        if options.max_error > (largest := image.largest_error * image.values.step):
            raise BadArgument(f"chunk: max_error {options.max_error}, allowed 0..{largest}")
        filled_with(self.header, self.fill_number)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """From the values of JSON. Raises BadArgument."""
        return cls(**checked_arguments(cls, config, "chunk", without=POOLS))

    @classmethod
    def of_stream(cls, header: StreamHeader, stream_crc: int, n_lines: int, fill: int | float) -> Self:
        """For the segments of a stream, which have at most `n_lines` lines."""
        image = header.image
        offset, step, scale, divides = image.values
        return cls(
            n_lines, image.n_bands, image.n_columns, image.file_type.name.lower(), image.depth, image.is_signed,
            packages=tuple(f"{package.arithmetic.name.lower()}:{package.sha256.hex()}" for package in header.packages),
            special_values=tuple((repr(one.value), one.kind.name.lower()) for one in image.specials),
            values=(offset, step, scale, divides), fill=repr(fill), stream=stream_crc,
        )  # fmt: skip

    def __reduce__(self) -> tuple[Any, ...]:
        """Without the idle decoders and encoders."""
        return type(self).from_config, (self.to_config(),)

    def to_config(self) -> dict[str, Any]:
        """Without what is by default."""
        found: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name not in POOLS and value != one.default:
                found[one.name] = (
                    [list(row) if isinstance(row, tuple) else row for row in value]
                    if isinstance(value, tuple)
                    else value
                )
        return found

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a chunk: lines, bands, columns."""
        return self.lines, self.bands, self.columns

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of samples."""
        return DTYPES[self.header.image.file_type]

    @cached_property
    def header(self) -> StreamHeader:
        """Of a stream of such segments. Raises BadArgument."""
        if self.sample_type not in SAMPLE_TYPES:
            raise BadArgument(f"chunk: sample type {self.sample_type}, allowed {', '.join(SAMPLE_TYPES)}")
        kind = SAMPLE_TYPES[self.sample_type]
        specials = tuple(special_of(value, name, is_float=kind.is_float) for value, name in self.special_values)
        image = ImageDescription(
            self.bands, self.columns, self.depth, self.signed, 0, kind, {}, SampleMap(*self.values), specials
        )
        names = (one.partition(":") for one in self.packages)
        try:
            packages = tuple(PackageName(Arithmetic.of(name), bytes.fromhex(digits)) for name, _, digits in names)
        except (KeyError, ValueError):
            packages = ()
        if len(packages) < len(self.packages) or any(len(package.sha256) != SHA256_BYTES for package in packages):
            raise BadArgument(f"chunk: packages {self.packages}, allowed ARITHMETIC:SHA256 each")
        return StreamHeader(image, packages)

    @property
    def options(self) -> CodingOptions:
        """Of chunks that are written. Raises BadArgument."""
        return coding_options({
            "predictor": self.predictor, "stage": self.stage, "max_error": self.max_error, "network": "always",
            "segment_lines": self.lines, "index": False,
        })  # fmt: skip

    @property
    def fill_number(self) -> int | float:
        """Of lines that a shorter segment lacks. Raises BadArgument."""
        if (number := number_of(self.fill)) is None:
            raise BadArgument(f"chunk: fill {self.fill}, allowed a number in words")
        return number

    def encode(self, chunk: Cube) -> bytes:
        """The segment of a whole chunk (Y, Z, X).

        Raises BadArgument for another shape or type, and for samples that the depth does not hold.
        """
        cube = np.asarray(chunk)
        self.check_chunk(cube.shape, cube.dtype)
        try:
            encoder = self.encoders.pop()
        except IndexError:
            encoder = self.new_encoder()
        codes = LineCodes(encoder.image, encoder.options.out_of_range)
        encoder.begin(0, 0, has_network=True)
        coded = [one for y, line in enumerate(cube) for one in encoder.push(codes.of(line, y))] + encoder.close()
        if len(coded) != 1:
            raise BadArgument(f"chunk: {len(coded)} segments, because an executor failed; allowed one")
        self.encoders.append(encoder)
        return coded[0].header.to_bytes() + bytes(coded[0].payload)

    def check_chunk(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Raise BadArgument where a chunk is of another shape, type or order of bytes: nothing is converted."""
        if shape != self.shape or dtype != self.dtype:
            found = f"chunks {shape} of {dtype.str if dtype.kind in 'iuf' else dtype}"
            raise BadArgument(f"codec {CODEC}: {found}, allowed {self.shape} of {self.dtype.str}")

    def decode(self, data: bytes) -> Cube:
        """The samples of a chunk (Y, Z, X); what a shorter segment lacks is fill. Raises LineRwkvError."""
        segment, header = SegmentHeader.from_bytes(data[:SEGMENT_BYTES]), self.header
        check_segment(header, segment.stream_crc if self.stream is None else self.stream, segment)
        if segment.n_lines > self.lines:
            raise Corrupt(f"{segment.where}: {segment.n_lines} lines, allowed {self.lines} in a chunk")
        payload = data[SEGMENT_BYTES : SEGMENT_BYTES + segment.n_payload_bytes]
        check_payload(segment, payload)
        cube = np.full(self.shape, self.fill_number, self.dtype)
        try:
            decoder = self.decoders.pop()
        except IndexError:
            decoder = Decoder(header, self.opened_packages(header))
        for i, line in enumerate(decoder.lines(segment, payload)):
            cube[i] = line
        self.decoders.append(decoder)
        return cube

    def opened_packages(self, header: StreamHeader) -> list[FlightPackage]:
        """Those that are found; a segment that needs another one says so."""
        return known_packages({package.sha256 for package in header.packages})

    def new_encoder(self) -> SegmentEncoder:
        """By predictor, stage and the first package. Raises BadArgument."""
        header, options = self.header, self.options
        stream_crc = crc32c(header.to_bytes()) if self.stream is None else self.stream
        if not options.has_network:
            return SegmentEncoder(header.image, options, stream_crc, None, None)
        package = next(iter(known_packages({one.sha256 for one in header.packages[:1]})), None)
        if package is None:
            wanted = self.packages[0] if self.packages else "none named"
            raise BadArgument(f"chunk: package {wanted} not found, looked for in {places_in_words()}")
        return SegmentEncoder(header.image, options, stream_crc, package, make_executor(package))


def special_of(value: str, kind: str, *, is_float: bool) -> Special:
    """A special value from words. Raises BadArgument."""
    number = number_of(value)
    if number is None or kind.upper() not in SpecialKind.__members__:
        raise BadArgument(f"chunk: special value {value} {kind}, allowed a number, and void or limit")
    if is_float or (isinstance(number, float) and math.isfinite(number)):
        number = float(number)
    return Special(number, SpecialKind[kind.upper()])

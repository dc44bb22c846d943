"""The first structure of a stream: the image, and the packages that its segments may name."""

import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any, NamedTuple

from runtime.errors import BadArgument, Corrupt, Foreign, TooNew, Truncated
from runtime.exact_read import Take, read_exactly, read_fully
from runtime.stream.crc32c import crc32c
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Arithmetic, SampleType, SpecialKind, enum_of
from runtime.stream.sample_map import SampleMap
from runtime.stream.special_values import Special

MAGIC = b"LRWK"
VERSION = 3
PREFIX = struct.Struct(">4sBI")  # magic, version, bytes of the whole header
FIXED = struct.Struct(">IIIBBBBBI")
PACKAGE = struct.Struct(">B32s")
CRC = struct.Struct(">I")

LARGEST_PACKAGES = 255
LARGEST_METADATA_BYTES = 1 << 22  # of JSON text
LARGEST_HEADER_BYTES = 1 << 22
IS_SIGNED, HAS_MAP = 1, 2
MAP = struct.Struct(">qIBd")  # offset, step, whether the scale divides, scale
PLAIN_MAP = MAP.pack(0, 1, 0, 1.0)
INTEGER_SPECIAL, FLOAT_SPECIAL = struct.Struct(">Bq"), struct.Struct(">Bd")  # kind, value


class PackageName(NamedTuple):
    """One row of the table of packages."""

    arithmetic: Arithmetic
    sha256: bytes  # Of the package's manifest, 32 bytes

    def __str__(self) -> str:
        """For people."""
        return f"{self.sha256.hex()[:12]}... ({self.arithmetic.name.lower()})"


@dataclass(frozen=True)
class StreamHeader:
    """What holds for the whole stream."""

    image: ImageDescription
    packages: tuple[PackageName, ...] = ()

    def to_bytes(self) -> bytes:
        """The header with its CRC. Raises BadArgument where it is larger than the format allows."""
        image = self.image
        text = json.dumps(image.metadata, separators=(",", ":")).encode()
        if len(text) > LARGEST_METADATA_BYTES:
            raise BadArgument(f"metadata are {len(text)} bytes of JSON, allowed {LARGEST_METADATA_BYTES}")
        metadata = zlib.compress(text, 9)
        table = b"".join(PACKAGE.pack(*package) for package in self.packages) + values_bytes(image)
        n_bytes = PREFIX.size + FIXED.size + len(table) + len(metadata) + CRC.size
        if n_bytes > LARGEST_HEADER_BYTES or len(self.packages) > LARGEST_PACKAGES:
            allowed = f"{LARGEST_HEADER_BYTES} with {LARGEST_PACKAGES}"
            raise BadArgument(f"stream header: {n_bytes} bytes with {len(self.packages)} packages, allowed {allowed}")
        fixed = FIXED.pack(
            image.n_bands, image.n_columns, image.n_lines, image.depth,
            IS_SIGNED * image.is_signed + HAS_MAP * (not image.values.is_plain), image.file_type,
            len(self.packages), len(image.specials), len(metadata),
        )  # fmt: skip
        body = PREFIX.pack(MAGIC, VERSION, n_bytes) + fixed + table + metadata
        return body + CRC.pack(crc32c(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> "StreamHeader":
        """Read a whole header as cut out by `header_size`; raises Corrupt, Truncated or TooNew."""
        if header_size(data) != len(data):
            raise Truncated(f"stream header: {len(data)} bytes found, {header_size(data)} announced")
        body = data[: -CRC.size]
        if crc32c(body) != CRC.unpack(data[-CRC.size :])[0]:
            raise Corrupt("stream header: its CRC does not match")
        fixed = FIXED.unpack_from(body, PREFIX.size)
        n_bands, n_columns, n_lines, depth, flags, sample_type, n_packages, n_special, n_metadata = fixed
        if flags & ~(IS_SIGNED | HAS_MAP):
            raise Corrupt(f"stream header: flags {flags:#x}, allowed {IS_SIGNED | HAS_MAP:#x}")
        where = "stream header"
        kind, rest = enum_of(SampleType, sample_type, where), body[PREFIX.size + FIXED.size :]
        table, rest = rest[: n_packages * PACKAGE.size], rest[n_packages * PACKAGE.size :]
        special = FLOAT_SPECIAL if kind.is_float else INTEGER_SPECIAL
        specials, rest = rest[: n_special * special.size], rest[n_special * special.size :]
        mapped, packed = (rest[: MAP.size], rest[MAP.size :]) if flags & HAS_MAP else (PLAIN_MAP, rest)
        sizes = (n_packages * PACKAGE.size, n_special * special.size, MAP.size, n_metadata)
        if tuple(map(len, (table, specials, mapped, packed))) != sizes:
            found = f"{n_packages} packages, {n_special} special values, {n_metadata} bytes of metadata"
            raise Corrupt(f"{where}: {found} in {len(body)} bytes")
        packages = tuple(
            PackageName(enum_of(Arithmetic, number, where), sha256) for number, sha256 in PACKAGE.iter_unpack(table)
        )
        try:
            image = ImageDescription(
                n_bands, n_columns, depth, bool(flags & IS_SIGNED), n_lines, kind, unpack_metadata(packed),
                unpack_map(mapped), unpack_specials(special, specials),
            )  # fmt: skip
        except BadArgument as error:
            raise Corrupt(f"{where}: {error}") from None
        return cls(image, packages)


def values_bytes(image: ImageDescription) -> bytes:
    """Special values, and the map from codes to values where it says something."""
    form = FLOAT_SPECIAL if image.file_type.is_float else INTEGER_SPECIAL
    specials = b"".join(form.pack(special.kind, special.value) for special in image.specials)
    offset, step, scale, divides = image.values
    return specials + (b"" if image.values.is_plain else MAP.pack(offset, step, divides, scale))


def unpack_map(data: bytes) -> SampleMap:
    """The map from codes to values. Raises Corrupt."""
    offset, step, divides, scale = MAP.unpack(data)
    if divides > 1:
        raise Corrupt(f"stream header: a scale of kind {divides}, allowed 0 (multiplies), 1 (divides)")
    return SampleMap(offset, step, scale, bool(divides))


def unpack_specials(form: struct.Struct, data: bytes) -> tuple[Special, ...]:
    """The special values. Raises Corrupt."""
    where = "special value of the stream header"
    return tuple(Special(value, enum_of(SpecialKind, kind, where)) for kind, value in form.iter_unpack(data))


def header_size(prefix: bytes) -> int:
    """Bytes of the header that begins with `prefix` (at least PREFIX.size bytes). Raises Corrupt, Truncated, TooNew."""
    if (begin := prefix[: len(MAGIC)]) != MAGIC[: len(begin)]:
        raise Foreign(f"stream: begins with {begin!r}, a LineRWKV stream begins with {MAGIC!r}")
    if len(prefix) < PREFIX.size:
        raise Truncated(f"stream: {len(prefix)} bytes found, a header has at least {PREFIX.size + FIXED.size}")
    _, version, n_bytes = PREFIX.unpack_from(prefix)
    if version > VERSION:
        raise TooNew(f"stream: format version {version}, this release reads {VERSION}")
    if version < VERSION:
        raise Corrupt(f"stream: format version {version}, this release reads {VERSION}; no mission has used it")
    if not PREFIX.size + FIXED.size + CRC.size <= n_bytes <= LARGEST_HEADER_BYTES:
        raise Corrupt(f"stream header: {n_bytes} bytes announced, allowed at most {LARGEST_HEADER_BYTES}")
    return int(n_bytes)


def read_header_bytes(take: Take, begun: bytes = b"") -> bytes:
    """The header that a stream begins with, `begun` the part of its prefix that was read. Raises as `header_size`."""
    prefix = begun + read_fully(take, PREFIX.size - len(begun))
    return prefix + read_exactly(take, header_size(prefix) - len(prefix), "stream header")


def unpack_metadata(packed: bytes) -> dict[str, Any]:
    """The JSON object in zlib-compressed bytes; bounded, whatever they announce. Raises Corrupt."""
    try:
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(packed, LARGEST_METADATA_BYTES + 1)
        metadata = json.loads(text.decode())
    except (zlib.error, ValueError, RecursionError):
        raise Corrupt("stream header: metadata is not compressed JSON") from None
    if not unpacking.eof or unpacking.unused_data or len(text) > LARGEST_METADATA_BYTES:
        raise Corrupt(f"stream header: metadata are not one text of at most {LARGEST_METADATA_BYTES} bytes")
    if not isinstance(metadata, dict):
        raise Corrupt("stream header: metadata is not a JSON object")
    return metadata

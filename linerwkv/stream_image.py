"""The image of a stream as an array that is decoded where it is touched."""

import operator
import os
import weakref
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from linerwkv.image_attributes import image_attributes
from linerwkv.line_record_list import LineRecordList
from linerwkv.stream_source import Source, name_of, open_source
from runtime.cell.flight_package import open_package
from runtime.codec.compression import needed_packages
from runtime.codec.decoded_segments import DecodedSegments
from runtime.codec.decoder import Decoder
from runtime.codec.segment_places import SegmentPlaces, segment_places
from runtime.codec.stream_selection import Indices, Missing, Selection, selected
from runtime.errors import BadArgument, Corrupt, LineRwkvError, TooNew, Truncated
from runtime.images.image_facts import nodata_of
from runtime.stream.image_description import TYPE_RANGES
from runtime.stream.records import Gap
from runtime.stream.stream_header import StreamHeader

Array = npt.NDArray[Any]
AXES = ("line", "band", "column")
KEPT_BYTES = 1 << 28
MOST_PIECES = 1 << 16
"""Of a run of missing lines, whose number a few bytes of a stream announce."""
Packages = Sequence[str | os.PathLike[str]]


class StreamImage:
    """An array-like (lines, bands, columns) over a stream; indexing decodes the segments that it touches.

    An index is an integer, a slice, or at most one list of integers or mask, each along its own axis, and gives a new
    NumPy array. Its axes are in the order of the image's; NumPy moves that of a list to the front where a slice parts
    it from an integer, as in a[3, :, [0, 1]]. Several threads may index it. Memory is that array, `kept_bytes` of
    decoded segments, and for each thread one segment.
    """

    ndim = 3

    def __init__(
        self, source: Source, *, packages: Packages = (), missing: Literal["error", "fill"] = "error",
        fill: int | float | None = None, kept_bytes: int = KEPT_BYTES, storage_options: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """What `linerwkv.open` does.

        source: a path, an open binary file that can be read anywhere, or a URL that fsspec reads with storage_options.
        packages: flight packages beside those that are found. missing: `error`: lines that are missing or damaged
        raise and are named; `fill`: they have the value `fill`, None: that of samples that are no measurements, else 0,
        and `missing_lines` names them. kept_bytes: of decoded segments that are kept. Raises LineRwkvError.
        """
        if missing not in ("error", "fill"):
            raise BadArgument(f"missing: found {missing!r}, allowed error, fill")
        if missing == "error" and fill is not None:
            raise BadArgument("fill: a value for missing lines, allowed with missing='fill'")
        self.source = source if not isinstance(source, os.PathLike) else os.fspath(source)
        self.packages = tuple(os.fspath(path) for path in packages)
        self.options: dict[str, Any] = {
            "packages": self.packages, "missing": missing, "fill": fill, "kept_bytes": kept_bytes,
            "storage_options": storage_options,
        }  # fmt: skip
        self.file = open_source(source, storage_options)
        self.is_own_file = self.file is not source
        self.ended = weakref.finalize(self, self.file.close) if self.is_own_file else None
        self.missing_kind = missing
        try:
            self.found = self.places()
            self.fill_value = filled_with(self.header, fill)
        except BaseException:
            self.close()
            raise
        self.segments = DecodedSegments(self.file, self.found, self.new_decoder, kept_bytes)
        self.missing = Missing(self.fill_value if missing == "fill" else None, self.segments.missing)

    def places(self) -> SegmentPlaces:
        """Where segments lie. Raises Corrupt, Truncated or TooNew that names the stream."""
        try:
            found = segment_places(self.file)
        except (Corrupt, Truncated, TooNew) as error:
            raise type(error)(f"{name_of(self.source)}: {error}") from error
        if found.error is not None and self.missing_kind == "error":
            what = f"{found.error}; missing='fill' opens what is there"
            raise type(found.error)(f"{name_of(self.source)}: {what}") from found.error
        return found

    @property
    def header(self) -> StreamHeader:
        """Of the stream."""
        return self.found.header

    @property
    def shape(self) -> tuple[int, int, int]:
        """Lines, bands, columns."""
        image = self.header.image
        return self.found.n_lines, image.n_bands, image.n_columns

    @property
    def size(self) -> int:
        """Samples."""
        n_lines, n_bands, n_columns = self.shape
        return n_lines * n_bands * n_columns

    @property
    def nbytes(self) -> int:
        """Of all samples."""
        return self.size * self.dtype.itemsize

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the samples, as the compressed file had them."""
        return self.segments.dtype

    @property
    def chunks(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Lines, bands, columns of the parts that are decoded at once: segments, and pieces of missing runs.

        Pieces have as many lines as the longest segment; more where there would be more than MOST_PIECES of a run.
        """
        lines: list[int] = []
        for run in self.found.runs():
            longest = max(self.longest_segment, -(-run.n_lines // MOST_PIECES))
            lines += pieces(run.n_lines, longest if isinstance(run, Gap) else run.n_lines)
        return tuple(lines), self.shape[1:2], self.shape[2:]

    @property
    def longest_segment(self) -> int:
        """Lines of the longest segment; 1: there is none."""
        return max((place.n_lines for place in self.found.places), default=1)

    @cached_property
    def attrs(self) -> dict[str, Any]:
        """As in `linerwkv.image_attributes`, and `line_records`."""
        return image_attributes(self.header.image) | {"line_records": self.line_records}

    @cached_property
    def line_records(self) -> LineRecordList:
        """What came beside each line, such as its time: bytes, read when asked for; none: the line has none."""
        return LineRecordList(self.segments, self.shape[0])

    @property
    def missing_lines(self) -> list[tuple[int, int]]:
        """Runs of lines, first and last, that are known to be missing; damage is known once it was touched."""
        return self.missing.lines()

    @property
    def missing_from(self) -> int | None:
        """The line from which on more may be missing, as the stream is cut and did not announce its lines; else None.

        `shape` has the lines before it.
        """
        return self.found.missing_from

    def new_decoder(self) -> Decoder:
        """With the packages that the stream names: those given, shipped ones. Raises LineRwkvError."""
        return Decoder(self.header, self.loaded_packages)

    @cached_property
    def loaded_packages(self) -> list[Any]:
        """Read and checked."""
        given = [open_package(Path(path)) for path in self.packages]
        return needed_packages(self.header, given)

    def __getitem__(self, key: Any) -> Any:
        """The chosen samples. Raises IndexError, or LineRwkvError that names the stream and the lines."""
        lines, bands, columns, kept_axes = selection_of(key, self.shape)
        try:
            found = selected(self.segments, Selection(lines, bands, columns), self.missing)
        except LineRwkvError as error:
            raise type(error)(f"{name_of(self.source)}: {error}") from error
        return found[tuple(slice(None) if kept else 0 for kept in kept_axes)]

    def __iter__(self) -> Iterator[Array]:
        """Each line (Z, X); a segment is decoded once, and is in memory whole."""
        for run in self.found.runs():
            for y in range(run.first_line, run.next_line, self.longest_segment):
                yield from self[y : min(y + self.longest_segment, run.next_line)]

    def __len__(self) -> int:
        """Lines."""
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """All samples."""
        if copy is False:
            raise ValueError("samples are decoded, which is a copy")
        found: Array = self[:]
        return found if dtype is None else found.astype(dtype, copy=False)

    def __repr__(self) -> str:
        sizes = " x ".join(f"{n} {axis}s" for n, axis in zip(self.shape, AXES, strict=True))
        return f"<linerwkv stream {name_of(self.source)}: {sizes}, {self.dtype.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """What was opened by name can go to another process, which opens it again."""
        if not self.is_own_file:
            raise TypeError(f"{name_of(self.source)}: an open file cannot be sent, allowed a path or URL")
        return reopened, (self.source, self.options)

    def close(self) -> None:
        """Close the file, unless the caller opened it."""
        if self.ended is not None:
            self.ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def pieces(n_lines: int, piece: int) -> list[int]:
    """Lines in pieces of that many, the last one shorter."""
    whole, rest = divmod(n_lines, piece)
    return [piece] * whole + [rest] * (rest > 0)


def reopened(source: str, options: dict[str, Any]) -> StreamImage:
    """A stream image from what was pickled of it."""
    return StreamImage(source, **options)


def filled_with(header: StreamHeader, fill: int | float | None) -> int | float:
    """What missing lines have: a value given, the one of samples that are no measurements, 0. Raises BadArgument."""
    image = header.image
    if fill is None:
        nodata = nodata_of(image)
        return 0 if nodata is None else nodata
    if not image.file_type.is_float:
        lowest, highest = TYPE_RANGES[image.file_type]
        if not lowest <= fill <= highest or fill != int(fill):
            raise BadArgument(f"fill value {fill}, allowed {lowest}..{highest} for {image.file_type.name.lower()}")
    return fill


def selection_of(
    key: Any, shape: tuple[int, int, int]
) -> tuple[Indices, slice | Indices, slice | Indices, tuple[bool, bool, bool]]:
    """Lines, bands, columns of an index, and which axes the result keeps. Raises IndexError."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if any(one is Ellipsis for one in keys):
        place = next(i for i, one in enumerate(keys) if one is Ellipsis)
        keys[place : place + 1] = [slice(None)] * (len(shape) - len(keys) + 1)
    keys += [slice(None)] * (len(shape) - len(keys))
    if len(keys) > len(shape) or any(one is Ellipsis or one is None for one in keys):
        raise IndexError(f"index {key!r}: allowed at most one of each axis {', '.join(AXES)}")
    chosen = [axis_indices(one, n, name) for one, n, name in zip(keys, shape, AXES, strict=True)]
    if sum(is_list for _, _, is_list in chosen) > 1:
        raise IndexError(f"index {key!r}: allowed one list; chain them, as in a[:, [3, 5]][..., [1, 2]]")
    lines, bands, columns = (found for found, _, _ in chosen)
    kept = tuple(is_kept for _, is_kept, _ in chosen)
    if isinstance(lines, slice):
        lines = np.arange(*lines.indices(shape[0]), dtype=np.int64)
    return lines, bands, columns, (kept[0], kept[1], kept[2])


def axis_indices(key: Any, n: int, name: str) -> tuple[slice | Indices, bool, bool]:
    """Indices along an axis, whether the axis stays, and whether a list chose them. Raises IndexError."""
    if isinstance(key, slice):
        return key, True, False
    if isinstance(key, int | np.integer) and not isinstance(key, bool | np.bool_):
        index = operator.index(key)
        if not -n <= index < n:
            raise IndexError(f"{name} {index}: allowed {-n}..{n - 1}")
        return np.array([index % n], np.int64), False, False
    found = np.asarray(key)
    if found.dtype == bool and found.shape == (n,):
        return np.flatnonzero(found).astype(np.int64), True, True
    if found.ndim == 0 and found.dtype.kind in "iu":
        return axis_indices(int(found), n, name)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise IndexError(f"{name} index {key!r}: allowed an integer, a slice, or a list of integers or of {n} truths")
    if found.size and not (-n <= found.min() and found.max() < n):
        raise IndexError(f"{name} index {found.min()}..{found.max()}: allowed {-n}..{n - 1}")
    return found.astype(np.int64) % max(n, 1), True, True

"""Images to streams and back: whole ones, and line by line."""

import contextlib
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

from linerwkv.stream_image import Array, Packages
from runtime.cell.flight_package import open_package
from runtime.codec.coding_options import coding_options
from runtime.codec.compression import compress_lines, decompress_salvaged, needed_packages
from runtime.codec.compression import decompress as decompress_stream
from runtime.codec.decoder import Decoder as SegmentDecoder
from runtime.codec.opened_encoder import opened_encoder
from runtime.codec.report import Report
from runtime.codec.stream_info import stream_info
from runtime.codec.stream_reader import Segment, StreamReader
from runtime.errors import BadArgument, Incomplete, Notice
from runtime.images.image_of_scene import describe
from runtime.images.raw_scene import recorded
from runtime.images.sample_file import DTYPES
from runtime.images.scene_reader import Scene, open_scene
from runtime.output_checks import check_outputs
from runtime.stream.image_description import ImageDescription
from runtime.stream.special_values import IGNORED
from runtime.usable_cores import usable_cores

PathLike = str | os.PathLike[str]


def compress(
    cube: npt.ArrayLike | PathLike, path: PathLike, *, metadata: dict[str, Any] | None = None,
    nodata: int | float | None = None, threads: int | None = None, **options: Any,
) -> Report:  # fmt: skip
    """Write the stream of an image; the report says how large it is.

    cube: (lines, bands, columns) integers, or floats that are integers times a scale; or the path of an image file.
    path: of the stream, .lrwk by custom. metadata: entries of an ENVI header, such as {"wavelength": ["450.0", ...]}.
    nodata: the value of samples that are no measurements. threads: None: all cores. options: those of the command line
    by their names with underscores: max_error, predictor, stage, package, segment_lines and others. Raises
    BadArgument.
    """
    coding = coding_options(options)
    if isinstance(cube, str | os.PathLike):
        scene = open_scene(Path(cube), has_floats=True)
    else:
        array = np.asarray(cube)
        scene = Scene(checked_cube(array))
    scene = Scene(scene.source, scene.metadata | words_of(metadata or {}), scene.files)
    check_outputs([Path(path)], scene.files)
    given = () if nodata is None else (nodata,)
    if nodata is not None and IGNORED not in scene.metadata:
        scene.metadata[IGNORED] = str(nodata)
    image = describe(scene, None, coding.out_of_range, given)
    return compress_lines(
        recorded(scene), image, Path(path), coding, inputs=scene.files, n_threads=threads or usable_cores()
    )


def checked_cube(array: Array) -> Array:
    """An array of three axes, none of them empty. Raises BadArgument."""
    if array.ndim != 3 or 0 in array.shape or array.dtype.kind not in "iuf":
        what = f"{array.dtype} of shape {array.shape}"
        raise BadArgument(f"cube: {what}, allowed integers or floats (lines, bands, columns), each at least 1")
    return array


def words_of(metadata: dict[str, Any]) -> dict[str, Any]:
    """Entries of a header: a text, or a list of texts."""
    return {
        key.lower(): [str(one) for one in value] if isinstance(value, Sequence | np.ndarray) and
        not isinstance(value, str) else str(value)
        for key, value in metadata.items()
    }  # fmt: skip


def decompress(
    source: PathLike, output: PathLike | None = None, *, packages: Packages = (), salvage: bool = False,
    fill: int | None = None, threads: int | None = None,
) -> Array | Report:  # fmt: skip
    """All samples (lines, bands, columns) of a stream, or with `output` (.hdr, .tif, .npy, .zarr) a file and a report.

    salvage: every intact segment of a damaged stream. fill: samples of lines that are missing, None: 0. threads: None:
    all cores. An array has no report: lines that are missing are a warning, Notice, and an error without salvage or a
    fill value. Raises LineRwkvError.
    """
    if output is None:
        return restored_array(Path(source), packages, salvage, fill, threads)
    return restore(Path(source), Path(output), packages, salvage, fill, threads)


def restore(
    source: Path, output: Path, packages: Packages, salvage: bool, fill: int | None, threads: int | None
) -> Report:
    """As `decompress`, to a file."""
    given = [open_package(Path(path)) for path in packages]
    if salvage:
        return decompress_salvaged(source, output, given, fill=fill or 0)
    return decompress_stream(source, output, given, fill=fill or 0, n_threads=threads or usable_cores())


def restored_array(source: Path, packages: Packages, salvage: bool, fill: int | None, threads: int | None) -> Array:
    """As `decompress`, of which a temporary file has the samples meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "samples.npy")
        report = restore(source, path, packages, salvage, fill, threads)
        missing = [f"lines {first}..{last} are missing" for first, last in report.missing_lines]
        if missing and not salvage and fill is None:
            raise Incomplete(f"{source}: {missing[0]}: they never came; with a fill value the others are read")
        if report.missing_from is not None:
            missing.append(f"lines from {report.missing_from} on may be missing")
        for text in missing:
            warnings.warn(f"{source}: {text}", Notice, stacklevel=3)
        samples: Array = np.load(path)
        return samples.reshape(report.n_lines, report.n_bands, report.n_columns)


def info(source: PathLike) -> dict[str, Any]:
    """What a stream says of itself. Raises Corrupt, Truncated or TooNew where it is not sound."""
    return stream_info(Path(source))


class Encoder:
    """Lines in, the bytes of a stream out, in memory of one line, the state, and one coded segment."""

    def __init__(
        self, bands: int, columns: int, bit_depth: int, *, signed: bool = False, lines: int = 0,
        metadata: dict[str, Any] | None = None, **options: Any,
    ) -> None:  # fmt: skip
        """lines: 0: not known. metadata, options: as for `compress`. Raises BadArgument."""
        self.image = ImageDescription(bands, columns, bit_depth, signed, lines, metadata=words_of(metadata or {}))
        self.stack = contextlib.ExitStack()
        self.encoder = self.stack.enter_context(opened_encoder(coding_options(options), self.image))

    @property
    def header(self) -> bytes:
        """The first bytes of the stream."""
        return self.encoder.header

    def push(self, line: npt.ArrayLike, record: bytes = b"") -> bytes:
        """Code the next line (bands, columns), with bytes beside it; the segments that are complete now, mostly none.

        Raises BadArgument for a line that cannot be coded, which is then not part of the stream.
        """
        return self.encoder.push(np.asarray(line), record)

    def skip(self, n_lines: int) -> bytes:
        """Say that the next lines, 1 or more, never came; what is complete now."""
        return self.encoder.skip(n_lines)

    def finish(self) -> bytes:
        """The rest of the stream."""
        return self.encoder.finish()

    def close(self) -> None:
        """End what runs the network."""
        self.stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Decoder:
    """The lines of a stream as they come, from a file or a pipe; lines that never came are not among them."""

    def __init__(self, file: BinaryIO, *, packages: Packages = ()) -> None:
        """Reads the header. Raises LineRwkvError."""
        self.reader = StreamReader(file)
        given = [open_package(Path(path)) for path in packages]
        self.decoder = SegmentDecoder(self.reader.header, needed_packages(self.reader.header, given))
        self.image = self.reader.header.image
        self.dtype = DTYPES[self.image.file_type]
        self.line = 0

    def __iter__(self) -> Iterator[Array]:
        """Each line (bands, columns); `line` is its number. Raises Corrupt, Truncated or TooNew after those before."""
        for piece in self.reader.pieces():
            if isinstance(piece, Segment):
                for y, line in enumerate(self.decoder.lines(*piece), piece.header.first_line):
                    self.line = y
                    yield line.astype(self.dtype)

"""Images and streams to streams with regular segments, which have their name once they were decoded again."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from linerwkv.ground.archive_index import chunk_lines
from linerwkv.stream_image import Array, Packages, StreamImage
from runtime.ccsds123.announcement import DEFAULT_MAX_SAMPLES
from runtime.ccsds123.decoder import open_lines
from runtime.checked_table import read_file
from runtime.codec.coding_options import coding_options
from runtime.codec.kept_lines import KeptLines, Line
from runtime.codec.opened_encoder import opened_file_encoder
from runtime.errors import BadArgument, Corrupt, naming
from runtime.images.image_facts import nodata_of
from runtime.images.image_of_scene import as_type, describe
from runtime.images.line_frame import RecordedLine
from runtime.images.npy_writer import writing_npy
from runtime.images.raw_scene import recorded
from runtime.images.scene_reader import not_carried, open_scene
from runtime.output_checks import check_outputs
from runtime.stream.image_description import ImageDescription
from runtime.stream.special_values import IGNORED, LARGEST_SPECIAL, Special
from runtime.stream.stream_header import MAGIC
from runtime.whole_output import replacing

LARGEST_FILLED = 1 << 30
"""Samples of missing lines that a stream may get."""


class Original(NamedTuple):
    """What is coded again."""

    image: ImageDescription
    lines: Callable[[], Iterator[Line]]
    """All lines (Z, X), more than once."""
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


class Transcoded(NamedTuple):
    """What a stream was made of, and what it has."""

    original: Original
    n_bytes: int
    n_segments: int


def transcode(
    source: Path, output: Path, words: Mapping[str, Any], *, is_ccsds123: bool = False,
    fill: int | float | None = None, packages: Packages = (),
) -> Transcoded:  # fmt: skip
    """Write a lossless stream of an image file, a CCSDS 123 image or a stream.

    The stream has its name only when all samples and records decoded from it are those of the source. words: predictor,
    stage, segment_lines, package, as for `coding_options`. is_ccsds123: what is no stream is an image of CCSDS
    123.0-B-2. fill: samples of lines that a stream lacks, where it declares no value of samples that are no
    measurements; the new stream declares it. packages: of a stream. Raises LineRwkvError.
    """
    options = coding_options(words)
    with opened_original(source, is_ccsds123=is_ccsds123, fill=fill, packages=packages) as original:
        check_outputs([output], original.files)
        with replacing(output) as part:
            with opened_file_encoder(options, original.image, 1) as encoder, part.open("wb") as file:
                for piece in KeptLines(original.lines(), encoder):
                    file.write(piece)
            check_copy(part, original, [options.package] if options.has_network else [])
        return Transcoded(original, encoder.n_bytes, encoder.n_segments)


@contextlib.contextmanager
def opened_original(
    path: Path, *, is_ccsds123: bool, fill: int | float | None, packages: Packages
) -> Iterator[Original]:
    """A source by what it is; arguments as of `transcode`. Raises LineRwkvError."""
    if is_stream(path):
        with StreamImage(path, packages=packages) as stream:
            yield of_stream(path, stream, fill)
    elif is_ccsds123:
        with tempfile.TemporaryDirectory() as folder:
            yield of_image(write_decoded(path, Path(folder) / "image.npy"), ())
    else:
        yield of_image(path, (path,))


def is_stream(path: Path) -> bool:
    """Whether a file begins as a stream."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def write_decoded(path: Path, target: Path) -> Path:
    """The samples of an image of CCSDS 123.0-B-2 as a .npy file. Raises LineRwkvError."""
    with naming(path):
        parameters, lines = open_lines(read_file(path, str(path)), None, DEFAULT_MAX_SAMPLES)
        image = parameters.image
        with writing_npy(target, (image.n_bands, image.n_columns), image.dtype, image.n_lines) as file:
            for line in lines:
                file.append(line)
    return target


def of_image(path: Path, named: tuple[Path, ...]) -> Original:
    """An image file. named: where it is one of the user's. Raises BadArgument."""
    scene = open_scene(path, has_floats=True)
    with naming(path, BadArgument):
        image = describe(scene, None)
    left_out = tuple(f"not carried: {' '.join(one.split())}" for one in not_carried(scene, image))
    return Original(image, lambda: recorded(scene), scene.files if named else (), (*scene.notes, *left_out))


def of_stream(path: Path, stream: StreamImage, fill: int | float | None) -> Original:
    """A stream; lines that it lacks have the value of samples that are no measurements. Raises BadArgument."""
    image = replace(stream.header.image, n_lines=stream.shape[0])
    runs, nodata, is_new = stream.found.missing(), nodata_of(image), False
    if runs and nodata is None:
        value = None if fill is None else as_type(fill, image.file_type)
        where = f"{path}: lines {runs[0][0]}..{runs[0][1]} are missing, and the stream declares no value of samples"
        if value is None:
            raise BadArgument(f"{where} that are no measurements; --fill gives one, found {fill}")
        if len(image.specials) >= LARGEST_SPECIAL:
            raise BadArgument(f"{where} that are no measurements, and has {LARGEST_SPECIAL} others already")
        metadata = image.metadata | {IGNORED: str(value)}
        image, nodata, is_new = (
            replace(image, specials=(*image.specials, Special(value)), metadata=metadata), value, True
        )  # fmt: skip
    n_filled = sum(last - first + 1 for first, last in runs) * image.n_bands * image.n_columns
    if n_filled > LARGEST_FILLED:
        raise BadArgument(f"{path}: {n_filled} samples of missing lines, allowed {LARGEST_FILLED}")
    notes = tuple(f"lines {first}..{last} are missing, now {nodata}" for first, last in runs)
    unused = Special(nodata) if is_new and nodata is not None else None
    return Original(image, lambda: stream_lines(stream, nodata, unused), (path,), notes)


def stream_lines(stream: StreamImage, nodata: int | float | None, unused: Special | None) -> Iterator[RecordedLine]:
    """All lines with their records, decoded while they are taken. Raises LineRwkvError.

    nodata: of missing lines. unused: a value that no sample may have.
    """
    image, y = stream.header.image, 0
    empty = RecordedLine(np.full((image.n_bands, image.n_columns), nodata or 0, stream.dtype), b"")
    for place in stream.found.places:
        yield from (empty for _ in range(place.first_line - y))
        segment, found = stream.segments.read(place)
        records = [b""] * place.n_lines if found is None else found.records
        for line, record in zip(stream.segments.lines_of(segment), records, strict=True):
            samples = line.astype(stream.dtype, copy=False)
            if unused is not None and np.any(unused.found_in(samples)):
                raise BadArgument(f"fill value {unused.value}: a sample that is there has it, allowed another")
            yield RecordedLine(samples, record)
        y = place.next_line
    yield from (empty for _ in range(stream.shape[0] - y))


def check_copy(copy: Path, original: Original, packages: Packages) -> None:
    """Raise Corrupt where a stream does not decode to the samples and records of its source, segments regular."""
    with StreamImage(copy, packages=packages) as stream:
        chunk_lines(stream.found)
        pairs = zip_longest(original.lines(), stream_lines(stream, 0, None))
        for y, (wanted, found) in enumerate(pairs):
            if wanted is None or found is None or not is_same(wanted, found):
                raise Corrupt(f"line {y} of the new stream is not that of the source")


def is_same(wanted: Line, found: RecordedLine) -> bool:
    """Whether samples and records are equal."""
    line, record = wanted if isinstance(wanted, RecordedLine) else (wanted, b"")
    is_float = found.line.dtype.kind == "f"
    return record == found.record and equal(np.asarray(line), found.line, is_float=is_float)


def equal(a: Array, b: Array, *, is_float: bool) -> bool:
    """Of samples; NaN is NaN."""
    return np.array_equal(a, b, equal_nan=is_float)

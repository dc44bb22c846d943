"""A stream as a scene to train on: decoded line by line; memory is one segment and one line, whatever it holds."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from runtime.cell.flight_package import open_package
from runtime.codec.compression import needed_packages, open_input, progress
from runtime.codec.decoder import Decoder
from runtime.codec.stream_reader import StreamReader
from runtime.command_options import note
from runtime.errors import BadArgument, naming
from runtime.images.npy_writer import writing_npy
from runtime.images.sample_file import DTYPES, Samples
from runtime.stream.image_description import ImageDescription

STREAM_SUFFIX = ".lrwk"
STREAM_SUFFIXES = (STREAM_SUFFIX, ".lrwkv")
"""Those that are read; the second one is of packed scenes that older releases wrote."""
TRAINED_TYPES = (np.dtype("<i2"), np.dtype("<u2"))


class StreamScene(NamedTuple):
    """A stream whose lines are decoded as they are asked for."""

    image: ImageDescription
    dtype: np.dtype[Any]
    """Of the lines, integers of 16 bits or less."""
    lines: Iterator[Samples]
    """(Z, X) each. Lines that never came are left out. Raises LineRwkvError that names the file."""


def is_stream(path: Path) -> bool:
    """Whether the file is a stream, by its name."""
    return path.suffix.lower() in STREAM_SUFFIXES


@contextlib.contextmanager
def open_stream_scene(path: Path, packages: Sequence[str] = ()) -> Iterator[StreamScene]:
    """The samples of a stream, as the image that it restores has them.

    packages: paths or names of flight packages that it may need beside the shipped ones. Raises LineRwkvError.
    """
    with open_input(path) as file, naming(path, BadArgument):
        reader = StreamReader(file)
        given = [open_package(Path(package)) for package in packages] if reader.header.packages else []
        decoder = Decoder(reader.header, needed_packages(reader.header, given))
        image = reader.header.image
        dtype = trained_type(image)
        yield StreamScene(image, dtype, decoded_lines(path, reader, decoder, dtype))


def decoded_lines(path: Path, reader: StreamReader, decoder: Decoder, dtype: np.dtype[Any]) -> Iterator[Samples]:
    """All lines; what training should know of them is said after the last one."""
    max_error = n_lines = 0
    for segment, payload in reader.segments():
        max_error = max(max_error, segment.coding.max_error * reader.header.image.values.step)
        try:
            for line in decoder.lines(segment, payload):
                n_lines += 1
                yield line.astype(dtype)
        except BadArgument as error:
            is_unknown = any(package.sha256 not in decoder.packages for package in reader.header.packages)
            raise BadArgument(f"{error}{'; --package gives it' if is_unknown else ''}") from error
    if n_lines == 0:
        raise BadArgument("no lines, allowed at least 1")
    if n_missing := sum(gap.n_lines for gap in reader.gaps):
        note(f"{path}: {n_missing} lines never came and are left out")
    if max_error:
        note(f"{path}: samples are those of a near-lossless stream, within {max_error} of what was measured")


def trained_type(image: ImageDescription) -> np.dtype[Any]:
    """What holds the values of an image in 16 bits or less. Raises BadArgument where nothing does."""
    kind = DTYPES[image.file_type]
    if kind.kind in "iu" and kind.itemsize <= 2:
        return kind
    specials = [special.value for _, special in image.voids]
    if image.values.scale != 1.0 or any(not math.isfinite(value) or value != int(value) for value in specials):
        raise BadArgument(f"samples are {kind.name}, not all of them whole numbers; allowed integers of 16 bits")
    ends = [image.values.offset + image.values.step * code for code in image.range]
    lowest, highest = min(*ends, *map(int, specials)), max(*ends, *map(int, specials))
    for dtype in TRAINED_TYPES:
        limits = np.iinfo(dtype)
        if limits.min <= lowest and highest <= limits.max:
            return dtype
    raise BadArgument(f"samples may reach {lowest}..{highest}, allowed what 16 bits hold")


def write_stream_scene(path: Path, target: Path, packages: Sequence[str] = ()) -> None:
    """Write the samples of a stream (Y, Z, X) to a .npy file, all of them or nothing. Raises LineRwkvError."""
    with open_stream_scene(path, packages) as found:
        image = found.image
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            writing_npy(target, (image.n_bands, image.n_columns), found.dtype, image.n_lines) as file,
            progress(image.n_lines, path.name) as bar,
        ):
            for line in found.lines:
                file.append(line)
                bar.update()

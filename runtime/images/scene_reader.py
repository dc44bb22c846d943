"""Image files as lines (Z, X), one at a time, read in blocks of lines."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from runtime.errors import BadArgument, one_line
from runtime.images.band_products import band_words, find_product, is_product
from runtime.images.carried_keys import NUMPY, entries_of
from runtime.images.envi_header_reader import read_envi_header
from runtime.images.envi_pair import GDAL_SUFFIXES, find_pair
from runtime.images.geotiff import GeoTiff, open_geotiff
from runtime.images.hdf5.cube import Hdf5Cube, open_hdf5
from runtime.images.hdf5.opening import is_hdf5
from runtime.images.part_names import split_name
from runtime.images.raw_file import RawFile
from runtime.images.raw_lines import SAMPLE_TYPES
from runtime.images.sample_file import AXES, Samples, StoredSamples, stored_samples
from runtime.images.special_bits import other_bits
from runtime.stream.image_description import ImageDescription

TIFF_SUFFIXES = (".tif", ".tiff")
TIFF_BEGINS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""Of TIFF and BigTIFF, in either order of bytes."""
NPY_BEGIN = b"\x93NUMPY"


@dataclass(frozen=True)
class Scene:
    """An image that can be read line by line, more than once."""

    source: Samples | StoredSamples | GeoTiff | Hdf5Cube | RawFile
    """(Y, Z, X); nothing is read yet."""
    metadata: dict[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    """That it is read from."""
    not_carried: tuple[str, ...] = ()
    """What the files say beside samples and metadata, and no stream has."""
    notes: tuple[str, ...] = ()
    """What was taken without being named, or assumed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lines, bands, columns."""
        return self.source.shape

    @property
    def samples(self) -> Samples:
        """(Y, Z, X): a view of the file, read when touched; others are read whole. For files that nobody changes."""
        if isinstance(self.source, StoredSamples):
            return self.source.mapped()
        return self.read() if isinstance(self.source, GeoTiff | Hdf5Cube | RawFile) else self.source

    def read(self) -> Samples:
        """(Y, Z, X), all in memory."""
        samples: Samples = np.empty(self.shape, self.source.dtype)
        for y, line in enumerate(self.source):
            samples[y] = line
        return samples

    def lines(self) -> Iterator[Samples]:
        """Each line (Z, X) in native byte order; one block is in memory at a time."""
        for line in self.source:
            yield np.ascontiguousarray(line, line.dtype.newbyteorder("="))


def open_scene(path: Path, axes: str | None = None, *, has_floats: bool = False) -> Scene:
    """Open an image file; nothing is read yet. Raises BadArgument for what is missing, malformed or not integer.

    path: a file, FILE:PART of HDF5, a product's folder. axes: of HDF5, as in `open_hdf5`. has_floats: whether float
    samples will do, too.
    """
    scene = open_numbers(path, axes)
    if len(scene.shape) != 3 or 0 in scene.shape:
        allowed = "(lines, bands, columns) or of one band (lines, columns), each at least 1"
        raise BadArgument(f"{path}: shape {scene.shape}, allowed {allowed}")
    dtype = scene.source.dtype
    if not np.issubdtype(dtype, np.integer) and not (has_floats and np.issubdtype(dtype, np.floating)):
        n_nan = sum(int(np.isnan(line).sum()) for line in scene.lines()) if np.issubdtype(dtype, np.inexact) else 0
        also = f", {n_nan} of them NaN" if n_nan else ""
        allowed = "integers, and floats that are integers times a scale" if has_floats else "integers"
        raise BadArgument(f"{path}: samples are {dtype}{also}, allowed {allowed}")
    return scene


def open_numbers(path: Path, axes: str | None = None) -> Scene:
    """Open an image file of any type of number, as in `open_scene`; .npy of any number of axes."""
    path, part = split_name(path)
    if is_product(path):
        product = find_product(path, part)
        scene = open_numbers(product.image, axes)
        words, others = band_words(product, scene.shape[1])
        return replace(
            scene, metadata=scene.metadata | words, files=(*scene.files, product.metadata),
            not_carried=(*scene.not_carried, *others),
        )  # fmt: skip
    if not path.is_file():
        raise BadArgument(f"{path} is no file")
    if path.stat().st_size == 0:
        raise BadArgument(f"{path} is empty")
    if is_hdf5(path):
        return Scene(*open_hdf5(path, part, axes))
    if part or axes is not None:
        what = f"part {part[:80]}" if part else "--axes"
        raise BadArgument(f"{path}: {what} of a file that is not HDF5, allowed none")
    if path.suffix.lower() in TIFF_SUFFIXES:
        check_begin(path, *TIFF_BEGINS)
        source, metadata, files, not_carried = open_geotiff(path)
        return Scene(source, metadata, files, not_carried)
    if path.suffix.lower() == ".npy":
        check_begin(path, NPY_BEGIN)
        array, metadata = open_npy(path)
        return Scene(array, metadata, files=(path,))
    header, data = find_pair(path)
    found = read_envi_header(header)
    samples = stored_samples(data, found.shape, found.dtype, found.interleave, found.offset)
    beside = (data.with_name(data.name + suffix) for suffix in GDAL_SUFFIXES)
    return Scene(
        samples, found.metadata, (header, data), (*found.not_carried, *(one.name for one in beside if one.is_file()))
    )


def check_begin(path: Path, *allowed: bytes) -> None:
    """Raise BadArgument for a file that does not begin with one of some bytes, all equally many."""
    with path.open("rb") as file:
        found = file.read(len(allowed[0]))
    if found not in allowed:
        kind = path.suffix[1:].lower()
        raise BadArgument(f"{path}: begins with {found!r}, allowed a {kind} file: {', '.join(map(repr, allowed))}")


def open_npy(path: Path) -> tuple[Samples | StoredSamples, dict[str, Any]]:
    """Samples of a .npy file and metadata; two axes are lines and columns of one band. Raises BadArgument.

    Where it has neither two axes nor three, it is mapped.
    """
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError, EOFError, OverflowError) as error:
        raise BadArgument(f"{path}: {one_line(error)}") from error
    if array.ndim not in (2, 3) or array.size == 0:
        return array, {}
    axes = AXES["bil" if array.flags.c_contiguous else "fortran"]
    shape = array.shape if array.ndim == 3 else (array.shape[0], 1, array.shape[1])
    metadata = {} if array.ndim == 3 else {NUMPY: {"axes": 2}}
    return StoredSamples(path, shape, array.dtype, axes, array.offset), metadata


def band_ranges(lines: Iterator[Samples]) -> tuple[Samples, Samples]:
    """Smallest and largest sample of each band, (Z,), by one pass over lines (Z, X), of which there is at least one."""
    line = next(lines)
    lowest, highest = line.min(axis=1), line.max(axis=1)
    for line in lines:
        lowest, highest = np.minimum(lowest, line.min(axis=1)), np.maximum(highest, line.max(axis=1))
    return lowest, highest


def sample_range(scene: Scene) -> tuple[int, int]:
    """Smallest and largest sample, by one pass over the image."""
    lowest, highest = band_ranges(scene.lines())
    return int(lowest.min()), int(highest.max())


def not_carried(scene: Scene, image: ImageDescription | None) -> tuple[str, ...]:
    """What the files of a scene say that its stream will not, in words; no image: a stream of samples alone."""
    dtype = scene.source.dtype
    if image is None:
        return (*scene.not_carried, *entries_of(scene.metadata))
    kind = f"type {dtype.name} (restored as {image.file_type.name.lower()})"
    n_other = other_bits(scene.lines, image.specials)
    bits = (f"bits of {n_other} samples that equal a special value (other NaN, -0.0)",) if n_other else ()
    return (*scene.not_carried, *(() if dtype.name in SAMPLE_TYPES else (kind,)), *bits)

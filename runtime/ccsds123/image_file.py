"""Images on disk for the command line: ENVI pairs and raw samples, in any interleave, as (Y, Z, X) views."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import spectral
from spectral.io.envi import SpyException

from runtime.ccsds123.image import Image
from runtime.errors import BadArgument

IntArray = npt.NDArray[np.integer[Any]]

AXES = {"bil": (0, 1, 2), "bip": (0, 2, 1), "bsq": (1, 0, 2)}
"""Places of lines, bands and columns on disk for each interleave, as a transposition of (Y, Z, X)."""
ENVI_TYPES = {"uint8": 1, "int16": 2, "int32": 3, "uint16": 12, "uint32": 13}


def open_envi(header: Path) -> IntArray:
    """The samples of an ENVI pair, (Y, Z, X), mapped and not read."""
    try:
        envi = spectral.envi.open(str(header))
        samples: IntArray = envi.open_memmap(interleave="bil")
    except (OSError, SpyException, ValueError, KeyError) as error:
        raise BadArgument(f"{header} is no readable ENVI image: {one_line(error)}") from None
    if samples.dtype.kind not in "iu":
        raise BadArgument(f"{header} holds {samples.dtype} samples, must be integers of at most 32 bits")
    return samples


def open_raw(path: Path, n_lines: int, n_bands: int, n_columns: int, dtype: str, interleave: str) -> IntArray:
    """The samples of a raw file, (Y, Z, X), mapped and not read."""
    sizes = (n_lines, n_bands, n_columns)
    stored = tuple(sizes[axis] for axis in AXES[interleave])
    try:
        kind = np.dtype(dtype)
        expected = n_lines * n_bands * n_columns * kind.itemsize
        found = path.stat().st_size
    except (OSError, TypeError) as error:
        raise BadArgument(f"{path}: {one_line(error)}") from None
    if kind.kind not in "iu" or kind.itemsize > 4:
        raise BadArgument(f"dtype is {dtype}, must be an integer type of at most 32 bits")
    if found != expected or not expected:
        raise BadArgument(f"{path} has {found} bytes, {n_lines} x {n_bands} x {n_columns} of {dtype} are {expected}")
    mapped = np.memmap(path, kind, "r", shape=stored)
    return mapped.transpose(AXES[interleave])  # each of the three transpositions undoes itself


def write_image(path: Path, image: Image, lines: Iterator[IntArray], interleave: str) -> None:
    """Write `lines`, (Z, X) each: raw little-endian samples, and an ENVI header where `path` ends in .hdr.

    The samples of an ENVI pair lie beside the header, named .bil, .bip or .bsq.
    """
    is_envi = path.suffix == ".hdr"
    sizes = (image.n_lines, image.n_bands, image.n_columns)
    stored = tuple(sizes[axis] for axis in AXES[interleave])
    kind = image.dtype.newbyteorder("<")
    if is_envi and kind.name not in ENVI_TYPES:
        kind = np.dtype("<i2")  # ENVI has no signed bytes
    with replacing(path.with_suffix(f".{interleave}") if is_envi else path) as unfinished:
        samples = np.memmap(unfinished, kind, "w+", shape=stored)
        by_line = samples.transpose(AXES[interleave])
        for y, line in enumerate(lines):
            by_line[y] = line
        samples.flush()
    if not is_envi:
        return
    fields = {
        "samples": image.n_columns, "lines": image.n_lines, "bands": image.n_bands, "header offset": 0,
        "file type": "ENVI Standard", "data type": ENVI_TYPES[kind.name], "interleave": interleave, "byte order": 0,
    }  # fmt: skip
    with replacing(path) as unfinished:
        unfinished.write_text("ENVI\n" + "".join(f"{key} = {value}\n" for key, value in fields.items()), "ascii")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path that becomes `path` when all went well, and vanishes otherwise."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise BadArgument(f"{path} cannot be written: {one_line(error)}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def one_line(error: Exception) -> str:
    """The text of an error without its line breaks."""
    return " ".join(str(error).split()) or type(error).__name__

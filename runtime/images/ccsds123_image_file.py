"""Images on disk for the command line: raw samples as (Y, Z, X) views, and both raw and ENVI written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.ccsds123.image import Image
from runtime.errors import BadArgument
from runtime.images.scene_reader import one_line
from runtime.whole_output import replacing

IntArray = npt.NDArray[np.integer[Any]]

AXES = {"bil": (0, 1, 2), "bip": (0, 2, 1), "bsq": (1, 0, 2)}
"""Places of lines, bands and columns on disk for each interleave, as a transposition of (Y, Z, X)."""
ENVI_TYPES = {"uint8": 1, "int16": 2, "int32": 3, "uint16": 12, "uint32": 13}


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

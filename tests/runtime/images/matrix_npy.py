"""Rows of .npy files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.runtime.images.envi_files import CUBE, by_gdal
from tests.runtime.images.matrix import OUTPUTS, Row

FLAT = CUBE[:, 0]  # (Y, X)


def saved(array: np.ndarray) -> Callable[[Path], Path]:
    """How to write an array."""

    def write(folder: Path) -> Path:
        np.save(folder / "s.npy", array)
        return folder / "s.npy"

    return write


def two_arrays(folder: Path) -> Path:
    """A file with an array after the first."""
    with (folder / "s.npy").open("wb") as file:
        np.save(file, CUBE)
        np.save(file, CUBE)
    return folder / "s.npy"


def loads(array: np.ndarray) -> Callable[[Path], bool]:
    """Whether a restored file has this array."""
    return lambda path: np.array_equal(np.load(path), array)


def is_band(band: np.ndarray[Any, np.dtype[Any]]) -> Callable[[Path], bool]:
    """Whether GDAL finds one band (Y, X) with these samples."""
    return lambda path: np.array_equal(by_gdal(path.with_suffix(".bil") if path.suffix == ".hdr" else path)[:, 0], band)


ROWS = [
    Row("npy", "three axes", saved(CUBE), {"npy": loads(CUBE)}, own=("GeoTIFF", "ENVI")),
    Row(
        "npy",
        "two axes: lines, columns",
        saved(FLAT),
        {"npy": loads(FLAT), "GeoTIFF": is_band(FLAT), "ENVI": is_band(FLAT)},
    ),
    Row("npy", "one axis", saved(FLAT.ravel()), note="shape (20,), allowed (lines, bands, columns) or"),
    Row("npy", "four axes", saved(CUBE[None]), note="shape (1, 4, 3, 5), allowed (lines, bands, columns) or"),
    Row("npy", "no samples", saved(CUBE[:0]), note="shape (0, 3, 5)"),
    Row("npy", "order of Fortran", saved(np.asfortranarray(CUBE)), own=tuple(OUTPUTS)),
    Row("npy", "byte order", saved(CUBE.astype(">u2")), own=tuple(OUTPUTS)),
    Row("npy", "named fields", saved(np.zeros((4, 3, 5), [("a", "<u2")])), note="samples are"),
    Row("npy", "a second array", two_arrays, note="bytes found"),
]

"""Samples of each type come back of each kind of file that has it, and so do those that it declares to be none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from runtime.commands.stream_commands import compress, decompress
from tests.runtime.images.envi_files import header_text
from tests.runtime.images.hdf5_files import write_cube
from tests.runtime.images.matrix import has_samples, run

Cube = np.ndarray[Any, np.dtype[Any]]
CODES: Cube = np.random.default_rng(7).integers(0, 100, (5, 3, 4))  # (Y, Z, X)
ENVI_CODES = {"uint8": 1, "int16": 2, "int32": 3, "float32": 4, "float64": 5, "uint16": 12, "uint32": 13,
              "int64": 14, "uint64": 15}  # fmt: skip
OFFSETS = {"int8": -50, "int16": -50, "int32": -70_000, "uint32": 1 << 31, "int64": -(1 << 50), "uint64": 1 << 50}
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def samples(dtype: str) -> Cube:
    """That use 7 bits of a type, or tenths."""
    codes: Cube = CODES.astype(dtype)
    found: Cube = codes / codes.dtype.type(10) if dtype[0] == "f" else codes + codes.dtype.type(OFFSETS.get(dtype, 0))
    return found


def envi(folder: Path, cube: Cube, nodata: str | None = None) -> Path:
    (folder / "s.img").write_bytes(cube.tobytes())
    words = {"data_type": ENVI_CODES[cube.dtype.name], "data_ignore_value": nodata}
    (folder / "s.hdr").write_text(header_text(cube, **words))
    return folder / "s.hdr"


def geotiff(folder: Path, cube: Cube, nodata: str | None = None) -> Path:
    sizes = {"height": cube.shape[0], "count": cube.shape[1], "width": cube.shape[2], "dtype": cube.dtype}
    value = None if nodata is None else float(nodata)
    with rasterio.open(folder / "s.tif", "w", driver="GTiff", nodata=value, **sizes) as file:
        file.write(cube.transpose(1, 0, 2))
    return folder / "s.tif"


def hdf5(folder: Path, cube: Cube, nodata: str | None = None) -> Path:
    import h5py

    path = write_cube(folder / "s.nc", "ZYX", cube=cube)
    if nodata is not None:
        with h5py.File(path, "r+") as file:
            file["cube"].attrs["_FillValue"] = cube.dtype.type(nodata)
    return Path(f"{path}:cube")


def raw(folder: Path, cube: Cube) -> Path:
    (folder / "s.raw").write_bytes(cube.tobytes())
    return folder / "s.raw"


def restored(folder: Path, source: Path, *words: str) -> Path:
    """By way of a stream."""
    _, error = run(compress, source, folder / "s.lrwk", "--predictor", "dpcm", *words)
    assert error is None, error
    _, error = run(decompress, folder / "s.lrwk", folder / "back.npy")
    assert error is None, error
    return folder / "back.npy"


TYPES: list[tuple[Callable[[Path, Cube], Path], str]] = [
    *((write, dtype) for write in (envi, geotiff, hdf5) for dtype in ENVI_CODES),
    *((raw, dtype) for dtype in ENVI_CODES if dtype[0] != "f"),
    *((write, "int8") for write in (geotiff, hdf5, raw)),
]


@pytest.mark.parametrize(("write", "dtype"), TYPES)
def test_each_type_of_each_kind(write: Callable[[Path, Cube], Path], dtype: str, tmp_path: Path) -> None:
    cube = samples(dtype)
    words = ("--bands", "3", "--columns", "4", "--dtype", cube.dtype.str) if write is raw else ()
    assert has_samples(restored(tmp_path, write(tmp_path, cube), *words), cube)


@pytest.mark.parametrize("write", [envi, geotiff, hdf5])
@pytest.mark.parametrize(("dtype", "nodata"), [("uint16", "65535"), ("int32", "-999999"), ("float32", "nan"),
                                               ("float32", "-9999"), ("float64", "inf")])  # fmt: skip
def test_what_a_file_declares_to_be_none_comes_back_exactly(
    write: Callable[[Path, Cube, str], Path], dtype: str, nodata: str, tmp_path: Path
) -> None:
    cube = samples(dtype)
    cube[1, :, 2] = float(nodata)
    source = write(tmp_path, cube, nodata)
    assert has_samples(restored(tmp_path, source), cube)
    if dtype == "uint16":
        found = np.load(restored(tmp_path, source, "--max-error", "3"))
        np.testing.assert_array_equal(found == 65535, cube == 65535)
        assert np.abs(found.astype(int) - cube).max() in (1, 2, 3)

"""Rows of HDF5 and NetCDF-4 files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import rasterio
import spectral

from tests.runtime.images.hdf5_files import AS_TEXT, CUBE, WAVELENGTHS, add_dimensions, stored, write_cube
from tests.runtime.images.matrix import OUTPUTS, Row, holds
from tests.runtime.images.matrix_npy import is_band

KIND = "HDF5, NetCDF-4"
Change = Callable[[Any], Any]
FLOATS = CUBE / np.float32(100)
BITS = (CUBE > 2000).astype(np.uint8)


def one_cube(change: Change = lambda file: None, part: str = "cube", **options: Any) -> Callable[[Path], Path]:
    """How to write a file of one cube with some more; the cube is named, or another dataset of it."""

    def write(folder: Path) -> Path:
        path = write_cube(folder / "s.nc", "ZYX", **options)
        with h5py.File(path, "r+") as file:
            change(file)
        return Path(f"{path}:{part}") if part else path

    return write


def attribute(name: str, value: Any) -> Change:
    """An attribute of the cube."""
    return lambda file: file["cube"].attrs.create(name, value)


def dataset(name: str, value: Any) -> Change:
    """Another dataset."""
    return lambda file: file.create_dataset(name, data=value)


def says(key: str, value: str | list[str]) -> dict[str, Callable[[Path], bool]]:
    """An entry of the header as the library spectral reads it, and of GDAL's domain ENVI."""
    text = value if isinstance(value, str) else f"{{{', '.join(value)}}}"

    def in_geotiff(path: Path) -> bool:
        with rasterio.open(path) as file:
            return bool(file.tags(ns="ENVI").get(key.replace(" ", "_")) == text)

    def in_envi(path: Path) -> bool:
        found = spectral.envi.open(str(path)).metadata.get(key)
        return bool((found if isinstance(found, str) else [str(one) for one in found]) == value)

    return {"ENVI": in_envi, "GeoTIFF": in_geotiff}


def word(name: str, key: str, value: str | list[str], change: Change) -> Row:
    """What an ENVI header has a word for, or gets one."""
    return Row(KIND, name, one_cube(change), says(key, value), key, cube=CUBE)


def lay(name: str, make: Callable[[Path], Path], cube: Any = CUBE, words: tuple[str, ...] = ()) -> Row:
    """How samples lie, which is not the image's; they come back whole."""
    return Row(KIND, name, make, own=tuple(OUTPUTS), cube=cube, words=words)


def lost(name: str, change: Change, note: str) -> Row:
    """What no output has."""
    return Row(KIND, name, one_cube(change), note=note, cube=CUBE)


def refused(name: str, make: Callable[[Path], Path], note: str) -> Row:
    """What is no image to be read."""
    return Row(KIND, name, make, note=note)


def written(data: bytes) -> Callable[[Path], Path]:
    """How to write a file that is none of HDF5."""

    def write(folder: Path) -> Path:
        (folder / "s.nc").write_bytes(data)
        return folder / "s.nc"

    return write


def cut(folder: Path) -> Path:
    """A file that ends early."""
    path = write_cube(folder / "s.nc")
    path.write_bytes(path.read_bytes()[:-20])
    return path


def of_another_file(folder: Path) -> Path:
    """A virtual dataset."""
    write_cube(folder / "source.h5")
    with h5py.File(folder / "s.nc", "w") as file:
        layout = h5py.VirtualLayout((4, 7, 5), np.uint16)
        layout[:] = h5py.VirtualSource("source.h5", "cube", (4, 7, 5))
        file.create_virtual_dataset("cube", layout)
    return folder / "s.nc:cube"


def of_a_file_that_is_gone(folder: Path) -> Path:
    """A virtual dataset of no file."""
    path = of_another_file(folder)
    (folder / "source.h5").unlink()
    return path


def in_axes(folder: Path) -> Path:
    """A cube whose axes have names."""
    path = write_cube(folder / "s.nc", "XZY")
    with h5py.File(path, "r+") as file:
        for axis, name in enumerate(("x", "band", "y")):
            file["cube"].dims[axis].label = name
    return Path(f"{path}:cube")


def layer(folder: Path) -> Path:
    """A dataset of lines and columns."""
    with h5py.File(folder / "s.nc", "w") as file:
        file["deep/mask"] = CUBE[:, 0]
    return folder / "s.nc:mask"


def with_coordinates(file: Any) -> None:
    """Places of lines and columns."""
    for name, n in (("lat", 7), ("lon", 5)):
        file[name] = np.linspace(0, 1, n, dtype=np.float32)
        file[name].make_scale()
    add_dimensions(file, file["cube"], ("band", "lat", "lon"))


ROWS = [
    Row(KIND, "a dataset by its path", one_cube(), dict.fromkeys(OUTPUTS, holds(CUBE))),
    Row(KIND, "the only cube", one_cube(part=""), dict.fromkeys(OUTPUTS, holds(CUBE))),
    refused("several cubes", one_cube(dataset("b/cube", FLOATS), ""), "2 datasets of three axes, name one as"),
    refused("no cube", one_cube(lambda file: file.move("cube", "a") or file.pop("a"), ""), "no datasets of three axes"),
    Row(
        KIND,
        "a dataset of two axes",
        layer,
        {"GeoTIFF": is_band(CUBE[:, 0]), "ENVI": is_band(CUBE[:, 0])},
        own=("npy",),
        cube=CUBE[:, :1],
    ),
    lay("order of axes, by names of dimensions", in_axes),
    lay("order of axes, by --axes", one_cube(), stored("ZYX"), ("--axes", "YZX")),
    lay("chunks, compression, shuffle", one_cube(chunks=(2, 3, 2), compression=4, shuffle=True)),
    lay("byte order", one_cube(cube=CUBE.astype(">u2"))),
    lay("samples in another file", of_another_file),
    refused("samples in a file that is gone", of_a_file_that_is_gone, "source.h5, which is not there"),
    word("wavelengths, an attribute", "wavelength", AS_TEXT, attribute("wavelengths", WAVELENGTHS)),
    word("wavelengths, a dataset", "wavelength", AS_TEXT, dataset("bands/wavelength", WAVELENGTHS)),
    word("fwhm", "fwhm", ["5.0", "6.0", "7.0", "8.0"], dataset("fwhm", np.array([5.0, 6, 7, 8]))),
    word("list of good bands", "bbl", ["1", "0", "1", "1"], dataset("good_bands", np.array([1, 0, 1, 1]))),
    word("band names", "band names", ["a", "b", "c", "d"], attribute("band_names", ["a", "b", "c", "d"])),
    word("_FillValue", "data ignore value", "65535", attribute("_FillValue", np.uint16(65535))),
    word(
        "missing_value beside _FillValue",
        "missing_value",
        "9",
        lambda file: file["cube"].attrs.update(_FillValue=7, missing_value=9),
    ),
    word("scale_factor", "data gain values", ["0.5"] * 4, attribute("scale_factor", 0.5)),
    word("add_offset", "data offset values", ["0.25"] * 4, attribute("add_offset", 0.25)),
    word("units", "data units", "W", attribute("units", "W")),
    word("flags of bands", "quality_flag", ["0", "1", "0", "3"], dataset("quality_flag", np.array([0, 1, 0, 3]))),
    word("other short attributes", "sensor", "made up", attribute("sensor", "made up")),
    lost("long attributes", attribute("history", "x" * 3000), "attributes of the dataset (history)"),
    lost("attributes of the file", lambda file: file.attrs.create("title", "t"), "attributes of the file (title)"),
    lost("quality layers", dataset("quality", CUBE[:, 0]), "/quality (7 x 5 uint16)"),
    lost("coordinates of lines and columns", with_coordinates, "/lat (7 float32), /lon (5 float32)"),
    Row(KIND, "floats, integers times a scale", one_cube(cube=FLOATS), dict.fromkeys(OUTPUTS, holds(FLOATS))),
    Row(KIND, "truth values", one_cube(cube=CUBE > 2000), note="type bool (read as uint8)", cube=BITS),
    refused("floats of no scale", one_cube(cube=np.sqrt(FLOATS)), "integers of 16 bits times one scale"),
    refused("a dataset of texts", one_cube(dataset("words", ["a"]), "words"), "/words (1 no numbers), allowed"),
    refused("NetCDF before version 4", written(b"CDF\x01" + bytes(60)), "nccopy -k netCDF-4"),
    refused("HDF4", written(b"\x0e\x03\x13\x01" + bytes(60)), "h4toh5"),
    refused("a file that ends early", cut, "truncated"),
]

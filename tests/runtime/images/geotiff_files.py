"""GeoTIFF files for tests, by rasterio."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.rpc import RPC

Make = Callable[[Path], Path]
Change = Callable[[Any], Any]
CUBE = np.random.default_rng(3).integers(0, 4000, (50, 4, 33)).astype(np.uint16)  # (Y, Z, X)
BYTES = (CUBE % 256).astype(np.uint8)
NORTH_UP: dict[str, Any] = {"crs": "EPSG:32633", "transform": rasterio.Affine(30, 0, 4e5, 0, -20, 5e6)}
COS, SIN = np.cos(np.radians(20)), np.sin(np.radians(20))
TURNED = rasterio.Affine(30 * COS, 30 * SIN, 4e5, 20 * SIN, -20 * COS, 5e6)
SKEWED = rasterio.Affine(30, 4, 4e5, 0, -20, 5e6)
TILES: dict[str, Any] = {"tiled": True, "blockxsize": 16, "blockysize": 32}
POINTS = [GroundControlPoint(y, x, 10 + x, 50 - y, 3) for y, x in ((0, 0), (0, 5), (4, 0))]
RATIOS = [0.5, *[1e-7] * 19]
RPCS = RPC(
    height_off=1, height_scale=2, lat_off=3, lat_scale=4, long_off=5, long_scale=6, line_off=7, line_scale=8,
    samp_off=9, samp_scale=10, line_num_coeff=RATIOS, line_den_coeff=RATIOS, samp_num_coeff=RATIOS,
    samp_den_coeff=RATIOS, err_bias=0.5, err_rand=0.25,
)  # fmt: skip
RGBA = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha)
PALETTE = {i: (i, 255 - i, 3, 255) for i in range(256)}


def write_geotiff(path: Path, cube: np.ndarray[Any, Any] = CUBE, change: Change | None = None, **options: Any) -> Path:
    """A file (or with APPEND_SUBDATASET a page), changed before its samples are written."""
    sizes = {"height": cube.shape[0], "count": cube.shape[1], "width": cube.shape[2], "dtype": cube.dtype.name}
    with rasterio.open(path, "w", driver="GTiff", **sizes, **options) as file:
        if change is not None:
            change(file)
        file.write(cube.transpose(1, 0, 2))
    return path


def geotiff(cube: np.ndarray[Any, Any] = CUBE, change: Change | None = None, **options: Any) -> Make:
    """How to write one into a folder."""
    return lambda folder: write_geotiff(folder / "s.tif", cube, change, **options)


def geotiff_changed_later(change: Change) -> Make:
    """One that is opened again to be changed."""

    def make(folder: Path) -> Path:
        path = write_geotiff(folder / "s.tif")
        with rasterio.open(path, "r+") as file:
            change(file)
        return path

    return make


def pages(cubes: list[np.ndarray[Any, Any]]) -> Make:
    """A page for each cube, tagged by its index."""

    def make(folder: Path) -> Path:
        for index, cube in enumerate(cubes):
            more = {"APPEND_SUBDATASET": "YES"} if index else {}
            write_geotiff(folder / "s.tif", cube, tags(page=str(index)), **NORTH_UP, **more)
        return folder / "s.tif"

    return make


def setting(**values: Any) -> Change:
    """Give attributes to a dataset."""

    def change(file: Any) -> None:
        for name, value in values.items():
            setattr(file, name, value)

    return change


def tags(domain: str | None = None, band: int = 0, **values: str) -> Change:
    """Give tags to a dataset, or to a band."""
    return lambda file: file.update_tags(band, ns=domain, **values)


def tags_of_bands(domain: str | None, values: list[dict[str, str]]) -> Change:
    """Give tags to all bands."""

    def change(file: Any) -> None:
        for index, one in enumerate(values, start=1):
            file.update_tags(index, ns=domain, **one)

    return change

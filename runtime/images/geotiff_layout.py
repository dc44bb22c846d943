"""A new GeoTIFF by rasterio whose place and layout are those of a page."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from runtime.errors import Corrupt, one_line
from runtime.images.geotiff_page import Page, number_of

LARGEST_BLOCK = 1 << 28
"""Bytes of a block with all bands that lie in it; files of larger ones get GDAL's default."""
MOST_BLOCKS = 1 << 22
"""For which GDAL keeps places in memory; files of more get its default, too."""


def created(path: Path, page: Page, shape: tuple[int, ...], dtype: np.dtype[Any], *, is_next: bool) -> Any:
    """A dataset to be written; shape: lines, bands, columns. is_next: a page after those that are there."""
    import rasterio

    common = {
        "driver": "GTiff", "height": shape[0], "count": shape[1], "width": shape[2], "dtype": dtype.name,
        "photometric": photometric(page, dtype), "BIGTIFF": "IF_SAFER", "interleave": page.interleave, **place(page),
        **({"APPEND_SUBDATASET": "YES"} if is_next else {}),
    }  # fmt: skip
    nodata = number_of(page.nodata)
    if nodata is not None and is_value(nodata, dtype):
        common["nodata"] = nodata
    try:
        return rasterio.open(path, "w", **common, **layout(page, shape, dtype))
    except rasterio.errors.RasterioError:  # a compression that this GDAL was built without, or a layout it has not
        return rasterio.open(path, "w", **common)


def place(page: Page) -> dict[str, Any]:
    """CRS and transform. Raises Corrupt for a text that is no CRS."""
    from rasterio.crs import CRS
    from rasterio.errors import CRSError
    from rasterio.transform import Affine

    try:
        crs = {"crs": CRS.from_wkt(page.crs)} if page.crs else {}
    except CRSError as error:
        raise Corrupt(f"a stream's metadata: GeoTIFF: crs is none: {one_line(error)}") from None
    return crs | ({"transform": Affine(*page.transform)} if page.transform else {})


def layout(page: Page, shape: tuple[int, ...], dtype: np.dtype[Any]) -> dict[str, Any]:
    """How the samples lie, as they did, unless blocks are too large, too many or of sizes that no TIFF has."""
    found: dict[str, Any] = {}
    if page.compression:
        found["compress"] = page.compression
        if page.predictor != 1 and page.compression in ("lzw", "deflate", "zstd"):
            found["predictor"] = page.predictor if dtype.kind == "f" else min(page.predictor, 2)
    if not page.block:
        return found
    (height, width), n_in_block = page.block, shape[1] if page.interleave == "pixel" else 1
    n_blocks = math.ceil(shape[0] / height) * math.ceil(shape[2] / width) * (shape[1] // n_in_block)
    if height * width * n_in_block * dtype.itemsize > LARGEST_BLOCK or n_blocks > MOST_BLOCKS:
        return found
    if width == shape[2]:
        return found | {"blockysize": min(height, shape[0])}
    is_tile = height % 16 == width % 16 == 0
    return found | ({"tiled": True, "blockysize": height, "blockxsize": width} if is_tile else {})


def photometric(page: Page, dtype: np.dtype[Any]) -> str:
    """What GDAL calls the colours of the first bands; it would guess from their number otherwise."""
    colours = [band.colour for band in page.bands[:3]]
    if page.colours and len(page.bands) == 1 and dtype.kind == "u" and dtype.itemsize <= 2:
        return "PALETTE"
    return "RGB" if colours == ["red", "green", "blue"] else "MINISBLACK"


def is_value(number: float, dtype: np.dtype[Any]) -> bool:
    """Whether a type holds the number."""
    if dtype.kind == "f":
        return not math.isfinite(number) or abs(number) <= float(np.finfo(dtype).max)
    return math.isfinite(number) and np.iinfo(dtype).min <= number <= np.iinfo(dtype).max

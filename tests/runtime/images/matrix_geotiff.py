"""Rows of GeoTIFF files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.enums import ColorInterp

from tests.runtime.images.geotiff_files import (
    BYTES,
    CUBE,
    NORTH_UP,
    PALETTE,
    POINTS,
    RGBA,
    RPCS,
    SKEWED,
    TILES,
    TURNED,
    Make,
    geotiff,
    geotiff_changed_later,
    pages,
    setting,
    tags,
    tags_of_bands,
)
from tests.runtime.images.matrix import OUTPUTS, Row

Check = Callable[[Any], Any]
PAGES = pages([CUBE[:, z : z + 1] for z in range(4)])
WAVELENGTHS = [{"wavelength": f"40{z}", "wavelength_units": "Nanometers"} for z in (1, 2, 3, 4)]
IMAGERY = [{"CENTRAL_WAVELENGTH_UM": f"0.40{z}", "FWHM_UM": "0.005"} for z in (1, 2, 3, 4)]
EPSG = CRS.from_epsg(32633)


def look(check: Check) -> Callable[[Path], bool]:
    """Whether a restored file is as GDAL should see it."""

    def looked(path: Path) -> bool:
        with rasterio.open(path.with_suffix(".bil") if path.suffix == ".hdr" else path) as file:
            return bool(check(file))

    return looked


def row(name: str, make: Make, check: Check, note: str) -> Row:
    """A property that GDAL sees."""
    return Row("GeoTIFF", name, make, {"GeoTIFF": look(check), "ENVI": look(check)}, note)


def layout(name: str, make: Make, check: Check) -> Row:
    """How samples lie, which another GeoTIFF has again."""
    return Row("GeoTIFF", name, make, {"GeoTIFF": look(check)}, own=("ENVI", "npy"))


def near(transform: Any, other: Any) -> bool:
    """Whether two transforms are the same to a billionth."""
    return bool(np.allclose(tuple(transform)[:6], tuple(other)[:6], rtol=1e-12, atol=1e-9))


def structure(file: Any, name: str) -> Any:
    """What GDAL says of how samples lie."""
    return file.tags(ns="IMAGE_STRUCTURE").get(name)


def page_tag(file: Any) -> Any:
    """The tag of the third page."""
    with rasterio.open(file.subdatasets[2]) as page:
        return page.tags().get("page")


ROWS = [
    row("CRS", geotiff(**NORTH_UP), lambda file: file.crs == EPSG, "coordinate system string"),
    row("transform", geotiff(**NORTH_UP), lambda file: near(file.transform, NORTH_UP["transform"]), "map info"),
    row("transform, turned", geotiff(transform=TURNED), lambda file: near(file.transform, TURNED), "map info"),
    row("transform, skewed", geotiff(transform=SKEWED), lambda file: near(file.transform, SKEWED), "transform"),
    row(
        "ground control points",
        geotiff(change=setting(gcps=(POINTS, EPSG))),
        lambda file: (
            [(p.row, p.col, p.x, p.y, p.z) for p in file.gcps[0]] == [(p.row, p.col, p.x, p.y, p.z) for p in POINTS]
        ),
        "ground control points",
    ),
    row(
        "RPCs",
        geotiff(change=setting(rpcs=RPCS)),
        lambda file: file.rpcs and file.rpcs.to_dict() == RPCS.to_dict(),
        "RPCs",
    ),
    row(
        "a sample is a point",
        geotiff(change=tags(AREA_OR_POINT="Point"), **NORTH_UP),
        lambda file: file.tags().get("AREA_OR_POINT") == "Point",
        "a point",
    ),
    row("no-data value", geotiff(nodata=7), lambda file: file.nodata == 7, "data ignore value"),
    row(
        "band names",
        geotiff(change=setting(descriptions=("red", "b", "ü", "d"))),
        lambda file: file.descriptions == ("red", "b", "ü", "d"),
        "band names",
    ),
    row(
        "band names with commas",
        geotiff(change=setting(descriptions=("a, b", "c", "d", "e"))),
        lambda file: file.descriptions == ("a, b", "c", "d", "e"),
        "band names",
    ),
    row(
        "scales and offsets",
        geotiff(change=setting(scales=(1, 2, 0.1, 4), offsets=(0, 1, 0, 1e-7))),
        lambda file: file.scales == (1, 2, 0.1, 4) and file.offsets == (0, 1, 0, 1e-7),
        "data gain values",
    ),
    row("units", geotiff(change=setting(units=("m", "m", "K", "m"))), lambda file: file.units[2] == "K", "units"),
    row(
        "wavelengths",
        geotiff(change=tags_of_bands(None, WAVELENGTHS)),
        lambda file: [file.tags(z).get("wavelength") for z in file.indexes] == ["401", "402", "403", "404"],
        "wavelength",
    ),
    row(
        "wavelengths in GDAL's domain IMAGERY",
        geotiff(change=tags_of_bands("IMAGERY", IMAGERY)),
        lambda file: (
            [float(file.tags(z, ns="IMAGERY").get("CENTRAL_WAVELENGTH_UM", 0)) for z in file.indexes]
            == [0.401, 0.402, 0.403, 0.404]
        ),
        "wavelength",
    ),
    row(
        "tags of the file",
        geotiff(change=tags(taken="noon <&>", TIFFTAG_SOFTWARE="me")),
        lambda file: file.tags().get("taken") == "noon <&>" and file.tags()["TIFFTAG_SOFTWARE"] == "me",
        "taken",
    ),
    row("tags of bands", geotiff(change=tags(band=2, gain="ü")), lambda file: file.tags(2).get("gain") == "ü", "gain"),
    row(
        "other domains of tags",
        geotiff(change=tags("SENSOR", gain="3")),
        lambda file: file.tags(ns="SENSOR").get("gain") == "3",
        "SENSOR",
    ),
    row(
        "XML domains (XMP)",
        geotiff(change=tags("xml:XMP", a="<b/>")),
        lambda file: "xml:XMP" in file.tag_namespaces(),
        "xml:XMP",
    ),
    row(
        "colours of bands",
        geotiff(BYTES, setting(colorinterp=RGBA)),
        lambda file: file.colorinterp == RGBA,
        "colours of bands",
    ),
    row(
        "colour map",
        geotiff(BYTES[:, :1], lambda file: file.write_colormap(1, PALETTE)),
        lambda file: file.colorinterp[0] == ColorInterp.palette and file.colormap(1) == PALETTE,
        "colour map",
    ),
    row(
        "mask",
        geotiff_changed_later(lambda file: file.write_mask(CUBE[:, 0] > 99)),
        lambda file: not file.dataset_mask().all(),
        "a mask",
    ),
    row(
        "overviews",
        geotiff_changed_later(lambda file: file.build_overviews([2])),
        lambda file: file.overviews(1) == [2],
        "overviews",
    ),
    row("equal pages", PAGES, lambda file: len(file.subdatasets) == 4, "4 pages"),
    row("tags of pages", PAGES, lambda file: file.subdatasets and page_tag(file) == "2", "page"),
    row("pages that differ", pages([CUBE, CUBE[:9]]), lambda file: False, "2 pages that differ: page 1 of 50 x 33 x 4"),
    row("lossy JPEG", geotiff(BYTES, compress="jpeg"), lambda file: structure(file, "COMPRESSION") == "JPEG", "jpeg"),
    row(
        "packed in 12 bits", geotiff(NBITS=12), lambda file: file.tags(1, ns="IMAGE_STRUCTURE").get("NBITS"), "12 bits"
    ),
    layout("tiles", geotiff(**TILES), lambda file: file.block_shapes == [(32, 16)] * 4),
    layout("strips", geotiff(blockysize=3), lambda file: file.block_shapes == [(3, 33)] * 4),
    layout("compression", geotiff(compress="deflate"), lambda file: structure(file, "COMPRESSION") == "DEFLATE"),
    layout("predictor", geotiff(compress="lzw", predictor=2), lambda file: structure(file, "PREDICTOR") == "2"),
    layout("planar, by pixel", geotiff(interleave="pixel"), lambda file: structure(file, "INTERLEAVE") == "PIXEL"),
    layout("planar, by band", geotiff(interleave="band"), lambda file: structure(file, "INTERLEAVE") == "BAND"),
    Row("GeoTIFF", "BigTIFF, byte order", geotiff(BIGTIFF="YES", ENDIANNESS="BIG"), own=tuple(OUTPUTS)),
]

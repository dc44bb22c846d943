"""compress A B; decompress B C: C is A to rasterio and to gdalinfo, for files of many kinds."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from runtime.commands.stream_commands import compress, decompress
from tests.runtime.images.geotiff_files import (
    BYTES,
    CUBE,
    NORTH_UP,
    PALETTE,
    POINTS,
    RGBA,
    RPCS,
    TILES,
    TURNED,
    Make,
    geotiff,
    pages,
    setting,
    tags,
)
from tests.runtime.images.matrix import run
from tests.runtime.images.matrix_envi import SYSTEM, UTM
from tests.runtime.images.matrix_envi import TURNED as TURNED_MAP
from tests.runtime.images.matrix_envi import write as write_envi

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def everything(file: Any) -> None:
    """Tags, names, scales and units."""
    file.update_tags(AREA_OR_POINT="Point", taken="noon <&>", TIFFTAG_DATETIME="2026:01:02 03:04:05")
    file.update_tags(ns="SENSOR", gain="3")
    file.update_tags(2, wavelength="500", wavelength_units="Nanometers")
    setting(scales=(1, 2, 0.1, 4), offsets=(0, 1, 0, 1e-7), units=("m", None, "K", None))(file)
    file.descriptions = ("a, b", "c", None, "ü")


def envi(*texts: str, **changes: Any) -> Make:
    """How to write a pair; the data file is what GDAL opens."""
    return lambda folder: write_envi(folder, *texts, **changes)


KINDS: dict[str, Make] = {
    "plain strips": geotiff(),
    "tiles, deflate, planar by band": geotiff(interleave="band", compress="deflate", predictor=2, **TILES, **NORTH_UP),
    "tiles, lzw, by pixel, nodata": geotiff(interleave="pixel", compress="lzw", nodata=7, **TILES, **NORTH_UP),
    "turned": geotiff(crs="EPSG:3035", transform=TURNED),
    "signed, geographic, nodata": geotiff(
        CUBE.astype(np.int16) - 2000, nodata=-9999, crs="OGC:CRS84", transform=rasterio.Affine(0.1, 0, 5, 0, -0.1, 50)
    ),
    "CRS without a number, identity as transform": geotiff(
        crs="+proj=laea +lat_0=51 +lon_0=9 +x_0=1 +ellps=GRS80 +units=us-ft", transform=rasterio.Affine.identity()
    ),
    "scales, units, tags, a point": geotiff(change=everything, **NORTH_UP),
    "ground control points": geotiff(change=setting(gcps=(POINTS, rasterio.crs.CRS.from_epsg(4326)))),
    "RPCs": geotiff(change=setting(rpcs=RPCS)),
    "colours with alpha": geotiff(BYTES, setting(colorinterp=RGBA), photometric="MINISBLACK"),
    "three bytes that GDAL takes for colours": geotiff(BYTES[:, :3]),
    "palette": geotiff(BYTES[:, :1], lambda file: file.write_colormap(1, PALETTE)),
    "signed bytes": geotiff((BYTES.astype(np.int16) - 128).astype(np.int8), nodata=-1),
    "32 bits, nodata": geotiff(CUBE.astype(np.int32) * 100000, nodata=-(1 << 31), **TILES),
    "64 bits, predictor": geotiff(CUBE.astype(np.uint64), compress="deflate", predictor=2),
    "floats, nodata that is no number": geotiff(
        np.where(CUBE > 3900, np.nan, CUBE / 4).astype(np.float32), nodata=np.nan, compress="deflate", predictor=3
    ),
    "doubles, nodata": geotiff(np.where(CUBE > 3900, -9999, CUBE / 8), nodata=-9999),
    "pages": pages([CUBE[:, z : z + 1] for z in range(4)]),
    "one line, one column, one band": geotiff(CUBE[:1, :1, :1], tags(x="y")),
    "ENVI bil": envi(UTM, "data ignore value = 7", "band names = {a,\n b, c}", "wavelength = {400, 500, 600}"),
    "ENVI bip": envi(TURNED_MAP, "wavelength units = Nanometers", "wavelength={400,500,600}", interleave="bip"),
    "ENVI bsq": envi(UTM, SYSTEM, "default bands = {3,2,1}", "description = {\n two\n lines}", interleave="bsq"),
}


def way_and_back(kind: str, folder: Path) -> tuple[Path, Path]:
    """What GDAL opens of a file and of the restored one."""
    (folder / "out").mkdir()
    source = KINDS[kind](folder)
    restored = folder / "out" / source.name
    for command, words in (
        (compress, (source, folder / "s.lrwk", "--predictor", "dpcm")),
        (decompress, (folder / "s.lrwk", restored)),
    ):
        said, error = run(command, *words)
        assert error is None and "note" not in said, said or error
    return (source.with_suffix(".img"), restored.with_suffix(".bil")) if source.suffix == ".hdr" else (source, restored)


def seen_by_rasterio(path: Path | str) -> list[Any]:
    """All that rasterio tells of a file, and of its pages; how an ENVI pair's samples lie is not the image's."""
    with rasterio.open(path) as file:
        seen = {
            name: file.profile[name] for name in ("dtype", "nodata", "width", "height", "count", "crs", "transform")
        }
        if file.driver == "GTiff":
            seen |= file.profile | {"blocks": file.block_shapes, "structure": file.tags(ns="IMAGE_STRUCTURE")}
        elsewhere = {"IMAGE_STRUCTURE", "DERIVED_SUBDATASETS", "SUBDATASETS"}
        for index in (0, *file.indexes):
            domains = [name for name in file.tag_namespaces(index) if name not in elsewhere]
            seen[f"tags {index}"] = {name: file.tags(index, ns=name) for name in domains} | {"": file.tags(index)}
        for name in ("descriptions", "scales", "offsets", "units", "colorinterp", "nodatavals", "mask_flag_enums"):
            seen[name] = getattr(file, name)
        seen["points"] = [[point.asdict()[key] for key in ("row", "col", "x", "y", "z")] for point in file.gcps[0]]
        seen["rpcs"] = file.rpcs and file.rpcs.to_dict()
        seen["samples"] = file.read().tobytes()
        is_envi = seen.get("tags 0", {}).get("ENVI")
        if is_envi:
            seen["tags 0"]["ENVI"] = {
                key: text for key, text in is_envi.items() if key not in ("interleave", "file_type")
            }
        return [seen, *(seen_by_rasterio(name) for name in (file.subdatasets if len(file.subdatasets) > 1 else ()))]


@pytest.mark.parametrize("kind", KINDS)
def test_rasterio_sees_the_same(kind: str, tmp_path: Path) -> None:
    source, restored = way_and_back(kind, tmp_path)
    assert list(map(str, seen_by_rasterio(source))) == list(map(str, seen_by_rasterio(restored)))  # nan is not nan


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="gdalinfo is not installed (package gdal-bin)")
@pytest.mark.parametrize("kind", KINDS)
def test_gdalinfo_says_the_same(kind: str, tmp_path: Path) -> None:
    source, restored = way_and_back(kind, tmp_path)
    assert len(said_by_gdalinfo(source)) > 5
    assert said_by_gdalinfo(source) == said_by_gdalinfo(restored)


def said_by_gdalinfo(path: Path) -> dict[str, Any]:
    """Its JSON without names of files; with checksums of the samples."""
    done = subprocess.run(["gdalinfo", "-json", "-checksum", str(path)], capture_output=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    for name in ("description", "files"):
        said.pop(name)
    for name in (
        "DERIVED_SUBDATASETS",
        "SUBDATASETS",
        *(["IMAGE_STRUCTURE"] if said["driverShortName"] == "ENVI" else []),
    ):
        said["metadata"].pop(name, None)
    if said["driverShortName"] == "ENVI":  # the block of a file by lines, whatever was the input's
        for band in said["bands"]:
            band.pop("block")
    return said

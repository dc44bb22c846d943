"""GeoTIFF with one band per spectral band, read by rasterio in blocks of lines."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument, one_line

BLOCK_BYTES = 1 << 25
"""Of a block of lines, or one line where that is more; two blocks are in memory, and as much in GDAL's cache."""

DESCRIBED_ELSEWHERE = {"IMAGE_STRUCTURE", "DERIVED_SUBDATASETS", "RPC"}
"""Domains of metadata on how samples are stored, or that are asked for in another way."""
PLAIN = {"gray", "undefined", "palette"}


@dataclass(frozen=True)
class GeoTiff:
    """The samples (Y, Z, X) of a file, which is opened when they are read, in blocks of lines as they are stored."""

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    block_lines: int

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        """Each line (Z, X). Raises BadArgument."""
        n_lines, n_bands, n_columns = self.shape
        step = max(1, min(self.block_lines, BLOCK_BYTES // (n_bands * n_columns * self.dtype.itemsize)))
        import rasterio

        try:
            with rasterio.Env(GDAL_CACHEMAX=2 * BLOCK_BYTES), opened(self.path) as dataset:
                for y in range(0, n_lines, step):
                    window = ((y, min(n_lines, y + step)), (0, n_columns))
                    yield from np.moveaxis(dataset.read(window=window), 0, 1)
        except rasterio.errors.RasterioError as error:
            raise BadArgument(f"{self.path}: {one_line(error)}") from error


def opened(path: Path) -> Any:
    """The file as rasterio has it. Raises BadArgument."""
    try:
        import rasterio
    except ImportError:
        raise BadArgument(f"{path}: GeoTIFF needs rasterio, install linerwkv[geotiff]") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            return rasterio.open(path)
    except rasterio.errors.RasterioError as error:
        raise BadArgument(f"{path}: {one_line(error)}") from error


def open_geotiff(path: Path) -> tuple[GeoTiff, dict[str, Any], tuple[Path, ...], tuple[str, ...]]:
    """Samples, metadata in the words of an ENVI header, files, and what is in none of them. Raises BadArgument."""
    with opened(path) as dataset:
        if dataset.subdatasets:
            raise BadArgument(f"{path}: {len(dataset.subdatasets)} pages, allowed one page with all bands")
        kinds = set(dataset.dtypes)
        if len(kinds) > 1:
            raise BadArgument(f"{path}: bands of types {', '.join(sorted(kinds))}, allowed one type")
        shape = (dataset.height, dataset.count, dataset.width)
        source = GeoTiff(path, shape, np.dtype(kinds.pop()), dataset.block_shapes[0][0])
        return source, envi_metadata(dataset), tuple(map(Path, dataset.files)), not_carried(dataset)


def envi_metadata(dataset: Any) -> dict[str, Any]:
    """Place, no-data value and band names; a grid that is turned has no map info, its transform is given as it is."""
    metadata: dict[str, Any] = {}
    transform = dataset.transform
    if not transform.is_identity:
        if transform.b == transform.d == 0 and transform.e < 0:
            place = (1, 1, transform.c, transform.f, transform.a, -transform.e)
            metadata["map info"] = ["Arbitrary", *map(str, place)]
        else:
            metadata["geotransform"] = [str(value) for value in transform[:6]]
    if dataset.crs:
        metadata["coordinate system string"] = f"{{{dataset.crs.to_wkt(version='WKT1_ESRI')}}}"
    if dataset.nodata is not None:
        metadata["data ignore value"] = f"{dataset.nodata:.17g}"
    if any(dataset.descriptions):
        metadata["band names"] = [name or f"Band {z}" for z, name in enumerate(dataset.descriptions, start=1)]
    return metadata


def not_carried(dataset: Any) -> tuple[str, ...]:
    """What a GeoTIFF says that `envi_metadata` has no words for, each in a few of ours."""
    bands = dataset.indexes
    colours = {colour.name for colour in dataset.colorinterp}
    masks = {flag.name for flags in dataset.mask_flag_enums for flag in flags}
    tags = {name for band in (0, *bands) for name in dataset.tags(band)} - {"AREA_OR_POINT"}
    domains = {name for band in (0, *bands) for name in dataset.tag_namespaces(band)} - DESCRIBED_ELSEWHERE
    found = {
        "ground control points": dataset.gcps[0],
        "RPCs": dataset.rpcs,
        "a mask": "per_dataset" in masks and "alpha" not in masks,
        "a colour map": "palette" in colours,
        f"colours of bands ({', '.join(sorted(colours - PLAIN))})": colours - PLAIN,
        "overviews": any(dataset.overviews(band) for band in bands),
        "scales and offsets of samples": {*dataset.scales, 1.0} != {1.0} or {*dataset.offsets, 0.0} != {0.0},
        "units of samples": any(dataset.units),
        "no-data values of single bands": len(set(map(str, dataset.nodatavals))) > 1,
        "that a sample is a point": dataset.tags().get("AREA_OR_POINT") == "Point",
        f"tags ({', '.join(sorted(tags))})": tags,
        f"metadata of domains ({', '.join(sorted(domains))})": domains,
    }
    return tuple(words for words, is_there in found.items() if is_there)

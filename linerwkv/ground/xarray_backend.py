"""The engine `linerwkv` of xarray: a stream as a lazy dataset, each segment a chunk of Dask."""

import os
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
from typing_extensions import override
from xarray import Dataset, Variable, conventions
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

from linerwkv.ground.georeference import Georeference, georeference
from linerwkv.stream_image import AXES, Packages, StreamImage, pieces

SAMPLES = "samples"
SUFFIX = ".lrwk"
SPATIAL_REFERENCE = "spatial_ref"
"""Of a place, by the convention of rioxarray."""
DECODERS = ("mask_and_scale", "decode_times", "decode_timedelta", "use_cftime", "concat_characters", "decode_coords")
"""Words of `xarray.open_dataset` of which a stream has only the first: samples are masked where it is asked for."""
LARGEST_MISSING_CHUNK = 1 << 26
"""Bytes of a chunk of missing lines, unless a segment has more."""


class StreamArray(BackendArray):
    """The samples of a stream as xarray asks for them, on any thread."""

    def __init__(self, image: StreamImage) -> None:
        self.image, self.shape, self.dtype = image, image.shape, image.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """The chosen samples. Raises LineRwkvError."""
        kind = indexing.IndexingSupport.OUTER_1VECTOR
        return indexing.explicit_indexing_adapter(key, self.shape, kind, self.image.__getitem__)


class CentreArray(BackendArray):
    """The places of samples along an axis of the earth, made where they are asked for."""

    def __init__(self, n: int, step: float, start: float) -> None:
        self.places, self.step, self.start = pd.RangeIndex(n), step, start
        self.shape, self.dtype = (n,), np.dtype(np.float64)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Float64."""
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self.centres)

    def centres(self, key: tuple[int | slice]) -> Any:
        """Of the chosen samples."""
        return self.start + self.step * (np.asarray(self.places[key[0]]) + 0.5)


class LineRwkvBackend(BackendEntrypoint):
    """`xarray.open_dataset("scene.lrwk", engine="linerwkv", chunks={})`."""

    description = "Streams of LineRWKV: hyperspectral images, decoded where they are touched"
    open_dataset_parameters = (
        "filename_or_obj", "drop_variables", "packages", "missing", "fill", "storage_options", *DECODERS,
    )  # fmt: skip

    @override
    def guess_can_open(self, filename_or_obj: Any) -> bool:
        return isinstance(filename_or_obj, str | os.PathLike) and os.fspath(filename_or_obj).lower().endswith(SUFFIX)

    @override
    def open_dataset(
        self, filename_or_obj: Any, *, drop_variables: Any = None, packages: Packages = (),
        missing: Literal["error", "fill"] = "error", fill: int | float | None = None,
        storage_options: dict[str, Any] | None = None, **decoders: Any,
    ) -> Dataset:  # fmt: skip
        """Variable `samples` (line, band, column). Options as of `linerwkv.open`, which raises what this raises.

        decoders: of DECODERS; TypeError of others.
        """
        if wrong := sorted(set(decoders) - set(DECODERS)):
            raise TypeError(f"engine linerwkv: {', '.join(wrong)} not known, allowed {', '.join(DECODERS)}")
        image = StreamImage(
            filename_or_obj, packages=packages, missing=missing, fill=fill, storage_options=storage_options
        )
        place = georeference(image.header.image)
        dropped = {drop_variables} if isinstance(drop_variables, str) else set(drop_variables or ())
        coordinates = {name: one for name, one in coordinates_of(image, place).items() if name not in dropped}
        samples = samples_of(image, place)
        is_masked = decoders.get("mask_and_scale")
        if is_masked.get(SAMPLES, False) if isinstance(is_masked, Mapping) else is_masked:
            samples = conventions.decode_cf_variable(SAMPLES, samples)
        variables = {} if SAMPLES in dropped else {SAMPLES: samples}
        attrs = {"missing_lines": str(image.missing_lines)} if image.missing_lines else {}
        dataset = Dataset(variables, coordinates, attrs)
        dataset.set_close(image.close)
        return dataset


def samples_of(image: StreamImage, place: Georeference) -> Variable:
    """The samples, nothing of which is read."""
    attrs: dict[str, Any] = (
        {} if "nodata" not in image.attrs else {"_FillValue": image.dtype.type(image.attrs["nodata"])}
    )
    encoding: dict[str, Any] = {"preferred_chunks": dict(zip(AXES, chunks_of(image), strict=True))}
    if place.crs_wkt or place.transform:
        encoding["grid_mapping"] = SPATIAL_REFERENCE
    return Variable(AXES, indexing.LazilyIndexedArray(StreamArray(image)), attrs, encoding)


def chunks_of(image: StreamImage) -> tuple[tuple[int, ...], ...]:
    """Those of Dask, by axis: segments, and runs of missing lines, large ones cut."""
    line_bytes = image.nbytes // max(len(image), 1)
    largest = max(image.longest_segment, LARGEST_MISSING_CHUNK // max(line_bytes, 1))
    whole, *others = image.chunks
    lines = [piece for n_lines in whole for piece in pieces(n_lines, largest)]
    return tuple(lines) or (0,), *others


def coordinates_of(image: StreamImage, place: Georeference) -> dict[str, Variable]:
    """line, band, column from 0; wavelength, fwhm and band_name by band; of an upright place y by line, x by column."""
    attrs = image.attrs
    found = {axis: Variable(axis, pd.RangeIndex(n)) for axis, n in zip(AXES, image.shape, strict=True)}
    units = {"units": str(attrs["wavelength_units"])} if "wavelength_units" in attrs else {}
    for name in ("wavelength", "fwhm"):
        if name in attrs:
            found[name] = Variable("band", np.array(attrs[name]), units)
    names = attrs.get("band_names")
    if isinstance(names, list) and len(names) == image.shape[1] and all(isinstance(one, str) for one in names):
        found["band_name"] = Variable("band", np.array(names, str))
    if not (place.crs_wkt or place.transform):
        return found
    spatial: dict[str, Any] = {"crs_wkt": place.crs_wkt, SPATIAL_REFERENCE: place.crs_wkt} if place.crs_wkt else {}
    if place.transform is not None:
        a, b, c, d, e, f = place.transform
        spatial["GeoTransform"] = " ".join(map(repr, (c, a, b, f, d, e)))  # in the order of GDAL
        if place.is_upright:
            found["x"] = Variable("column", indexing.LazilyIndexedArray(CentreArray(image.shape[2], a, c)))
            found["y"] = Variable("line", indexing.LazilyIndexedArray(CentreArray(image.shape[0], e, f)))
    return found | {SPATIAL_REFERENCE: Variable((), np.array(0), spatial)}

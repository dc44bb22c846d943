"""The engine of xarray: lazy, a chunk a segment, coordinates and place."""

import io
import pickle
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import linerwkv
from tests.linerwkv.conftest import N_BANDS, N_COLUMNS, N_LINES, SEGMENT_LINES, WAVELENGTHS, CountedFile, Cube

xarray = pytest.importorskip("xarray")
dask = pytest.importorskip("dask")


@pytest.fixture
def engine() -> Any:
    """As its entry point loads it, whether it is installed or not."""
    return EntryPoint("linerwkv", "linerwkv.ground.xarray_backend:LineRwkvBackend", "xarray.backends").load()


def test_a_dataset_has_the_samples_and_coordinates(engine: Any, stream: Path, cube: Cube) -> None:
    with xarray.open_dataset(stream, engine=engine) as found:
        assert found.samples.dims == ("line", "band", "column")
        assert found.samples.dtype == cube.dtype
        assert np.array_equal(found.samples, cube)
        assert found.wavelength.dims == ("band",)
        assert found.wavelength.values.tolist() == WAVELENGTHS
        assert found.wavelength.attrs["units"] == "Nanometers"
        assert found.line.values.tolist() == list(range(N_LINES))
        assert found.samples.attrs["_FillValue"] == 65535
        some = found.samples.isel(line=slice(10, 40, 3), band=[4, 0], column=[1, 2])
        assert np.array_equal(some, cube[10:40:3, [4, 0]][..., [1, 2]])
        near = found.swap_dims(band="wavelength").samples.sel(wavelength=660, method="nearest")
        assert np.array_equal(near, cube[:, 2])


def test_each_segment_is_a_chunk_and_nothing_is_read_before(engine: Any, stream: Path, cube: Cube) -> None:
    file = CountedFile(stream.read_bytes())
    linerwkv.open(file)
    n_opening, file.n_read = file.n_read, 0
    found = xarray.open_dataset(file, engine=engine, chunks={})
    assert file.n_read == n_opening
    assert found.samples.chunks == ((*[SEGMENT_LINES] * 6, 2), (N_BANDS,), (N_COLUMNS,))
    place = linerwkv.open(file).found.places[1]
    file.n_read = 0
    means = found.samples.isel(line=slice(8, 16)).mean("line").compute(scheduler="threads")
    assert file.n_read == place.end - place.offset
    assert np.allclose(means, cube[8:16].mean(axis=0))
    assert np.array_equal(found.samples.compute(scheduler="threads"), cube)


def test_what_dask_computes_can_be_sent(engine: Any, stream: Path, cube: Cube) -> None:
    found = pickle.loads(pickle.dumps(xarray.open_dataset(stream, engine=engine, chunks={})))
    assert np.array_equal(found.samples[20:30], cube[20:30])


def test_missing_lines_are_filled_and_named(engine: Any, stream: Path) -> None:
    cut = io.BytesIO(stream.read_bytes()[: stream.stat().st_size // 2])
    found = xarray.open_dataset(cut, engine=engine, missing="fill")
    first = int(found.attrs["missing_lines"].strip("[(").split(",")[0])
    assert found.attrs["missing_lines"] == f"[({first}, {N_LINES - 1})]"
    assert np.all(found.samples[first:] == 65535)


def test_the_place_is_that_of_rioxarray(engine: Any, stream: Path) -> None:
    pytest.importorskip("rasterio")
    found = xarray.open_dataset(stream, engine=engine)
    assert "UTM zone 33N" in found.spatial_ref.attrs["crs_wkt"]
    assert found.spatial_ref.attrs["GeoTransform"] == "500000.0 30.0 0.0 5800000.0 0.0 -30.0"
    assert found.x.values[:2].tolist() == [500015.0, 500045.0]
    assert found.y.values[:2].tolist() == [5799985.0, 5799955.0]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of affine, by what rioxarray does
def test_rioxarray_reads_it(engine: Any, stream: Path) -> None:
    pytest.importorskip("rioxarray")
    found = (
        xarray.open_dataset(stream, engine=engine).swap_dims(line="y", column="x").samples.transpose("band", "y", "x")
    )
    assert found.rio.crs.to_epsg() == 32633
    assert found.rio.nodata == 65535
    assert tuple(found.rio.transform())[:6] == (30.0, 0.0, 500000.0, 0.0, -30.0, 5800000.0)
    assert tuple(found.isel(y=slice(10, 20)).rio.transform(recalc=True))[5] == 5800000.0 - 300


def test_variables_can_be_dropped_and_suffixes_are_known(engine: Any, stream: Path) -> None:
    assert "wavelength" not in xarray.open_dataset(stream, engine=engine, drop_variables=["wavelength"]).coords
    assert engine().guess_can_open(stream) and engine().guess_can_open("s3://a/b.LRWK")
    assert not engine().guess_can_open("scene.nc") and not engine().guess_can_open(io.BytesIO())

"""The engine of xarray: lazy, a chunk a segment, coordinates and place."""

import io
import pickle
import tracemalloc
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import linerwkv
from tests.linerwkv.conftest import N_BANDS, N_COLUMNS, N_LINES, SEGMENT_LINES, WAVELENGTHS, CountedFile, Cube
from tests.linerwkv.ground.conftest import hostile_stream

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


@pytest.mark.parametrize("decoders", [{"mask_and_scale": False}, {"decode_cf": False}, {"decode_times": True}])
def test_words_of_xarray_that_say_nothing_are_taken(decoders: dict[str, Any], engine: Any, stream: Path) -> None:
    found = xarray.open_dataset(stream, engine=engine, **decoders)
    assert found.samples.dtype == np.uint16 and found.samples.attrs["_FillValue"] == 65535
    with pytest.raises(TypeError, match="colour not known"):
        xarray.open_dataset(stream, engine=engine, colour=1)


def test_samples_that_are_none_are_masked_where_it_is_asked_for(engine: Any, stream: Path) -> None:
    cut = io.BytesIO(stream.read_bytes()[: linerwkv.open(stream).found.places[3].offset + 50])
    found = xarray.open_dataset(cut, engine=engine, missing="fill", mask_and_scale=True)
    assert np.isnan(found.samples[24:]).all() and not np.isnan(found.samples[:24]).any()


@pytest.mark.parametrize("chunks", [None, {}])
def test_a_stream_cut_before_its_first_segment_is_empty(chunks: Any, engine: Any) -> None:
    with linerwkv.Encoder(N_BANDS, N_COLUMNS, 12, predictor="dpcm") as encoder:
        cut = io.BytesIO(encoder.header)
    found = xarray.open_dataset(cut, engine=engine, missing="fill", chunks=chunks)
    assert found.samples.shape == found.samples.values.shape == (0, N_BANDS, N_COLUMNS)


def test_lines_that_are_only_announced_take_no_memory(engine: Any, cube: Cube, tmp_path: Path) -> None:
    """Of 2**32 - 1 lines some are there: coordinates are made as they are asked for, and chunks stay below 64 MiB."""
    path, n_lines = tmp_path / "gap.lrwk", (1 << 32) - 1
    metadata = {"map info": ["UTM", "1", "1", "500000", "5800000", "30", "30", "33", "North", "WGS-84"]}
    with linerwkv.Encoder(N_BANDS, N_COLUMNS, 12, metadata=metadata, predictor="dpcm", segment_lines=8) as encoder:
        data = encoder.header + b"".join(map(encoder.push, cube[:8])) + encoder.skip(n_lines - 8)
        path.write_bytes(data + encoder.finish())
    tracemalloc.start()
    found = xarray.open_dataset(path, engine=engine, chunks={}, missing="fill", fill=7)
    last = found.isel(line=slice(-2, None)).load()
    assert tracemalloc.get_traced_memory()[1] < 200 << 20
    tracemalloc.stop()
    assert found.sizes["line"] == n_lines and found.samples.chunks[0][0] == 8
    assert max(found.samples.chunks[0]) * N_BANDS * N_COLUMNS * 2 <= 1 << 26
    assert last.line.values.tolist() == [n_lines - 2, n_lines - 1]
    assert np.all(last.samples == 7)
    assert np.array_equal(found.samples[:8], cube[:8])
    if "y" in found.coords:
        assert last.y.values.tolist() == [5800000 - 30 * (line + 0.5) for line in (n_lines - 2, n_lines - 1)]


def test_names_of_bands_are_texts(engine: Any, cube: Cube, tmp_path: Path) -> None:
    path = tmp_path / "names.lrwk"
    for names in ([["a"]] * N_BANDS, [{}, 1, None, "x", True], ["a", "b"]):
        path.write_bytes(hostile_stream(cube[:4], {"band names": names}))
        found = xarray.open_dataset(path, engine=engine)
        assert "band_name" not in found.coords
        assert np.array_equal(found.samples, cube[:4])

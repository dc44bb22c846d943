"""The Python of docs/ground.md runs as it stands."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import linerwkv
from runtime.commands.cli import cli
from tests.test_readme import REPOSITORY, python_of

for library in ("xarray", "dask", "rasterio", "zarr", "numcodecs", "kerchunk"):
    pytest.importorskip(library)


def test_the_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    import numcodecs
    import xarray
    import zarr

    from linerwkv.ground.numcodecs_codec import LineRwkvCodec as CodecOfFormat2
    from linerwkv.ground.xarray_backend import LineRwkvBackend
    from linerwkv.ground.zarr_codec import LineRwkvCodec

    monkeypatch.setitem(xarray.backends.plugins.list_engines(), "linerwkv", LineRwkvBackend())
    zarr.registry.register_codec("linerwkv", LineRwkvCodec)
    numcodecs.register_codec(CodecOfFormat2)
    names: dict[str, object] = {}
    for block in python_of("docs/ground.md"):
        exec(compile(block, "docs/ground.md", "exec"), names)


def test_a_region_is_exported_for_qgis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rasterio = pytest.importorskip("rasterio")
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"linerwkv (decompress scene.*)", (REPOSITORY / "docs" / "ground.md").read_text())
    cube = np.random.default_rng(0).integers(0, 4096, (200, 4, 32)).astype(np.uint16)
    place = ["UTM", 1, 1, 500000, 5800000, 30, 30, 33, "North", "WGS-84"]
    linerwkv.compress(cube, "scene.lrwk", metadata={"map info": place}, predictor="dpcm")
    done = CliRunner().invoke(cli, shlex.split(command))
    assert done.exit_code == 0, done.output
    with rasterio.open("region.tif") as region:  # by GDAL, as QGIS does
        assert np.array_equal(region.read(), np.moveaxis(cube[100:164, [2, 1, 0], 8:24], 1, 0))
        assert region.crs.to_epsg() == 32633
        assert tuple(region.transform)[:6] == (30.0, 0.0, 500000.0 + 8 * 30, 0.0, -30.0, 5800000.0 - 100 * 30)

"""The Python of docs/ground.md runs as it stands."""

from pathlib import Path

import pytest

from tests.test_readme import python_of

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

"""The Python of docs/ground.md runs as it stands."""

from pathlib import Path

import pytest

from tests.test_readme import python_of

for library in ("xarray", "dask", "rasterio"):
    pytest.importorskip(library)


def test_the_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    import xarray

    from linerwkv.ground.xarray_backend import LineRwkvBackend

    monkeypatch.setitem(xarray.backends.plugins.list_engines(), "linerwkv", LineRwkvBackend())
    names: dict[str, object] = {}
    for block in python_of("docs/ground.md"):
        exec(compile(block, "docs/ground.md", "exec"), names)

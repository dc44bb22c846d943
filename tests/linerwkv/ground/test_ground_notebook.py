"""The code of examples/ground.ipynb runs in its order, and finds the mean spectrum of all streams."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import linerwkv

for library in ("xarray", "distributed", "PIL"):
    pytest.importorskip(library)
NOTEBOOK = Path(__file__).parents[3] / "examples" / "ground.ipynb"


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    names: dict[str, Any] = {}
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
            exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
    cubes = [linerwkv.open(path)[:] for path in sorted(Path("streams").glob("*.lrwk"))]
    assert len(cubes) == 3
    measured = np.concatenate([np.moveaxis(cube, 1, 0).reshape(cube.shape[1], -1) for cube in cubes], axis=1)
    assert (measured == 0).any()
    assert np.allclose(names["mean_spectrum"], [band[band != 0].mean() for band in measured], rtol=1e-12)
    assert Path("look.png").read_bytes()[:4] == b"\x89PNG"
    assert names["look"].bands == (4, 2, 0)

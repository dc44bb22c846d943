"""What a run begins with: scene, package and wheel, and how a difference is told."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hil_tests.acceptance.acceptance_run import AcceptanceRun
from hil_tests.acceptance.coding_steps import difference
from hil_tests.acceptance.run_scene import run_scene
from hil_tests.board.board import SceneChoice, load_board
from hil_tests.places.runtime_wheel import build_runtime_wheel
from hil_tests.targets.transfer import file_sha256
from runtime.errors import BadArgument


def test_the_first_place_that_differs_is_named() -> None:
    wanted = np.zeros((2, 3, 4), np.uint16)
    found = wanted.copy()
    found[1, 2, 3] = 7
    assert difference(wanted, wanted) is None
    assert difference(found, wanted) == "line 1, band 2, column 3: 7, the scene has 0"
    assert difference(wanted[:1], wanted) == "1 of 2 lines"
    assert difference([*wanted, wanted[0]], wanted) == "more than the 2 lines of the scene"


def test_a_scene_that_is_not_here_has_a_synthetic_one_in_its_place(tmp_path: Path) -> None:
    scene = run_scene(SceneChoice(name="no_such_scene", bands=5, columns=4), None, tmp_path, is_short=True)
    assert scene.kind == "synthetic"
    assert scene.note == "scene no_such_scene is not on this machine, a synthetic one stands in"
    assert scene.samples.shape == (16, 5, 4)
    with pytest.raises(BadArgument, match="not found"):
        run_scene(SceneChoice(name="../no_such_scene.hdr"), None, tmp_path, is_short=True)
    for pattern in ("a**b", "*", "[a"):  # a name, whatever a shell would make of it
        assert run_scene(SceneChoice(name=pattern, bands=1, columns=1), None, tmp_path, is_short=True).note


@pytest.mark.parametrize("name", ["no_such", "no/such"])
def test_a_package_that_is_not_there_is_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "board.toml"
    path.write_text(f'name = "desk"\ntransport = "local"\npackage = "{name}"\n')
    with pytest.raises(BadArgument, match=f"package .*{name} not found"):
        AcceptanceRun(load_board(path), output=tmp_path / "run", is_short=True)


def test_the_wheel_is_the_same_bytes_each_time_and_has_the_runtime_alone(tmp_path: Path) -> None:
    wheels = [build_runtime_wheel(tmp_path / name) for name in ("one", "two")]
    assert len({file_sha256(wheel) for wheel in wheels}) == 1
    with zipfile.ZipFile(wheels[0]) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"runtime", "linerwkv-0.1.0.dist-info"}
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile"]
    subprocess.run([*pip, "--target", tmp_path / "site", wheels[0]], check=True)
    assert (tmp_path / "site" / "runtime" / "packages" / "flight" / "manifest.json").is_file()

"""The rooms of ARCHITECTURE.md: what is put in none, or draws an arrow upwards, fails; tests mirror them."""

import ast
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from hil_tests.places.place import REPOSITORY
from hil_tests.places.runtime_wheel import build_runtime_wheel

PACKAGES = ("linerwkv", "model", "quantize", "export", "runtime", "hil_tests")
CONTRACTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def rooms(package: str) -> list[Path]:
    """Folders of Python files of a package, itself included."""
    folders = {file.parent for file in (REPOSITORY / package).rglob("*.py")}
    return sorted(folders)


@pytest.mark.parametrize("package", [*PACKAGES, "benchmarks"])
def test_every_room_says_what_lives_there(package: str) -> None:
    for room in rooms(package):
        text = ast.get_docstring(ast.parse((room / "__init__.py").read_text()))
        assert text, room


@pytest.mark.parametrize("package", ["linerwkv", "runtime", "model", "hil_tests", "benchmarks"])
def test_tests_lie_in_folders_of_the_same_names(package: str) -> None:
    known = {room.relative_to(REPOSITORY / package).parts[:1] for room in rooms(package)}
    for folder in (REPOSITORY / "tests" / package).iterdir():
        if folder.is_dir() and list(folder.glob("*.py")):
            assert (folder.name,) in known, folder


@pytest.mark.parametrize("container", ["linerwkv", "runtime", "model", "hil_tests"])
def test_the_layers_name_every_room(container: str) -> None:
    (contract,) = [one for one in CONTRACTS if one.get("containers") == [container]]
    named = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    here = {path.stem for path in (REPOSITORY / container).iterdir() if path.suffix == ".py" or list(path.glob("*.py"))}
    assert contract["exhaustive"] is True
    assert named == here - {"__init__"}
    assert "ignore_imports" not in contract


@pytest.fixture(scope="module")
def copied_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages' Python files, for a wrong one to be put among them."""
    folder = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, folder / package, ignore=lambda _, names: [
            name for name in names if "." in name and not name.endswith(".py")
        ])  # fmt: skip
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("runtime/kernels/wrong.py", "from runtime.codec import encoder\n", "runtime.kernels.wrong -> runtime.codec"),
        ("runtime/attic/__init__.py", '"""A room that nobody placed."""\n', "runtime.attic"),
        ("runtime/wrong.py", '"""A file outside a room."""\n', "runtime.wrong"),
        ("runtime/codec/wrong.py", "import linerwkv\n", "runtime.codec.wrong -> linerwkv"),
        ("hil_tests/report/wrong.py", "import benchmarks\n", "hil_tests.report.wrong -> benchmarks"),
    ],
)
def test_a_wrong_file_or_arrow_fails(file: str, text: str, told: str, copied_house: Path) -> None:
    path = copied_house / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    try:
        command = "import sys; from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"
        done = subprocess.run([sys.executable, "-c", command], cwd=copied_house, capture_output=True, text=True)
    finally:
        path.unlink()
        if not list(path.parent.glob("*.py")):
            shutil.rmtree(path.parent)
    assert done.returncode != 0
    assert told in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_wheel_that_flies_has_no_test_and_no_fault(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_runtime_wheel(tmp_path)) as wheel:
        names = wheel.namelist()
    assert {name.split("/")[0] for name in names if not name.startswith("linerwkv-")} == {"runtime"}
    assert [name for name in names if "fault" in name or "test_" in name.rsplit("/", 1)[-1]] == []

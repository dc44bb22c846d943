"""The wheel in an empty environment, outside of the checkout, on every Python that it says it runs on.

Python is that of PATH; 3.13 is Debian's where the machine has none. A Python that cannot be had is left out.
"""

import os
import platform
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from hil_tests.emulation.debian import Apt, debian_keyring
from hil_tests.places.place import REPOSITORY
from hil_tests.places.runtime_wheels import install_for, pip
from hil_tests.places.tool import NotAvailable

pytestmark = pytest.mark.slow
DEBIAN = {"3.13": "trixie"}
"""Releases whose Python runs from a folder, with the libraries that it was made with."""
LIBRARIES = Path("usr/lib/x86_64-linux-gnu")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    tracked = subprocess.run(["git", "-C", REPOSITORY, "ls-files", "-z"], capture_output=True, check=True, text=True)
    for name in filter(None, tracked.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, source / name)
    pip(sys.executable, "wheel", "--no-deps", "-w", folder, source)
    (found,) = folder.glob("linerwkv-*.whl")
    return found


def from_debian(version: str, folder: Path) -> list[str]:
    """An interpreter of a later Debian, run by its own loader. Raises NotAvailable."""
    if platform.machine() != "x86_64" or shutil.which("apt-get") is None:
        raise NotAvailable(f"no Debian for x86-64 here, so no Python {version}")
    root = folder / "root"
    apt = Apt(folder / "apt", "amd64", debian_keyring(folder, "amd64"), DEBIAN[version])
    apt.unpack_with_dependencies((f"python{version}", "libgomp1", "libstdc++6"), root)
    loader = str(root / LIBRARIES / "ld-linux-x86-64.so.2")
    home = f"PYTHONHOME={root / 'usr'}"
    return ["env", home, loader, "--library-path", str(root / LIBRARIES), str(root / f"usr/bin/python{version}")]


def interpreter(version: str, folder: Path) -> list[str]:
    """The beginning of a command that runs this Python. Raises NotAvailable."""
    if sys.version.startswith(f"{version}."):
        return [sys.executable]
    found = shutil.which(f"python{version}")
    if found is not None and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
        return [found]
    if version in DEBIAN:
        return from_debian(version, folder)
    raise NotAvailable(f"no Python {version} on this machine")


def test_the_wheel_names_the_versions_that_are_tried() -> None:
    wanted = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["requires-python"]
    assert wanted == ">=3.11,<3.14"


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_a_scene_goes_through_the_installed_command(version: str, wheel: Path, tmp_path: Path) -> None:
    try:
        python = interpreter(version, tmp_path / "python")
    except NotAvailable as reason:
        pytest.skip(str(reason))
    site = tmp_path / "site"
    install_for("x86_64", version, site)
    pip(sys.executable, "install", "--no-deps", "--target", site, "--python-version", version, "--no-compile",
        "--only-binary=:all:", wheel, constrained=False)  # fmt: skip
    lines = np.random.default_rng(0).integers(-9, 10, (9, 12, 20), np.int16).cumsum(1, np.int16) + np.int16(500)
    np.save(tmp_path / "scene.npy", lines)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"PYTHONPATH": str(site), "PYTHONNOUSERSITE": "1"}

    def linerwkv(*words: str) -> str:
        command = [*python, "-m", "runtime.commands.cli", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    assert declared in linerwkv("--version")
    for stream, form in {"a.lrwk": [], "b.lrwk": ["--predictor", "ccsds123"]}.items():
        linerwkv("compress", "scene.npy", stream, *form)
        linerwkv("decompress", stream, "restored.npy")
        assert np.array_equal(np.load(tmp_path / "restored.npy"), lines)

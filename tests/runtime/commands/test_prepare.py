"""After `linerwkv prepare` nothing is compiled: the cache holds what a run with the same options needs."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.runtime.commands.test_cli import CUBE, save_envi

OPTIONS = ("--predictor", "dpcm", "--max-error", "1")


def run(cache: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "runtime.commands.cli", *map(str, arguments)]
    variables = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_a_run_after_it_compiles_nothing(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    made = run(cache, "prepare", *OPTIONS, "--json")
    assert made.returncode == 0, made.stderr
    found = json.loads(made.stdout)
    folder = Path(found["folder"])
    kept = {file for file in folder.rglob("*") if file.is_file()}
    assert folder.parent == cache
    assert found["kernels"] == sum(file.suffix == ".nbc" for file in kept) > 0
    times = {file: file.stat().st_mtime_ns for file in kept}
    envi, packed = save_envi(tmp_path / "scene.hdr", CUBE), tmp_path / "packed.lrwk"
    assert run(cache, "compress", envi, packed, *OPTIONS).returncode == 0
    assert run(cache, "decompress", packed, tmp_path / "back.hdr").returncode == 0
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()} == times


def test_kernels_that_cannot_be_kept_are_one_line(tmp_path: Path) -> None:
    made = run(Path("/dev/null/cache"), "prepare", *OPTIONS)
    assert made.returncode == 2
    (line,) = made.stderr.splitlines()
    assert "kernel cache /dev/null/cache/" in line

"""Kernels are those of the code that runs, whatever lies in their cache."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import termios
from pathlib import Path
from subprocess import DEVNULL

import pytest

from runtime.kernels.compile_notice import LINE
from runtime.kernels.kernel_cache import cache_folder

RULE = """
from runtime.kernels.kernel_cache import njit
@njit(cache=True)
def rule(value):
    return value + 1
"""
USER = """
from pair.rule import rule
from runtime.kernels.kernel_cache import njit
@njit(cache=True)
def user(value):
    return 10 * rule(value)
"""
RUN = """
import warnings
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    from pair.user import user
    print(user(1), user(1.5), sum(user.stats.cache_hits.values()))
for warning in told:
    print(warning.category.__name__, warning.message)
"""


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A package of two modules; the kernel of one calls that of the other."""
    folder = tmp_path / "pair"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "rule.py").write_text(RULE)
    (folder / "user.py").write_text(USER)
    return folder


def run(pair: Path, cache: Path | None, **variables: str) -> list[str]:
    """What a new process prints: results for an int and a float, how many came from the cache, warnings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    kept |= {"PYTHONPATH": f"{pair.parent}{os.pathsep}{Path.cwd()}", "PYTHONDONTWRITEBYTECODE": "1"} | variables
    kept |= {"NUMBA_CACHE_DIR": str(cache)} if cache else {}
    done = subprocess.run([sys.executable, "-c", RUN], env=kept, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def kept_files(cache: Path) -> list[Path]:
    """What is kept of the package's kernels, in alphabetical order."""
    return sorted(path for path in cache.rglob("pair.user/*") if path.is_file())


def flipped(data: bytes) -> bytes:
    """With another bit in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def test_an_edit_of_what_a_kernel_calls_is_seen_and_an_unchanged_source_is_not_compiled_again(
    pair: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    assert run(pair, cache) == ["20 25.0 0"]
    assert run(pair, cache) == ["20 25.0 2"]
    (pair / "rule.py").write_text(RULE.replace("value + 1", "value + 3"))
    assert run(pair, cache) == ["40 45.0 0"]
    (pair / "rule.py").write_text(RULE)
    assert run(pair, cache) == ["20 25.0 2"]


ARRAYS = """
import sys
import numpy as np
from runtime.kernels.kernel_cache import njit
@njit(cache=True)
def user(value):
    made = np.zeros(1000, np.int64)
    made[1:] = value
    return made.copy()
"""
STARTED = """
import sys
from pair.user import user
print(user(2).sum(), "numba.cpython.unicode" in sys.modules)
"""


def test_code_from_the_cache_starts_no_compiler(pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it makes arrays, for which Numba's memory functions must be known to the linker."""
    (pair / "user.py").write_text(ARRAYS)
    monkeypatch.setattr(f"{__name__}.RUN", STARTED)
    cache = tmp_path / "cache"
    assert [run(pair, cache) for _ in range(3)] == [["1998 True"], ["1998 False"], ["1998 False"]]


def test_a_terminal_shows_that_kernels_are_compiled(pair: Path, tmp_path: Path) -> None:
    """One line and a count, the first time alone; nothing where nobody looks."""
    kept = {"PYTHONPATH": f"{pair.parent}{os.pathsep}{Path.cwd()}", "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    shown = []
    for _ in range(2):
        ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        command = [sys.executable, "-c", RUN]
        with subprocess.Popen(command, env=os.environ | kept, stdout=DEVNULL, stderr=theirs) as process:
            os.close(theirs)
            shown.append(b"")
            with contextlib.suppress(OSError):  # by which a terminal ends
                while piece := os.read(ours, 1 << 12):
                    shown[-1] += piece
        os.close(ours)
        assert process.returncode == 0
    assert shown[0].count(LINE.encode()) == 1
    assert re.search(rb"[1-4] kernels", shown[0])  # not each of four is shown
    assert shown[1] == b""


def test_the_folder_is_of_the_source_and_not_of_its_place(pair: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(pair, tmp_path / "moved")
    shutil.rmtree(moved / "__pycache__", ignore_errors=True)
    assert cache_folder(moved) == cache_folder(pair)
    others = {cache_folder(pair)}
    for name, text in (("rule.py", RULE + "#"), ("rule.py", RULE + " "), ("more.py", ""), ("table.txt", "1")):
        (moved / name).write_text(text)
        cache_folder.cache_clear()
        others.add(cache_folder(moved))
    assert len(others) == 5


@pytest.mark.parametrize("harm", ["cut", "empty", "zeros", "flipped"])
def test_a_torn_cache_is_compiled_again_and_whole_after_that(pair: Path, tmp_path: Path, harm: str) -> None:
    cache = tmp_path / "cache"
    run(pair, cache)
    files = kept_files(cache)
    assert [path.suffix for path in files] == [".nbc", ".nbc", ".nbi"]
    for path in files:
        data = path.read_bytes()
        path.write_bytes({"cut": data[:50], "empty": b"", "zeros": bytes(len(data)), "flipped": flipped(data)}[harm])
    assert run(pair, cache)[0].split()[:2] == ["20", "25.0"]
    assert run(pair, cache) == ["20 25.0 2"]


def test_a_bit_of_the_code_alone_is_found(pair: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run(pair, cache)
    for path in kept_files(cache)[:2]:
        path.write_bytes(flipped(path.read_bytes()))
    assert run(pair, cache) == ["20 25.0 0"]


def test_files_that_an_index_confuses_are_compiled_again(pair: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run(pair, cache)
    first, second, _ = kept_files(cache)
    data = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(data)
    assert run(pair, cache) == ["20 25.0 0"]


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"NUMBA_CACHE_DIR": "/dev/null/cache"}, "/dev/null/cache"),
        ({"HOME": "/dev/null/home", "XDG_CACHE_HOME": ""}, "/dev/null/home/.cache/linerwkv"),
        ({"HOME": "/dev/null/home", "XDG_CACHE_HOME": "/dev/null/xdg"}, "/dev/null/xdg/linerwkv"),
    ],
)
def test_a_cache_that_cannot_be_written_is_told_once(pair: Path, variables: dict[str, str], folder: str) -> None:
    result, *told = run(pair, None, **variables)
    assert result == "20 25.0 0"
    assert len(told) == 1
    assert told[0].startswith(f"Notice kernel cache {folder}/kernels-")
    assert "Not a directory" in told[0]

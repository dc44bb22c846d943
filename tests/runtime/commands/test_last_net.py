"""Whatever a library raises is one line that names the command's files, and exit code 2; --debug shows where."""

import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import click
import pytest

from runtime.command_options import debug_option
from runtime.commands.cli import Verbs, guarded
from runtime.errors import Notice
from tests.runtime.commands.test_cli import CUBE, save_envi


def raising(error: BaseException) -> click.Command:
    @click.group(cls=Verbs)
    @debug_option
    def group() -> None:
        pass

    @group.command()
    @click.argument("source")
    def verb(source: str) -> None:
        warnings.warn("of a library", RuntimeWarning, stacklevel=1)
        logging.getLogger("library").warning("of a library")
        warnings.warn(Notice("of\nours"), stacklevel=1)
        raise error

    return group


def ended(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[object, list[str]]:
    """Exit code, and lines of standard error."""
    monkeypatch.setattr(sys, "argv", ["linerwkv", *words, "verb", "scene.hdr"])
    with pytest.raises(SystemExit) as stop:
        guarded(lambda: raising(error))
    return stop.value.code, capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    "error", [ValueError("two\nlines"), MemoryError(), RecursionError("deep"), OSError(28, "full", "x"), KeyError("k"),
              ExceptionGroup("many", [ValueError()]), UnicodeDecodeError("utf-8", b"?", 0, 1, "bad"),
              RuntimeError(9000 * "x ")],
)  # fmt: skip
def test_any_error_is_one_line_with_the_file(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, (note, line) = ended(error, monkeypatch, capsys)
    assert (code, note) == (2, "linerwkv: of ours")
    assert line.startswith(f"linerwkv: verb scene.hdr: {type(error).__name__}")
    assert len(line) < 600


def test_debug_shows_the_traceback_before_the_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = ended(ValueError("wrong"), monkeypatch, capsys, "--debug")
    assert code == 2
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-2] == "ValueError: wrong"
    assert lines[-1].startswith("linerwkv: --debug verb scene.hdr: ValueError: wrong")


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (SystemExit(1), 1), (SystemExit(), 0)])
def test_other_ends_have_their_codes(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(error, monkeypatch, capsys)[0] == code


@pytest.mark.parametrize(
    "words", ["commands.cli compress", "commands.cli info", "commands.cli verify", "commands.cli ccsds123",
              "target.recorder", "target.target_run"],
)  # fmt: skip
def test_an_environment_that_a_library_refuses_is_one_line(words: str, tmp_path: Path) -> None:
    envi = save_envi(tmp_path / "scene.hdr", CUBE)
    command = [sys.executable, "-m", *f"runtime.{words}".split(), str(envi)]
    done = subprocess.run(
        command, env=os.environ | {"NUMBA_NUM_THREADS": "0"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "Number of threads" in line

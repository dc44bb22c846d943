"""What is told beside an image never costs the image; what is needed and closed is one line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.runtime.commands.test_cli import CUBE, run, save_envi

PIPE = ("--bands", "1", "--columns", "1", "--bit-depth", "8")
FULL = "No space left on device"


@pytest.fixture
def envi(tmp_path: Path) -> Path:
    return save_envi(tmp_path / "scene.hdr", CUBE)


def redirected(redirection: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the command inside a shell's redirections."""
    command = ["bash", "-c", f'"$@" {redirection}', "bash", sys.executable, "-m", "runtime.commands.cli"]
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, check=False)


def compressed(redirection: str, envi: Path, *options: str) -> list[str]:
    """Lines of standard error of a `compress` that must give the whole image and exit code 0."""
    packed = envi.with_suffix(".lrwk")
    done = redirected(redirection, "compress", envi, packed, "--predictor", "dpcm", "--segment-lines", "1", *options)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.frombuffer(run("decompress", packed, "-").stdout, "<u2").reshape(CUBE.shape), CUBE)
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    ("redirection", "options", "told"),
    [
        (">/dev/full", (), [f"linerwkv: standard output cannot be written: {FULL}"]),
        (">&-", (), ["linerwkv: standard output cannot be written: Bad file descriptor"]),
        ("2>&-", (), []),
        ("2>/dev/full", (), []),
        ("<&- >/dev/full 2>/dev/full", (), []),
        ("", ("--telemetry", "/dev/full"), [f"linerwkv: telemetry /dev/full cannot be written any more: {FULL}"]),
        (">/dev/full", ("--telemetry", "-"), [f"linerwkv: standard output cannot be written: {FULL}"]),
        ("| true; exit ${PIPESTATUS[0]}", ("--telemetry", "-"), []),
        ("2>/dev/full", ("--telemetry", "/dev/full"), []),
    ],
)
def test_reports_and_telemetry_cost_nothing(
    redirection: str, options: tuple[str, ...], told: list[str], envi: Path
) -> None:
    assert compressed(redirection, envi, *options) == told


def test_a_stream_to_standard_output_is_whole_where_standard_error_is_closed(envi: Path) -> None:
    packed = envi.with_suffix(".lrwk")
    done = redirected(f"2>&- >{packed}", "compress", envi, "-", "--predictor", "dpcm", "--telemetry", "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert np.array_equal(np.frombuffer(run("decompress", packed, "-").stdout, "<u2").reshape(CUBE.shape), CUBE)


@pytest.mark.parametrize(
    ("redirection", "arguments", "reason"),
    [
        (">&-", ("compress", "IN", "-", "--predictor", "dpcm"), "standard output is closed"),
        (">/dev/full", ("compress", "IN", "-", "--predictor", "dpcm"), FULL),
        (">&-", ("decompress", "STREAM", "-"), "standard output is closed"),
        (">/dev/full", ("compress", "IN", "-", "--predictor", "dpcm", "--segment-lines", "1", "--threads", "2"), FULL),
        (">/dev/full", ("decompress", "STREAM", "-"), FULL),
        (">/dev/full", ("decompress", "STREAM", "-", "--threads", "2"), FULL),
        ("<&-", ("decompress", "-", "out.hdr"), "standard input is closed"),
        (
            "<&-",
            ("compress", "-", "o", "--bands", "1", "--columns", "1", "--bit-depth", "8"),
            "standard input is closed",
        ),
        (">/dev/full", ("info", "STREAM"), FULL),
        (">&-", ("info", "STREAM", "--json"), "Bad file descriptor"),
    ],
)
def test_what_is_needed_is_one_line_and_exit_code_2(
    redirection: str, arguments: tuple[str, ...], reason: str, envi: Path
) -> None:
    packed = envi.with_suffix(".lrwk")
    compressed("", envi)
    names = {"IN": str(envi), "STREAM": str(packed), "out.hdr": str(envi.with_name("out.hdr"))}
    done = redirected(redirection, *(names.get(word, word) for word in arguments))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("linerwkv: ")
    assert reason in line


def test_a_reader_that_leaves_is_no_error_to_tell(envi: Path) -> None:
    compressed("", envi)
    done = redirected("| head -c 1 | head -c 0", "info", envi.with_suffix(".lrwk"))
    assert done.stderr == ""


def test_text_that_the_terminal_cannot_show_is_shown_otherwise(envi: Path) -> None:
    save_envi(envi, CUBE, description="µm")
    compressed("", envi)
    for encoding in ("ascii", "latin-1"):
        done = subprocess.run(
            [sys.executable, "-m", "runtime.commands.cli", "info", envi.with_suffix(".lrwk")],
            env={"PYTHONIOENCODING": encoding}, capture_output=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(run("info", envi.with_suffix(".lrwk"), "--json").stdout)["header"]

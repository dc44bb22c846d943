"""Commands leave nothing unfinished, never write over what they read, and say what they do not carry."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.runtime.commands.test_cli import CUBE, run, save_envi

DPCM = ("--predictor", "dpcm")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_leaves_nothing(number: signal.Signals, code: int, tmp_path: Path) -> None:
    output = tmp_path / "out.lrwk"
    layout = ("--bands", "4", "--columns", "10", "--bit-depth", "12", *DPCM)
    command = [sys.executable, "-m", "runtime.commands.cli", "compress", "-", str(output), *layout]
    default = partial(signal.signal, number, signal.SIG_DFL)  # a shell's background jobs ignore SIGINT, and so we would
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=default) as process:
        assert process.stdin and process.stderr
        process.stdin.write(CUBE.tobytes())
        process.stdin.flush()
        while not any(tmp_path.iterdir()):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(60) == code
        assert len(process.stderr.read().split(b"linerwkv: ")) == 2
    assert not any(tmp_path.iterdir())


def test_an_interrupt_ends_all_threads(tmp_path: Path) -> None:
    """The file's reader is interrupted while threads code; what they have is not wanted any more."""
    source = save_envi(tmp_path / "s.hdr", np.random.default_rng(0).integers(0, 4096, (1500, 60, 300), np.int16))
    before = set(tmp_path.iterdir())
    words = ["compress", source, tmp_path / "out.lrwk", "--predictor", "rls", "--threads", "2"]
    default = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    command = [sys.executable, "-m", "runtime.commands.cli", *map(str, words)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, preexec_fn=default) as process:
        assert process.stderr
        while not set(tmp_path.iterdir()) - before:
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert len(process.stderr.read().split(b"linerwkv: ")) == 2
    assert set(tmp_path.iterdir()) == before


def test_nohup_stays_in_force(tmp_path: Path) -> None:
    program = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); import click, os\n"
        "from runtime.commands.cli import guarded\n"
        "guarded(lambda: click.command()(lambda: os.kill(os.getpid(), signal.SIGHUP)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_no_command_writes_over_its_input(tmp_path: Path) -> None:
    source = save_envi(tmp_path / "s.hdr", CUBE)
    data, stream, standard = source.with_suffix(".bil"), tmp_path / "s.lrwk", tmp_path / "s.123"
    assert run("compress", source, stream, *DPCM).returncode == 0
    assert run("ccsds123", "encode", source, standard).returncode == 0
    (tmp_path / "link").symlink_to(data)
    (tmp_path / "as.hdr").hardlink_to(stream)
    package = tmp_path / "package"
    package.mkdir()
    (package / "part").touch()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for words in (
        ("compress", data, source, *DPCM),
        ("compress", source, data, *DPCM),
        ("compress", source, tmp_path / "link", *DPCM),
        ("compress", source, tmp_path / "new", *DPCM, "--telemetry", data),
        ("compress", source, tmp_path / "new", *DPCM, "--telemetry", tmp_path / "new"),
        ("compress", source, package / "part", *DPCM, "--package", package),
        ("decompress", stream, tmp_path / "as.hdr"),
        ("ccsds123", "encode", source, data),
        ("ccsds123", "decode", standard, standard),
    ):
        done = run(*words)
        said = done.stderr.decode().splitlines()
        assert done.returncode == 2 and len(said) == 1, said
        assert " is the input " in said[0] or "given twice" in said[0]
    with stream.open("rb") as given:
        command = [sys.executable, "-m", "runtime.commands.cli", "decompress", "-", str(tmp_path / "as.hdr")]
        assert subprocess.run(command, stdin=given, capture_output=True, check=False).returncode == 2
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["s.hdr", "s.npy"])
def test_an_input_that_gets_shorter_is_one_line(name: str, tmp_path: Path) -> None:
    cube = np.random.default_rng(0).integers(0, 4096, (2000, 30, 200)).astype(np.uint16)
    if name == "s.npy":
        np.save(tmp_path / name, cube)
    else:
        save_envi(tmp_path / name, cube, wavelength=[])
    output = tmp_path / "out"
    output.mkdir()
    words = ["compress", str(tmp_path / name), str(output / "o.lrwk"), *DPCM]
    command = [sys.executable, "-m", "runtime.commands.cli", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        while not any(output.iterdir()):
            assert process.poll() is None
            time.sleep(0.01)
        os.truncate(tmp_path / name.replace("hdr", "bil"), 1000)
        assert process.stderr
        (said,) = process.stderr.read().splitlines()
        assert process.wait(60) == 2
    assert b"got shorter while it was read" in said
    assert not any(output.iterdir())


def notes(*words: str | Path) -> list[str]:
    done = run(*words)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stderr.decode().splitlines() if "note:" in line]


def test_what_an_envi_image_says_and_its_stream_does_not_is_one_note(tmp_path: Path) -> None:
    source, stream = save_envi(tmp_path / "s.hdr", CUBE), tmp_path / "s.lrwk"
    assert notes("compress", source, stream, *DPCM) == []
    (raw,) = notes("decompress", stream, "-")
    assert raw.endswith("not carried: wavelength")
    (samples_alone,) = notes("ccsds123", "encode", source, tmp_path / "s.123")
    assert samples_alone.endswith("not carried: wavelength")
    with source.open("a") as file:
        file.write("; taken at noon\ngain = 1\nGain = 2\n")
    source.with_name("s.bil.aux.xml").touch()
    (note,) = notes("compress", source, stream, *DPCM)
    assert note == f"linerwkv: note: {source}: not carried: comments, first values of gain, s.bil.aux.xml"
    np.save(tmp_path / "wide.npy", CUBE.astype(np.int64))
    assert notes("compress", tmp_path / "wide.npy", stream, *DPCM) == []
    report = json.loads(run("compress", source, stream, *DPCM, "--json").stdout)
    assert report["lines"] == len(CUBE)


def test_a_second_array_of_a_file_is_not_left_out(tmp_path: Path) -> None:
    with (tmp_path / "two.npy").open("wb") as file:
        np.save(file, CUBE)
        np.save(file, CUBE)
    done = run("compress", tmp_path / "two.npy", tmp_path / "o.lrwk", *DPCM)
    assert done.returncode == 2 and b"bytes found" in done.stderr


@pytest.mark.parametrize("name", ["o.lines.json", "o.records.json", "o.records.bin"])
def test_a_stream_is_not_replaced_by_what_lies_beside_its_image(name: str, tmp_path: Path) -> None:
    source, stream = save_envi(tmp_path / "s.hdr", CUBE), tmp_path / name
    assert run("compress", source, stream, *DPCM).returncode == 0
    before = stream.read_bytes()
    done = run("decompress", stream, tmp_path / "o.npy")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert stream.read_bytes() == before

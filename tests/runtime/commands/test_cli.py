"""The command as a user runs it: round trips by pipes and files, and one line with exit code 2 for each bad input."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import spectral

from runtime.cell.flight_package import FORMER, SHIPPED, SHIPPED_FLOAT

CUBE = (np.random.default_rng(2).integers(0, 60, (6, 4, 10)) + np.arange(4)[:, None] * 300).astype(np.uint16)


def run(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "runtime.commands.cli", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def save_envi(path: Path, cube: np.ndarray, **entries: object) -> Path:
    header = {
        "lines": cube.shape[0], "bands": cube.shape[1], "samples": cube.shape[2], "interleave": "bil",
        "data type": {"u": 12, "i": 2, "f": 4}[cube.dtype.kind], "byte order": 0, "wavelength": ["1", "2", "3", "4"],
    }  # fmt: skip
    path.with_suffix(".bil").write_bytes(cube.tobytes())
    spectral.envi.write_envi_header(str(path), {**header, **entries})
    return path


@pytest.fixture
def envi(tmp_path: Path) -> Path:
    return save_envi(tmp_path / "scene.hdr", CUBE)


@pytest.fixture
def stream(envi: Path) -> Path:
    target = envi.with_suffix(".lrwk")
    done = run("compress", envi, target, "--segment-lines", "2", "--predictor", "dpcm")
    assert done.returncode == 0, done.stderr
    return target


@pytest.mark.parametrize("quantisation", ["in-loop", "prequantised"])
def test_the_quantisation_is_the_one_asked_for(quantisation: str, envi: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed.lrwk"
    options = ("--max-error", "4", "--quantisation", quantisation, "--predictor", "rls")
    assert run("compress", envi, packed, *options).returncode == 0
    assert json.loads(run("info", packed, "--json").stdout)["segments"][0]["quantisation"] == quantisation
    restored = np.frombuffer(run("decompress", packed, "-").stdout, "<u2").reshape(CUBE.shape)
    assert np.abs(restored.astype(int) - CUBE).max() <= 4


def test_file_to_file(envi: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed.lrwk"
    done = run("compress", envi, packed, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["bytes"] == packed.stat().st_size
    assert report["bits_per_sample"] == round(8 * packed.stat().st_size / CUBE.size, 4)
    assert run("decompress", packed, tmp_path / "back.hdr").returncode == 0
    image = spectral.envi.open(str(tmp_path / "back.hdr"))
    np.testing.assert_array_equal(image.open_memmap(interleave="bil"), CUBE)
    assert image.metadata["wavelength"] == ["1", "2", "3", "4"]
    description = json.loads(run("info", packed, "--json").stdout)
    assert [len(name.split()[0]) for name in description["header"]["packages"]] == [64]
    assert description["segments"][0]["predictor"] == "linerwkv"


def test_pipe_to_pipe() -> None:
    layout = ("--bands", "4", "--columns", "10", "--bit-depth", "11")
    packed = run("compress", "-", "-", *layout, "--max-error", "2", "--predictor", "dpcm", stdin=CUBE.tobytes())
    assert packed.returncode == 0, packed.stderr
    restored = run("decompress", "-", "-", stdin=packed.stdout)
    assert restored.returncode == 0, restored.stderr
    back = np.frombuffer(restored.stdout, "<u2").reshape(CUBE.shape)
    assert 0 < np.abs(back.astype(int) - CUBE).max() <= 2


def bad_inputs(folder: Path) -> dict[str, tuple[tuple[str | Path, ...], str]]:
    """Name: arguments, a part of the one line."""
    out = folder / "out.lrwk"
    missing_data = save_envi(folder / "missing.hdr", CUBE)
    missing_data.with_suffix(".bil").unlink()
    short = save_envi(folder / "short.hdr", CUBE)
    short.with_suffix(".bil").write_bytes(CUBE.tobytes()[:-2])
    floats = save_envi(folder / "float.hdr", CUBE.astype(np.float32) * np.float32(np.pi) ** 2)
    np.save(folder / "nan.npy", np.full((2, 2, 2), np.nan))
    np.save(folder / "deep.npy", np.arange(0, 4 * 70000, 70000).reshape(2, 2, 1) + np.arange(2))
    np.save(folder / "empty.npy", np.zeros((0, 2, 2), np.uint16))
    (folder / "nothing.hdr").write_bytes(b"")
    (folder / "text.hdr").write_text("not a header")
    in_loop = ("--quantisation", "in-loop")
    return {
        "missing file": (("compress", folder / "no.hdr", out), "not found"),
        "missing data file": (("compress", missing_data, out), "missing"),
        "wrong size": (("compress", short, out), "bytes"),
        "float data": (("compress", floats, out), "and not integers of 16 bits times one scale"),
        "NaN": (("compress", folder / "nan.npy", out), "8 of them NaN"),
        "more than 16 bits": (
            ("compress", folder / "deep.npy", out),
            "18 bits after the smallest is taken away",
        ),
        "zero lines": (("compress", folder / "empty.npy", out), "shape (0, 2, 2)"),
        "empty file": (("compress", folder / "nothing.hdr", out), "is empty"),
        "not a header": (("compress", folder / "text.hdr", out), "text.hdr"),
        "no package": (("compress", folder / "scene.hdr", out, "--package", folder / "none"), "not found"),
        "segment length": (("compress", folder / "scene.hdr", out, "--segment-lines", "0"), "allowed 1..65535"),
        "float32 in the loop": (
            ("compress", folder / "scene.hdr", out, "--max-error", "3", *in_loop, "--package", SHIPPED_FLOAT),
            "quantisation in the loop with a float32 package, allowed prequantised",
        ),
        "max error": (("compress", folder / "scene.hdr", out, "--max-error", "5000"), "max_error is 5000"),
        "bsq pipe": (
            ("compress", "-", out, "--bands", "4", "--columns", "9", "--bit-depth", "9", "--interleave", "bsq"),
            "interleave bsq",
        ),
        "pipe without geometry": (("compress", "-", out), "--bands"),
    }


NAMES = [
    "missing file", "missing data file", "wrong size", "float data", "NaN", "more than 16 bits", "zero lines",
    "empty file", "not a header", "no package", "segment length", "float32 in the loop", "max error", "bsq pipe",
    "pipe without geometry",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_bad_input(name: str, envi: Path, tmp_path: Path) -> None:
    cases = bad_inputs(tmp_path)
    assert set(cases) == set(NAMES)
    before = set(tmp_path.iterdir())
    arguments, text = cases[name]
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    message = done.stderr.decode().strip().splitlines()
    assert text in message[-1], message
    assert len(message) == 1 or message[0].startswith("Usage")
    assert set(tmp_path.iterdir()) == before, "output was left behind"


def damaged(stream: bytes, name: str) -> bytes:
    changed = bytearray(stream)
    if name == "truncated":
        return stream[:-30]
    if name == "empty":
        return b""
    if name == "header bit":
        changed[20] ^= 1
    if name == "segment bit":
        changed[len(stream) // 2] ^= 1
    if name == "newer version":
        changed[4] = 9
    return bytes(changed)


@pytest.mark.parametrize("name", ["truncated", "empty", "header bit", "segment bit", "newer version"])
def test_bad_stream(name: str, stream: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.lrwk"
    bad.write_bytes(damaged(stream.read_bytes(), name))
    before = set(tmp_path.iterdir())
    for verb in (("decompress", bad, tmp_path / "back.hdr"), ("info", bad)):
        done = run(*verb)
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.decode().strip().splitlines()) == 1
    assert set(tmp_path.iterdir()) == before, "output was left behind"


def test_wrong_package(envi: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed.lrwk"
    other = tmp_path / "other"
    other.mkdir()
    for part in SHIPPED.iterdir():
        if part.is_file():
            (other / part.name).write_bytes(part.read_bytes())
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**manifest, "name": "another"}))
    assert run("compress", envi, packed, "--package", other).returncode == 0
    for words in ((), ("--package", SHIPPED)):
        done = run("decompress", packed, tmp_path / "back.hdr", *words)
        assert done.returncode == 2
        assert b"needs the flight package" in done.stderr
        assert not (tmp_path / "back.hdr").exists()
    assert run("decompress", packed, tmp_path / "back.hdr", "--package", other).returncode == 0


@pytest.mark.parametrize("name", ["flight", "flight-large", "small", *sorted(FORMER.iterdir())])
def test_shipped_packages_are_found_by_what_a_stream_names(name: str | Path, envi: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed.lrwk"
    assert run("compress", envi, packed, "--package", name, "--segment-lines", "3").returncode == 0
    done = run("decompress", packed, "-")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.frombuffer(done.stdout, "<u2").reshape(CUBE.shape), CUBE)


def test_salvage_names_the_missing_lines(stream: Path, tmp_path: Path) -> None:
    data = bytearray(stream.read_bytes())
    second = data.find(b"\xc5SEG", data.find(b"\xc5SEG") + 1)
    data[second + 40] ^= 1
    stream.write_bytes(bytes(data))
    assert run("decompress", stream, tmp_path / "back.hdr").returncode == 2
    done = run("decompress", stream, tmp_path / "back.hdr", "--salvage", "--json")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["missing_lines"] == [[2, 3]]
    assert b"lines 2..3 are missing" in done.stderr
    back = np.asarray(spectral.envi.open(str(tmp_path / "back.hdr")).open_memmap(interleave="bil"))
    np.testing.assert_array_equal(back[[0, 1, 4, 5]], CUBE[[0, 1, 4, 5]])
    assert (back[2:4] == 0).all()
    mask = json.loads((tmp_path / "back.lines.json").read_text())
    assert mask == {"lines": 6, "fill": 0, "missing": [[2, 3]], "missing_from": None}


def test_demo_and_help(tmp_path: Path) -> None:
    done = run("demo", "--lines", "3", "--output", tmp_path / "demo", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout.decode().strip().splitlines()[-1])
    assert [row["largest_error"] for row in rows] == [0, 3, 0, 0, 0]
    assert (tmp_path / "demo" / "demo.png").read_bytes().startswith(b"\x89PNG")
    listing = run("--help").stdout.decode()
    for verb in ("compress", "decompress", "info", "demo", "train", "quantize", "export", "verify"):
        assert verb in listing


def test_verify_says_which_executors_are_equal() -> None:
    done = run("verify", "--executor", "onnxruntime", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert {row["tile"] for row in rows} == {"1", "all", ""}  # the last is the spectral part, of no tile
    assert all(row["is_equal"] and row["finding"] == "equal" for row in rows)
    refused = run("verify", SHIPPED_FLOAT)
    assert refused.returncode == 2
    assert b"is of arithmetic float32, allowed int8-v2" in refused.stderr


@pytest.mark.parametrize("stage", ["fast", "best"])
def test_the_adaptive_stage_codes_without_a_network(stage: str, envi: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed.lrwk"
    assert run("compress", envi, packed, "--predictor", "rls", "--stage", stage).returncode == 0
    description = json.loads(run("info", packed, "--json").stdout)
    assert description["header"]["packages"] == []
    assert [segment["stage"] for segment in description["segments"]] == [stage]
    assert run("decompress", packed, tmp_path / "back.hdr").returncode == 0
    image = spectral.envi.open(str(tmp_path / "back.hdr"))
    np.testing.assert_array_equal(image.open_memmap(interleave="bil"), CUBE)
    refused = run("compress", envi, packed, "--predictor", "dpcm", "--stage", stage)
    assert refused.returncode == 2 and b"predictor dpcm with adaptive stage" in refused.stderr


@pytest.mark.parametrize("verb", ["info", "decompress", "decompress --salvage", "ccsds123 info", "ccsds123 decode"])
@pytest.mark.parametrize("n_bytes", [0, 40, 300])
def test_what_is_wrong_with_a_files_bytes_names_the_file(verb: str, n_bytes: int, tmp_path: Path) -> None:
    source = tmp_path / "downlinked.bin"
    source.write_bytes((bytes(range(255, -1, -1)) * 2)[:n_bytes])
    done = run(*verb.split(), source, *(() if "info" in verb else (tmp_path / "back.hdr",)))
    (line,) = done.stderr.decode().splitlines()
    assert (done.returncode, line.split(": ")[:2]) == (2, ["linerwkv", str(source)])

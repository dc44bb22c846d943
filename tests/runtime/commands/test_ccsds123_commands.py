import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from runtime.ccsds123 import read_header
from runtime.commands.ccsds123_commands import ccsds123
from runtime.errors import LineRwkvError
from runtime.images.scene_reader import open_scene


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(ccsds123, [str(argument) for argument in arguments])


@pytest.fixture
def scene(tmp_path: Path) -> tuple[Path, np.ndarray[Any, np.dtype[np.int16]]]:
    """An ENVI pair, lines (Y, Z, X)."""
    lines = np.random.default_rng(7).integers(-20, 400, (6, 3, 5)).astype("<i2")
    lines.tofile(tmp_path / "scene.bil")
    (tmp_path / "scene.hdr").write_text(
        "ENVI\nsamples = 5\nlines = 6\nbands = 3\nheader offset = 0\nfile type = ENVI Standard\n"
        "data type = 2\ninterleave = bil\nbyte order = 0\n"
    )
    return tmp_path / "scene.hdr", lines


@pytest.mark.parametrize("interleave", ["bil", "bip", "bsq"])
@pytest.mark.parametrize("options", [[], ["--order", "BSQ"], ["--M", "3", "--coder", "hybrid"], ["--preset", "fast"]])
def test_envi_round_trip(scene: Any, tmp_path: Path, interleave: str, options: list[str]) -> None:
    header, lines = scene
    assert run("encode", header, tmp_path / "a.123", *options).exit_code == 0
    result = run("decode", tmp_path / "a.123", tmp_path / "b.hdr", "--interleave", interleave)
    assert result.exit_code == 0, result.exception
    np.testing.assert_array_equal(open_scene(tmp_path / "b.hdr").samples, lines)
    assert not list(tmp_path.glob(".*"))


def test_raw_round_trip_near_lossless(tmp_path: Path) -> None:
    samples = np.random.default_rng(8).integers(0, 400, (3, 6, 5)).astype(">u2")
    samples.tofile(tmp_path / "in.raw")
    sizes = ["--Nx", 5, "--Ny", 6, "--Nz", 3, "--dtype", ">u2", "--interleave", "bsq"]
    result = run(
        "encode", tmp_path / "in.raw", tmp_path / "a.123", *sizes, "--preset", "near-lossless", "--a", "[1,2,3]"
    )
    assert result.exit_code == 0, result.exception
    assert run("decode", tmp_path / "a.123", tmp_path / "out.raw", "--interleave", "bsq").exit_code == 0
    decoded = np.fromfile(tmp_path / "out.raw", "<u2").reshape(samples.shape)
    errors = np.abs(decoded.astype(int) - samples.astype(int)).max(axis=(1, 2))
    assert (errors <= [1, 2, 3]).all() and errors.any()


def test_info_prints_the_standards_words_and_json_that_encode_takes(scene: Any, tmp_path: Path) -> None:
    header, _ = scene
    tables = ["--theta", 2, "--phi", "[1,2,3]", "--r", 40, "--weight-exp-offsets", "[[0],[1,2],[3,4,5]]"]
    assert run("encode", header, tmp_path / "a.123", *tables).exit_code == 0
    text = run("info", tmp_path / "a.123").output
    for words in ("X Size: 5", "Quantizer Fidelity Control Method: relative", "Damping Table: (1, 2, 3)"):
        assert words in text
    described = json.loads(run("info", tmp_path / "a.123", "--json").output)
    (tmp_path / "parameters.json").write_text(json.dumps(described["parameters"]))
    again = run("encode", header, tmp_path / "b.123", "--parameters", f"@{tmp_path / 'parameters.json'}")
    assert again.exit_code == 0, again.exception
    assert (tmp_path / "b.123").read_bytes() == (tmp_path / "a.123").read_bytes()


def test_tables_left_out_are_given_to_decode(scene: Any, tmp_path: Path) -> None:
    header, lines = scene
    left_out = ["--k-table", "[1,2,3]", "--tables-left-out", '["k_table"]']
    assert run("encode", header, tmp_path / "a.123", *left_out).exit_code == 0
    assert read_header((tmp_path / "a.123").read_bytes()).missing_tables == ("k_table",)
    assert isinstance(run("decode", tmp_path / "a.123", tmp_path / "b.hdr").exception, LineRwkvError)
    assert run("decode", tmp_path / "a.123", tmp_path / "b.hdr", "--tables", '{"k_table":[1,2,3]}').exit_code == 0
    np.testing.assert_array_equal(open_scene(tmp_path / "b.hdr").samples, lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ["encode", "missing.hdr", "x"],
        ["encode", "missing.raw", "x", "--Nx", 1, "--Ny", 1, "--Nz", 1],
        ["encode", "scene.hdr", "x", "--P", 16],
        ["encode", "scene.hdr", "x", "--a", "[1"],
        ["encode", "scene.hdr", "x", "--D", 4],
        ["decode", "missing", "x"],
        ["decode", "scene.bil", "x.raw"],
        ["info", "scene.hdr"],
        ["decode", "short", "x.raw"],
        ["decode", "whole", "x.raw", "--tables", "[1]"],
        ["encode", "scene.hdr", "x", "--parameters", "3"],
    ],
    ids=str,
)
def test_bad_input_is_one_line_and_leaves_no_file(
    scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    run("encode", "scene.hdr", "whole")
    Path("short").write_bytes(Path("whole").read_bytes()[:-4])
    before = sorted(tmp_path.iterdir())
    result = run(*arguments)
    assert isinstance(result.exception, LineRwkvError), result.output
    assert "\n" not in str(result.exception)
    assert sorted(tmp_path.iterdir()) == before


def test_the_depth_of_the_smallest_signed_sample_is_its_own(tmp_path: Path) -> None:
    np.full((2, 2, 2), -32768, "<i2").tofile(tmp_path / "in.raw")
    sizes = ["--Nx", 2, "--Ny", 2, "--Nz", 2, "--dtype", "<i2", "--json"]
    result = run("encode", tmp_path / "in.raw", tmp_path / "a.123", *sizes)
    assert json.loads(result.output)["samples"] == 8
    image = read_header((tmp_path / "a.123").read_bytes()).image
    assert (image.depth, image.is_signed) == (16, True)

"""Whole images and single lines through the public face."""

import io
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import linerwkv
from hil_tests.places.place import REPOSITORY
from runtime.codec.report import Report
from runtime.errors import BadArgument, Incomplete, Notice
from tests.linerwkv.conftest import N_LINES, Cube


def test_a_cube_comes_back_within_its_error(cube: Cube, tmp_path: Path) -> None:
    path = tmp_path / "scene.lrwk"
    report = linerwkv.compress(cube, path, predictor="dpcm", max_error=2)
    assert report.n_bytes == path.stat().st_size
    found = linerwkv.decompress(path)
    assert isinstance(found, np.ndarray)
    assert 0 < np.abs(found.astype(int) - cube).max() <= 2
    assert linerwkv.info(path)["segments"][0]["max_error"] == 2


def test_image_files_go_both_ways(cube: Cube, tmp_path: Path) -> None:
    np.save(tmp_path / "scene.npy", cube)
    linerwkv.compress(tmp_path / "scene.npy", tmp_path / "scene.lrwk", predictor="dpcm", threads=1)
    linerwkv.decompress(tmp_path / "scene.lrwk", tmp_path / "back.npy")
    assert np.array_equal(np.load(tmp_path / "back.npy"), cube)
    with pytest.raises(BadArgument, match="is the input"):
        linerwkv.compress(tmp_path / "scene.npy", tmp_path / "scene.npy")


def test_floats_with_a_scale_come_back(tmp_path: Path) -> None:
    cube = np.random.default_rng(0).integers(0, 1000, (4, 3, 5)).astype(np.float32) * np.float32(0.5)
    linerwkv.compress(cube, tmp_path / "scene.lrwk", predictor="dpcm")
    found = linerwkv.open(tmp_path / "scene.lrwk")
    assert found.dtype == np.float32
    assert np.array_equal(found[:], cube)


def test_lines_go_through_encoder_and_decoder(cube: Cube) -> None:
    with linerwkv.Encoder(5, 7, 12, predictor="dpcm", segment_lines=16) as encoder:
        data = encoder.header + b"".join(encoder.push(line, b"t%d" % y) for y, line in enumerate(cube))
        data += encoder.finish()
    assert np.array_equal(np.stack(list(linerwkv.Decoder(io.BytesIO(data)))), cube)
    records = linerwkv.open(io.BytesIO(data)).line_records
    assert list(records[14:18]) == [b"t14", b"t15", b"t16", b"t17"]
    assert records[-1] == b"t49"
    with pytest.raises(IndexError):
        records[50]


@pytest.mark.parametrize("shape", [(4, 5), (0, 3, 4), (2, 2, 2, 2)])
def test_what_is_no_cube_is_one_line(shape: tuple[int, ...], tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match="allowed integers or floats"):
        linerwkv.compress(np.zeros(shape, np.uint8), tmp_path / "scene.lrwk")


def test_the_package_runs_as_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "linerwkv", "--help"], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0
    assert "decompress" in done.stdout


def test_the_face_needs_the_base_install_alone() -> None:
    words = "import sys, linerwkv; print([n for n in ('fsspec', 'xarray', 'dask', 'zarr', 'PIL') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", words], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def with_gap(cube: Cube, path: Path) -> Path:
    """A stream whose lines 20..22 never came."""
    with linerwkv.Encoder(5, 7, 12, predictor="dpcm", segment_lines=16) as encoder:
        data = encoder.header + b"".join(map(encoder.push, cube[:20])) + encoder.skip(3)
        path.write_bytes(data + b"".join(map(encoder.push, cube[23:])) + encoder.finish())
    return path


def test_lines_that_never_came_are_an_error_or_the_fill_value_that_is_asked_for(cube: Cube, tmp_path: Path) -> None:
    path = with_gap(cube, tmp_path / "gap.lrwk")
    with pytest.raises(Incomplete, match=r"gap\.lrwk: lines 20\.\.22 are missing"):
        linerwkv.decompress(path)
    with pytest.warns(Notice, match=r"lines 20\.\.22 are missing"):
        found = linerwkv.decompress(path, fill=7, threads=1)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found[:20], cube[:20]) and np.array_equal(found[23:], cube[23:])
    assert np.all(found[20:23] == 7)


@pytest.mark.parametrize("damage", ["segment and cut", "stream header"])
def test_an_array_salvages_what_a_file_does_and_says_what_is_missing(damage: str, cube: Cube, tmp_path: Path) -> None:
    path = tmp_path / "scene.lrwk"
    with linerwkv.Encoder(5, 7, 12, predictor="dpcm", segment_lines=8) as encoder:
        data = bytearray(encoder.header + b"".join(map(encoder.push, cube)) + encoder.finish())
    place = linerwkv.open(io.BytesIO(data)).found.places[1]
    data[place.offset + 10 if damage == "segment and cut" else 20] ^= 255
    path.write_bytes(data[:-50] if damage == "segment and cut" else data)
    report = linerwkv.decompress(path, tmp_path / "back.npy", salvage=True)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = linerwkv.decompress(path, salvage=True)
    assert isinstance(found, np.ndarray) and isinstance(report, Report)
    assert np.array_equal(found, np.load(tmp_path / "back.npy"))
    is_there = np.ones(N_LINES, bool)
    is_there[8:16] = damage == "stream header"
    assert np.array_equal(found[is_there], cube[is_there])
    texts = [str(one.message).removeprefix(f"{path}: ") for one in told]
    expected = ["lines 8..15 are missing", "lines from 50 on may be missing"]
    assert texts == (expected if damage == "segment and cut" else [])

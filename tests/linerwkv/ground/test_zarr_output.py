"""`decompress` to a group of Zarr: samples, what is beside them, lines that are missing, folders that stay."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import linerwkv
from runtime.commands.cli import cli
from tests.linerwkv.conftest import N_BANDS, N_COLUMNS, N_LINES, SEGMENT_LINES, WAVELENGTHS, Cube
from tests.linerwkv.ground.conftest import hostile_stream

zarr = pytest.importorskip("zarr")


def run(*words: object) -> Any:
    return CliRunner().invoke(cli, ["decompress", *map(str, words)])


def test_the_image_and_what_is_known_of_it(stream: Path, cube: Cube, tmp_path: Path) -> None:
    done = run(stream, tmp_path / "scene.zarr")
    assert done.exit_code == 0, done.output
    group = zarr.open_group(str(tmp_path / "scene.zarr"), mode="r")
    assert np.array_equal(group["samples"][:], cube)
    assert group["samples"].dtype == cube.dtype
    assert group["samples"].fill_value == 65535
    assert list(group["wavelength"][:]) == WAVELENGTHS
    assert group["wavelength"].attrs["units"] == "Nanometers"
    assert list(group["fwhm"][:]) == [10.0] * N_BANDS
    assert group.attrs["metadata"]["map info"][0] == "UTM"
    assert not (tmp_path / "scene.lines.json").exists()


def test_xarray_opens_it_and_takes_no_sample_for_missing(cube: Cube, tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    lines = cube.copy()
    lines[3] = 0
    linerwkv.compress(lines, tmp_path / "scene.lrwk", predictor="dpcm")
    assert run(tmp_path / "scene.lrwk", tmp_path / "scene.zarr").exit_code == 0
    with xarray.open_zarr(str(tmp_path / "scene.zarr")) as dataset:
        assert dataset["samples"].dims == ("line", "band", "column")
        assert dataset["samples"].dtype == cube.dtype
        assert np.array_equal(dataset["samples"].values, lines)


def test_a_part_of_it(stream: Path, cube: Cube, tmp_path: Path) -> None:
    done = run(stream, "-o", tmp_path / "part.zarr", "--lines", "6:20", "--bands", "4,0:2", "--columns", "1:5")
    assert done.exit_code == 0, done.output
    group = zarr.open_group(str(tmp_path / "part.zarr"), mode="r")
    assert np.array_equal(group["samples"][:], cube[6:20, [4, 0, 1], 1:5])
    assert list(group["wavelength"][:]) == [WAVELENGTHS[4], *WAVELENGTHS[:2]]


def test_chunks_are_whole_lines(cube: Cube, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.images.zarr_writer.CHUNK_BYTES", 3 * cube[0].nbytes + 1)
    linerwkv.compress(cube, tmp_path / "scene.lrwk", predictor="dpcm")
    assert run(tmp_path / "scene.lrwk", tmp_path / "scene.zarr").exit_code == 0
    array = zarr.open_group(str(tmp_path / "scene.zarr"), mode="r")["samples"]
    assert array.chunks == (3, N_BANDS, N_COLUMNS)
    assert np.array_equal(array[:], cube)


def test_what_is_damaged_has_the_fill_value_and_is_named(stream: Path, cube: Cube, tmp_path: Path) -> None:
    data = bytearray(stream.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "torn.lrwk").write_bytes(data)
    assert "--salvage" in str(run(tmp_path / "torn.lrwk", tmp_path / "scene.zarr").exception)
    assert not (tmp_path / "scene.zarr").exists()
    assert run(tmp_path / "torn.lrwk", tmp_path / "scene.zarr", "--salvage", "--fill", 9).exit_code == 1
    ((first, last),) = json.loads((tmp_path / "scene.lines.json").read_text())["missing"]
    assert last - first + 1 == SEGMENT_LINES
    expected = cube.copy()
    expected[first : last + 1] = 9
    assert np.array_equal(zarr.open_group(str(tmp_path / "scene.zarr"), mode="r")["samples"][:], expected)


def test_an_older_group_is_replaced_and_no_other_folder(stream: Path, tmp_path: Path) -> None:
    path = tmp_path / "scene.zarr"
    assert run(stream, path).exit_code == 0
    assert run(stream, path, "--lines", "0:4").exit_code == 0
    assert zarr.open_group(str(path), mode="r")["samples"].shape[0] == 4
    (path / "samples.lrwk").write_bytes(stream.read_bytes())
    refused = run(stream, path)
    assert refused.exit_code != 0
    assert "holds other files" in str(refused.exception)
    (path / "samples.lrwk").unlink()
    (path / ".zattrs").write_text("[]")
    assert run(stream, path).exit_code != 0
    other = tmp_path / "other.zarr"
    zarr.open_group(str(other), mode="w")
    assert run(stream, other).exit_code != 0
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize(
    "metadata",
    [{"wavelength": [1, 2]}, {"fwhm": "x"}, {"wavelength": [0.5] * N_BANDS, "wavelength units": {"a": [None]}},
     {"\ud800": "\ud800", ".zarray": {}}, {"written_by": "somebody"}],
)  # fmt: skip
def test_metadata_may_be_anything(metadata: dict[str, Any], cube: Cube, tmp_path: Path) -> None:
    (tmp_path / "scene.lrwk").write_bytes(hostile_stream(cube.astype(np.int32), metadata))
    done = run(tmp_path / "scene.lrwk", tmp_path / "scene.zarr")
    assert done.exit_code == 0, done.output
    group = zarr.open_group(str(tmp_path / "scene.zarr"), mode="r")
    assert np.array_equal(group["samples"][:], cube)
    assert group["samples"].shape == (N_LINES, N_BANDS, N_COLUMNS)
    assert group.attrs["metadata"] == metadata

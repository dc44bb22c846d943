"""Which two files are a pair is decided by the name that was given, the same for every command."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.scenes.scene_cache import mappable, read_samples
from runtime.errors import BadArgument
from runtime.images.scene_reader import open_scene
from runtime.images.scene_writer import writing_envi
from tests.runtime.images.envi_files import CUBE, by_gdal, by_spectral, write_pair

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def restore(header: Path, cube: np.ndarray[Any, Any] = CUBE, interleave: str = "bil") -> None:
    with writing_envi(header, (3, 5), cube.dtype, {}, interleave, len(cube)) as file:
        for line in cube:
            file.append(line)


def test_the_data_file_that_is_named_is_read(tmp_path: Path) -> None:
    write_pair(tmp_path, "two.hdr", "two.img")
    (tmp_path / "two.dat").write_bytes((CUBE + 500).tobytes())
    np.testing.assert_array_equal(open_scene(tmp_path / "two.dat").samples, CUBE + 500)
    np.testing.assert_array_equal(open_scene(tmp_path / "two.img").samples, CUBE)
    np.testing.assert_array_equal(read_samples(tmp_path / "two.dat"), CUBE + 500)
    assert mappable(tmp_path / "two.dat", tmp_path / "cache") == tmp_path / "two.dat"


def test_several_data_files_of_a_header_are_one_line_that_lists_them(tmp_path: Path) -> None:
    header = write_pair(tmp_path, "two.hdr", "two.img")
    for name in ("two.DAT", "two", "two.txt"):
        (tmp_path / name).write_bytes(CUBE.tobytes())
    with pytest.raises(BadArgument, match=r"two\.hdr: 3 data files, two, two\.DAT, two\.img, allowed one"):
        open_scene(header)


def test_a_header_of_its_own_goes_before_a_shared_name(tmp_path: Path) -> None:
    other = CUBE[:2, :, :3]
    own = write_pair(tmp_path, "two.img.hdr", "two.img")
    shared = write_pair(tmp_path, "two.hdr", "two.dat", other)
    for path, cube in ((tmp_path / "two.img", CUBE), (own, CUBE), (shared, other), (tmp_path / "two.dat", other)):
        np.testing.assert_array_equal(open_scene(path).samples, cube, err_msg=str(path))


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ("s.hdr", "s"), ("S.HDR", "S.IMG"), ("s.Hdr", "s.dat"), ("s.hdr", "s.bsq"), ("s.hdr", "s.BIN"),
        ("s.2020.hdr", "s.2020.raw"), ("s.raw.HDR", "s.raw"),
    ],
)  # fmt: skip
def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, header: str, data: str) -> None:
    write_pair(tmp_path, header, data)
    monkeypatch.chdir(tmp_path)
    for path in (Path(header), Path(data), tmp_path / header, tmp_path / data):
        np.testing.assert_array_equal(open_scene(path).samples, CUBE)


def test_what_is_missing_or_twice_there_is_one_line(tmp_path: Path) -> None:
    alone = write_pair(tmp_path, "alone.hdr", "other.xyz")
    with pytest.raises(BadArgument, match=r"alone\.hdr: data file missing beside it, allowed alone with \.img, "):
        open_scene(alone)
    with pytest.raises(BadArgument, match=r"other\.xyz: no ENVI header beside it, allowed \.hdr, \.npy, \.tif"):
        open_scene(tmp_path / "other.xyz")
    for name, begin, kind in (
        ("s.nc", b"CDF\x01", "NetCDF before version 4: convert it by nccopy"),
        ("s.hdf", b"\x0e\x03\x13\x01", "HDF4: convert it"),
    ):
        (tmp_path / name).write_bytes(begin + bytes(100))
        with pytest.raises(BadArgument, match=rf"allowed \.hdr, \.npy, \.tif, HDF5; this is {kind}"):
            open_scene(tmp_path / name)
    write_pair(tmp_path, "s.hdr", "s.img")
    write_pair(tmp_path, "s.HDR", "s.img")
    with pytest.raises(BadArgument, match=r"s\.img: 2 headers, s\.HDR, s\.hdr, allowed one"):
        open_scene(tmp_path / "s.img")


@pytest.mark.parametrize("interleave", ["bil", "bip", "bsq"])
@pytest.mark.parametrize("header", ["back.hdr", "BACK.HDR", "back.2.hdr"])
def test_a_restored_pair_is_read_the_same_by_all(tmp_path: Path, header: str, interleave: str) -> None:
    path = tmp_path / header
    restore(path, CUBE[:2], interleave)
    restore(path, CUBE, interleave)  # in place of the first
    data = path.with_suffix(f".{interleave}")
    assert sorted(tmp_path.iterdir()) == sorted([path, data])
    for found in (open_scene(path).samples, open_scene(data).samples, by_spectral(path), by_gdal(data)):
        np.testing.assert_array_equal(found, CUBE)


@pytest.mark.parametrize("old", ["back", "back.img", "back.RAW", "back.bsq", "back.sli", "back.bil.hdr", "back.HDR"])
def test_no_pair_is_written_beside_a_file_that_would_be_taken_for_a_part(tmp_path: Path, old: str) -> None:
    (tmp_path / old).write_bytes(b"old")
    with pytest.raises(BadArgument, match=f"back.hdr: {old} beside it would be taken for its data or header"):
        restore(tmp_path / "back.hdr")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(old, b"old")]


def test_samples_go_into_no_file_named_otherwise(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=r"out\.img: allowed a name ending in \.hdr"):
        restore(tmp_path / "out.img")
    with pytest.raises(BadArgument, match=r"output .* cannot be written: No such file"):
        restore(tmp_path / "none" / "out.hdr")
    assert not list(tmp_path.iterdir())


def test_an_image_that_fails_leaves_the_old_pair(tmp_path: Path) -> None:
    restore(tmp_path / "back.hdr")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ZeroDivisionError), writing_envi(tmp_path / "back.hdr", (3, 5), CUBE.dtype, {}) as file:
        file.append(CUBE[0])
        raise ZeroDivisionError
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before

"""`compress FILE.nc:/PATH OUT` gives the dataset back, never over its file, and says in one line what it needs."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from runtime.images.scene_reader import open_scene
from tests.runtime.commands.test_cli import run
from tests.runtime.images.hdf5_files import AS_TEXT, CUBE, write_cube, write_hypso, write_prisma

DPCM = ("--predictor", "dpcm")


@pytest.mark.parametrize("part", ["", ":/products/Lt", ":Lt"])
def test_a_dataset_comes_back_with_its_wavelengths(tmp_path: Path, part: str) -> None:
    source = write_hypso(tmp_path / "a.nc")
    done = run("compress", f"{source}{part}", tmp_path / "a.lrwk", *DPCM)
    assert done.returncode == 0, done.stderr
    taken, *others = done.stderr.decode().splitlines() if not part else ["", *done.stderr.decode().splitlines()]
    assert taken.startswith(f"linerwkv: note: {source}: dataset /products/Lt (7 x 5 x 4 uint16) taken") or part
    assert [line.split("(")[0] for line in others] == [f"linerwkv: note: {source}{part}: not carried: other datasets "]
    assert run("decompress", tmp_path / "a.lrwk", tmp_path / "a.hdr").returncode == 0
    restored = open_scene(tmp_path / "a.hdr")
    np.testing.assert_array_equal(restored.samples, CUBE)
    assert restored.metadata["fwhm"] == ["5.5"] * 4 and restored.metadata["long_name"].startswith("Top of")


def test_axes_are_an_option_of_both_encoders(tmp_path: Path) -> None:
    source = write_cube(tmp_path / "s.h5", "XZY")
    for words, verb in (("compress", "decompress"), ("ccsds123 encode", "ccsds123 decode")):
        options = DPCM if words == "compress" else ()
        done = run(*words.split(), source, tmp_path / "s.out", "--axes", "xzy", *options)
        assert done.returncode == 0, done.stderr
        assert run(*verb.split(), tmp_path / "s.out", tmp_path / "s.hdr").returncode == 0
        np.testing.assert_array_equal(open_scene(tmp_path / "s.hdr").samples, CUBE)
        (tmp_path / "s.hdr").unlink()


def test_unusable_inputs_are_one_line(tmp_path: Path) -> None:
    prisma, out = write_prisma(tmp_path / "p.he5"), tmp_path / "out"
    (tmp_path / "broken.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(2000))
    (tmp_path / "classic.nc").write_bytes(b"CDF\x01" + bytes(100))
    for words, text in (
        ((prisma, out), "6 datasets of three axes, name one as "),
        ((f"{prisma}:nir", out), "no datasets nir, allowed "),
        ((f"{prisma}:vnir", prisma), "is the input"),
        ((tmp_path / "broken.nc", out), "allowed .hdr, .npy, .tif, HDF5 that is whole"),
        ((tmp_path / "classic.nc", out), "convert it by nccopy"),
        ((tmp_path / "none.nc:/a", out), "none.nc:/a not found"),
        ((tmp_path, out), "is a folder with no files *-METADATA.XML"),
    ):
        before = prisma.read_bytes()
        done = run("compress", *words, *DPCM)
        assert done.returncode == 2
        (line,) = done.stderr.decode().splitlines()
        assert line.startswith("linerwkv: ") and text in line
        assert prisma.read_bytes() == before and not out.exists()
    done = run("compress", "-", out, "--bands", "1", "--columns", "1", "--bit-depth", "8", "--axes", "ZYX")
    assert done.returncode == 2 and b"--axes is of HDF5 and NetCDF" in done.stderr


def test_flags_and_bad_bands_are_in_the_stream(tmp_path: Path) -> None:
    source = write_prisma(tmp_path / "p.he5")
    with h5py.File(source, "r+") as file:
        file["quality_flags"] = np.array([0, 2, 0, 1], np.uint8)
    assert run("compress", f"{source}:vnir", tmp_path / "p.lrwk", *DPCM).returncode == 0
    metadata = json.loads(run("info", tmp_path / "p.lrwk", "--json").stdout)["header"]["metadata"]
    assert metadata["wavelength"] == AS_TEXT[::-1] and metadata["bbl"] == ["0", "1", "1", "1"]
    assert metadata["quality_flags"] == ["0", "2", "0", "1"]

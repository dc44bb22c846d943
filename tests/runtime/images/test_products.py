"""Products by name: files of the structure that their makers document, made here, give samples and lists of bands."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.errors import BadArgument
from runtime.images.carried_keys import entries_of
from runtime.images.scene_reader import open_numbers, open_scene
from tests.runtime.images.hdf5_files import AS_TEXT, CUBE, write_emit, write_hypso, write_prisma
from tests.runtime.images.product_files import (
    DESIS,
    L1B,
    L2A,
    enmap_bands,
    write_desis,
    write_enmap,
    write_enmap_l2a,
    write_tif,
    write_xml,
)

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def read(path: Path | str, **options: Any) -> np.ndarray[Any, np.dtype[Any]]:
    return np.stack(list(open_numbers(Path(path), **options).lines()))


@pytest.mark.parametrize("level", ["L1", "L2D"])
def test_prisma(tmp_path: Path, level: str) -> None:
    path = write_prisma(tmp_path / f"PRS_{level}_STD_20200101000000_20200101000004_0001.he5", level)
    with pytest.raises(
        BadArgument, match=r"datasets of three axes, name one as .*VNIR_Cube \(7 x 4 x 5 uint16\), in s"
    ) as e:
        open_scene(path)
    assert f"{path.name}:vnir" in str(e.value) and f"{path.name}:swir" in str(e.value)
    scene = open_scene(Path(f"{path}:vnir"))
    np.testing.assert_array_equal(scene.samples, CUBE)
    assert scene.metadata == {
        "wavelength": AS_TEXT[::-1], "wavelength units": "Nanometers", "fwhm": ["9.5"] * 4, "bbl": ["0", "1", "1", "1"],
        "Product_ID": f"PRS_{level}", "ScaleFactor_Vnir": "100.0", "L2ScaleVnirMax": "1.5",
    }  # fmt: skip
    assert scene.notes == () and "VNIR_PIXEL_SAT_ERR_MATRIX" in " ".join(scene.not_carried)
    swir = open_scene(Path(f"{path}:/HDFEOS/SWATHS/PRS_{level}_HCO/Data Fields/SWIR_Cube"))
    assert swir.shape == (7, 8, 5) and swir.metadata["wavelength"][0] == "2400.0"
    np.testing.assert_array_equal(read(f"{path}:swir"), swir.samples)
    if level == "L1":
        np.testing.assert_array_equal(read(f"{path}:vnir-hrc"), CUBE + 1)
    np.testing.assert_array_equal(read(f"{path}:vnir", axes="XZY"), CUBE.transpose(2, 1, 0))


@pytest.mark.parametrize("name", ["radiance", "reflectance"])
def test_emit(tmp_path: Path, name: str) -> None:
    path = write_emit(tmp_path / "EMIT_L1B_RAD_001_20220101T000000_2200101_001.nc", name)
    scene = open_numbers(path)
    np.testing.assert_array_equal(scene.samples, CUBE / np.float32(100))
    assert scene.source.dtype == np.float32
    assert scene.metadata == {
        "wavelength": AS_TEXT, "wavelength units": "Nanometers", "fwhm": ["7.4"] * 4, "bbl": ["1", "0", "1", "1"],
        "data ignore value": "-9999.0", "data units": "uW/cm^2/SR/nm",
    }  # fmt: skip
    (note,) = scene.notes
    assert note == (
        f"dataset /{name} (7 x 5 x 4 float32) taken, the only one of three axes, as lines, columns, bands, "
        "told by its dimensions"
    )
    assert scene.not_carried[-1].startswith("other datasets (/location/lon (7 x 5 float64))")


def test_hypso(tmp_path: Path) -> None:
    path = write_hypso(tmp_path / "place_2022-07-05T10-00-00Z-l1a.nc")
    scene = open_scene(path)
    np.testing.assert_array_equal(scene.samples, CUBE)
    assert scene.metadata == {
        "wavelength": ["401.5", "500.2", "600.1", "700.0"], "wavelength units": "Nanometers", "fwhm": ["5.5"] * 4,
        "long_name": "Top of Atmosphere Measured Radiance",
    }  # fmt: skip
    np.testing.assert_array_equal(read(f"{path}:products/Lt"), CUBE)


def test_enmap_of_two_images(tmp_path: Path) -> None:
    folder = write_enmap(tmp_path / L1B)
    metadata = folder / f"{L1B}-METADATA.XML"
    for path in (folder, metadata):
        scene = open_scene(Path(f"{path}:vnir"))
        np.testing.assert_array_equal(scene.samples, CUBE)
        assert entries_of(scene.metadata) == {
            "wavelength": ["400.5", "401.5", "402.5", "403.5"], "wavelength units": "Nanometers",
            "fwhm": ["6", "7", "8", "9"], "data gain values": ["0.0001"] * 4, "data offset values": ["0"] * 4,
        }  # fmt: skip
        assert scene.files == (folder / f"{L1B}-SPECTRAL_IMAGE_VNIR.TIF", metadata)
        swir = open_scene(Path(f"{path}:SWIR"))
        assert swir.shape == (7, 8, 5) and swir.metadata["wavelength"][0] == "404.5"
        with pytest.raises(BadArgument, match=r"image not named, allowed .*:swir, .*:vnir"):
            open_scene(path)
        with pytest.raises(BadArgument, match=r"image red named, allowed .*:swir, .*:vnir"):
            open_scene(Path(f"{path}:red"))
    assert any(f"{L1B}-QL_QUALITY_CLOUD.TIF" in text for text in scene.not_carried)


def test_enmap_and_desis_of_one_image(tmp_path: Path) -> None:
    write_enmap_l2a(tmp_path, CUBE.astype(np.int16))
    scene = open_scene(tmp_path)
    np.testing.assert_array_equal(scene.samples, CUBE)
    assert scene.metadata["fwhm"] == ["6", "7", "8", "9"]
    write_desis(tmp_path, CUBE + 1)
    scene = open_scene(tmp_path / f"{DESIS}-METADATA.xml")
    np.testing.assert_array_equal(scene.samples, CUBE + 1)
    assert scene.metadata["fwhm"] == ["3.5"] * 4 and scene.metadata["dead pixels"] == ["0", "1", "2", "3"]
    with pytest.raises(BadArgument, match=r"is a folder with 2 files \*-METADATA.XML, allowed"):
        open_scene(tmp_path)


def test_a_product_with_parts_missing_or_of_other_counts(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=r"is a folder with no files \*-METADATA.XML, allowed a file, or"):
        open_scene(tmp_path)
    write_xml(tmp_path / f"{L2A}-METADATA.XML", enmap_bands(5))
    with pytest.raises(BadArgument, match=rf"image not named, {L2A}-SPECTRAL_IMAGE.TIF is missing"):
        open_scene(tmp_path)
    write_tif(tmp_path / f"{L2A}-SPECTRAL_IMAGE.TIF", CUBE)
    scene = open_scene(tmp_path)
    assert "wavelength" not in scene.metadata and "(describes 5 bands, the image has 4)" in scene.not_carried[-1]
    (tmp_path / f"{L2A}-METADATA.XML").write_text("<level_X><a>")
    with pytest.raises(BadArgument, match=r"METADATA\.XML: no element found"):
        open_scene(tmp_path)


def test_h5py_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_hypso(tmp_path / "s.nc")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(BadArgument, match=r"s\.nc: HDF5 or NetCDF needs h5py, install linerwkv\[hdf\]"):
        open_scene(path)

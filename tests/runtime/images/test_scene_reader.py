"""Every layout of a file gives the same lines, and unusable files are named."""

import io
from pathlib import Path

import numpy as np
import pytest
import spectral

from runtime.errors import BadArgument
from runtime.images import sample_file
from runtime.images.image_of_scene import describe
from runtime.images.raw_lines import RawLayout, raw_lines
from runtime.images.scene_reader import Scene, band_ranges, open_scene
from runtime.stream.kinds import SampleType

CUBE = np.random.default_rng(2).integers(-400, 4000, (5, 4, 6)).astype(np.int16)  # (Y, Z, X)


def write_envi(folder: Path, interleave: str, dtype: str = "<i2", offset: int = 0) -> Path:
    order = {"bil": (0, 1, 2), "bip": (0, 2, 1), "bsq": (1, 0, 2)}[interleave]
    (folder / "scene.img").write_bytes(bytes(offset) + CUBE.transpose(order).astype(dtype).tobytes())
    header = {
        "lines": 5, "bands": 4, "samples": 6, "interleave": interleave, "header offset": offset,
        "data type": 2, "byte order": 1 if dtype[0] == ">" else 0, "wavelength": ["400", "500", "600", "700"],
    }  # fmt: skip
    spectral.envi.write_envi_header(str(folder / "scene.hdr"), header)
    return folder / "scene.hdr"


@pytest.mark.parametrize("interleave", ["bil", "bip", "bsq"])
@pytest.mark.parametrize("dtype", ["<i2", ">i2"])
@pytest.mark.parametrize("offset", [0, 13])
@pytest.mark.parametrize("block_bytes", [1, 2 * CUBE[0].nbytes, 1 << 24])
def test_envi_layouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interleave: str, dtype: str, offset: int, block_bytes: int
) -> None:
    monkeypatch.setattr(sample_file, "BLOCK_BYTES", block_bytes)
    header = write_envi(tmp_path, interleave, dtype, offset)
    for path in (header, header.with_suffix(".img")):
        scene = open_scene(path)
        np.testing.assert_array_equal(np.stack(list(scene.lines())), CUBE)
        np.testing.assert_array_equal(scene.samples, CUBE)
        assert scene.metadata["wavelength"] == ["400", "500", "600", "700"]
        assert "interleave" not in scene.metadata


def test_numpy_and_geotiff(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    np.save(tmp_path / "scene.npy", CUBE)
    np.testing.assert_array_equal(np.stack(list(open_scene(tmp_path / "scene.npy").lines())), CUBE)
    np.save(tmp_path / "fortran.npy", np.asfortranarray(CUBE))
    np.testing.assert_array_equal(np.stack(list(open_scene(tmp_path / "fortran.npy").lines())), CUBE)
    np.testing.assert_array_equal(open_scene(tmp_path / "fortran.npy").samples, CUBE)
    transform = rasterio.Affine(30, 0, 0, 0, -30, 0)
    options = {"height": 5, "width": 6, "count": 4, "dtype": "int16", "transform": transform}
    with rasterio.open(tmp_path / "scene.tif", "w", driver="GTiff", **options) as file:
        file.write(CUBE.transpose(1, 0, 2))
    np.testing.assert_array_equal(np.stack(list(open_scene(tmp_path / "scene.tif").lines())), CUBE)


def test_files_of_other_kinds_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "s.npy").write_bytes(b"PK\3\4" + b"0" * 100)
    (tmp_path / "s.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    np.save(tmp_path / "objects.npy", np.array([[[None]]]))
    for name, text in (
        ("s.npy", "begins with b.PK"),
        ("s.h5", "allowed .hdr, .npy, .tif"),
        ("objects.npy", "objects.npy: "),
    ):
        with pytest.raises(BadArgument, match=text) as caught:
            open_scene(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_description() -> None:
    scene = Scene(CUBE)
    image = describe(scene, None)
    assert (image.n_lines, image.n_bands, image.n_columns) == CUBE.shape
    assert (image.depth, image.is_signed, image.sample_type) == (13, True, SampleType.INT16)
    assert describe(scene, 16).depth == 16
    with pytest.raises(BadArgument, match="bit depth 8 given"):
        describe(scene, 8)


def test_one_pass_finds_the_ends_of_every_band_of_any_type() -> None:
    lowest, highest = band_ranges(iter(CUBE))
    np.testing.assert_array_equal(lowest, CUBE.min(axis=(0, 2)))
    np.testing.assert_array_equal(highest, CUBE.max(axis=(0, 2)))
    read = []
    band_ranges(read.append(y) or line for y, line in enumerate(CUBE))  # type: ignore[func-returns-value]
    assert read == list(range(len(CUBE)))
    with pytest.raises(BadArgument, match="64 bits"):
        describe(Scene(np.full((2, 2, 2), 2**64 - 1, np.uint64)), None)


@pytest.mark.parametrize("interleave", ["bil", "bip"])
def test_pipe(interleave: str) -> None:
    order = {"bil": (0, 1, 2), "bip": (0, 2, 1)}[interleave]
    data = CUBE.transpose(order).astype(">i2").tobytes()
    layout = RawLayout(4, 6, ">i2", interleave)
    np.testing.assert_array_equal(np.stack(list(raw_lines(io.BytesIO(data), layout))), CUBE)
    with pytest.raises(BadArgument, match="input ends within line 4: 47 of 48 bytes"):
        list(raw_lines(io.BytesIO(data[:-1]), layout))


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ((4, 6, "<f4", "bil"), "sample type float32"),
        ((4, 6, "fish", "bil"), "sample type 'fish'"),
        ((0, 6, "<i2", "bil"), "allowed at least 1 each"),
    ],
)
def test_unusable_pipes(layout: tuple[int, int, str, str], text: str) -> None:
    with pytest.raises(BadArgument, match=text):
        RawLayout(*layout)


@pytest.mark.parametrize("name", ["scene.tif", "scene.npy"])
def test_a_file_of_another_kind_is_told_by_its_first_bytes(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"GIF89a, no more")
    with pytest.raises(BadArgument, match=rf"{name}: begins with b'GIF8.*, allowed a {name[-3:]} file: b'"):
        open_scene(tmp_path / name)

"""A GeoTIFF is read in blocks of lines, and its place, no-data value and names are those of the restored pair."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.errors import BadArgument
from runtime.images import geotiff
from runtime.images.geotiff_page import pages_of_table
from runtime.images.geotiff_words import without_words
from runtime.images.scene_reader import open_scene
from runtime.images.scene_writer import writing_envi

rasterio = pytest.importorskip("rasterio")
CUBE = np.random.default_rng(3).integers(0, 4000, (50, 4, 33)).astype(np.uint16)  # (Y, Z, X)
TILED = {"tiled": True, "blockxsize": 16, "blockysize": 16}
PLACE = {"crs": "EPSG:3035", "transform": rasterio.Affine(30, 0, 4500000, 0, -20, 3300000)}

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def write(path: Path, **options: Any) -> Path:
    sizes = {"height": CUBE.shape[0], "width": CUBE.shape[2], "count": CUBE.shape[1], "dtype": "uint16"}
    with rasterio.open(path, "w", driver="GTiff", **sizes, **options) as file:
        file.write(CUBE.transpose(1, 0, 2))
        file.descriptions = ("red, deep", "b", "c", "d")
    return path


@pytest.mark.parametrize("layout", [{}, TILED, {**TILED, "interleave": "pixel", "compress": "deflate"}], ids=str)
@pytest.mark.parametrize("block_bytes", [1, 5000, 1 << 25])
def test_blocks_of_any_size_are_the_same_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: dict[str, Any], block_bytes: int
) -> None:
    monkeypatch.setattr(geotiff, "BLOCK_BYTES", block_bytes)
    scene = open_scene(write(tmp_path / "s.TIF", **layout))
    assert scene.shape == CUBE.shape
    np.testing.assert_array_equal(np.stack(list(scene.lines())), CUBE)
    np.testing.assert_array_equal(scene.samples, CUBE)


def test_no_more_than_a_block_is_read_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geotiff, "BLOCK_BYTES", 10 * CUBE[0].nbytes)
    scene = open_scene(write(tmp_path / "s.tif", **TILED))
    lines = list(scene.source)
    assert {line.base.nbytes for line in lines if line.base is not None} == {10 * CUBE[0].nbytes}
    assert all(line.base is not None for line in lines)


def test_place_nodata_and_names_come_back(tmp_path: Path) -> None:
    scene = open_scene(write(tmp_path / "s.tif", nodata=7, **PLACE))
    with writing_envi(tmp_path / "back.hdr", (4, 33), CUBE.dtype, scene.metadata) as file:
        for line in scene.lines():
            file.append(line)
    with rasterio.open(tmp_path / "back.bil") as found:
        assert found.crs.to_epsg() == 3035
        assert found.transform.almost_equals(PLACE["transform"])
        assert found.nodata == 7
        assert found.descriptions == ("red; deep", "b", "c", "d")
        np.testing.assert_array_equal(found.read(), CUBE.transpose(1, 0, 2))


def test_a_skewed_grid_keeps_its_transform_as_it_is(tmp_path: Path) -> None:
    skewed = rasterio.Affine(20, 5, 100, 4, -20, 200)
    metadata = open_scene(write(tmp_path / "s.tif", transform=skewed)).metadata
    assert metadata["geotransform"] == ["20.0", "5.0", "100.0", "4.0", "-20.0", "200.0"]
    assert "map info" not in metadata


@pytest.mark.parametrize("turn", [-170.0, -90.0, -20.0, 0.5, 45.0, 90.0, 135.0])
def test_a_turned_grid_is_the_same_to_gdal(tmp_path: Path, turn: float) -> None:
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    turned = rasterio.Affine(30 * cos, 30 * sin, 4e5, 20 * sin, -20 * cos, 5e6)
    metadata = open_scene(write(tmp_path / "s.tif", transform=turned)).metadata
    with writing_envi(tmp_path / "back.hdr", (4, 33), CUBE.dtype, metadata) as file:
        file.append(CUBE[0])
    with rasterio.open(tmp_path / "back.bil") as found:
        np.testing.assert_allclose(found.transform, turned, rtol=1e-12, atol=1e-9)


def write_pages(path: Path, shapes: list[tuple[int, int, int]], dtype: str = "uint8") -> Path:
    """One page of each shape (bands, lines, columns), whose samples are the page's index and the band's."""
    for page, (n_bands, n_lines, n_columns) in enumerate(shapes):
        more = {"APPEND_SUBDATASET": "YES"} if page else {}
        sizes = {"height": n_lines, "width": n_columns, "count": n_bands, "dtype": dtype}
        with rasterio.open(path, "w", driver="GTiff", **sizes, **more) as file:
            file.write(np.full((n_bands, n_lines, n_columns), 10 * page + np.arange(n_bands)[:, None, None], dtype))
    return path


@pytest.mark.parametrize("block_bytes", [1, 1 << 25])
def test_equal_pages_are_bands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int) -> None:
    monkeypatch.setattr(geotiff, "BLOCK_BYTES", block_bytes)
    scene = open_scene(write_pages(tmp_path / "s.tif", [(2, 4, 5)] * 12))
    assert scene.shape == (4, 24, 5)
    numbers = np.add.outer(10 * np.arange(12), np.arange(2)).reshape(24, 1)
    expected = np.broadcast_to(numbers, (4, 24, 5))
    np.testing.assert_array_equal(np.stack(list(scene.lines())), expected)


def test_pages_that_differ_and_what_is_no_tiff_are_one_line(tmp_path: Path) -> None:
    path = write_pages(tmp_path / "s.tif", [(1, 4, 5), (1, 4, 5), (3, 2, 5)])
    sizes = "page 1 of 4 x 5 x 1 uint8, page 2 of 4 x 5 x 1 uint8, page 3 of 2 x 5 x 3 uint8"
    with pytest.raises(
        BadArgument, match=rf"s\.tif: 3 pages that differ: {sizes} \(lines x columns x bands\), allowed eq"
    ):
        open_scene(path)
    path = write_pages(tmp_path / "many.tif", [(1, 1, 1 + page) for page in range(12)])
    with pytest.raises(BadArgument, match="page 8 of 1 x 8 x 1 uint8 and 4 more") as caught:
        open_scene(path)
    assert "\n" not in str(caught.value)
    path.write_bytes(b"II*\x00 nothing")
    with pytest.raises(BadArgument, match=r"many\.tif: ") as caught:
        open_scene(path)
    assert "\n" not in str(caught.value)


def test_what_has_no_words_in_a_header_is_named(tmp_path: Path) -> None:
    assert open_scene(write(tmp_path / "plain.tif", nodata=7, **PLACE)).not_carried == ()
    path = write(tmp_path / "s.tif", **PLACE)
    with rasterio.open(path, "r+") as file:
        file.scales = (2.0, 1.0, 1.0, 1.0)
        file.update_tags(taken="noon")
        file.update_tags(ns="SENSOR", gain="3")
        file.build_overviews([2])
        file.write_mask(np.ones((50, 33), bool))
    scene = open_scene(path)
    assert scene.not_carried == ("a mask", "overviews")
    assert without_words(pages_of_table(scene.metadata["GeoTIFF"], 4)) == (
        "commas in band names (; in their place)", "tags (taken)", "metadata of domains (SENSOR)",
    )  # fmt: skip
    assert scene.metadata["data gain values"] == ["2.0", "1.0", "1.0", "1.0"]
    path = tmp_path / "coloured.tif"
    with rasterio.open(path, "w", driver="GTiff", height=4, width=5, count=1, dtype="uint8") as file:
        file.write(np.zeros((1, 4, 5), np.uint8))
        file.write_colormap(1, {0: (1, 2, 3, 255)})
        corners = [rasterio.control.GroundControlPoint(y, x, 10 * x, 10 * y) for y, x in ((0, 0), (0, 5), (4, 0))]
        file.gcps = (corners, rasterio.crs.CRS.from_epsg(4326))
    scene = open_scene(path)
    assert scene.not_carried == ()
    assert without_words(pages_of_table(scene.metadata["GeoTIFF"], 1)) == ("ground control points", "a colour map")

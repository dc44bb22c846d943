"""A GeoTIFF is written block by block, is what its page says or names what it is not, and is there when it is whole."""

import math
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import BadArgument, Corrupt
from runtime.images import geotiff_layout, geotiff_writer
from runtime.images.carried_keys import GEOTIFF
from runtime.images.geotiff_layout import layout
from runtime.images.geotiff_page import Band, ControlPoint, Page, pages_of_table, table_of_pages
from runtime.images.geotiff_writer import windows, writing_geotiff
from runtime.images.restored_image import restoring
from runtime.stream.image_description import ImageDescription

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
CUBE = np.random.default_rng(4).integers(0, 4000, (37, 6, 50)).astype(np.uint16)  # (Y, Z, X)
PLAIN = [Page([Band() for _ in range(6)])]


def write(path: Path, pages: list[Page] = PLAIN, cube: np.ndarray[Any, Any] = CUBE) -> tuple[str, ...]:
    with writing_geotiff(path, cube.shape[1:], cube.dtype, pages) as lines:
        for line in cube:
            lines.append(line)
    return lines.not_carried


def read(path: Path) -> np.ndarray[Any, Any]:
    with rasterio.open(path) as file:
        samples: np.ndarray[Any, Any] = np.moveaxis(file.read(), 0, 1)
    return samples


@pytest.mark.parametrize("block_bytes", [1, 3000, 1 << 25])
@pytest.mark.parametrize("interleave", ["band", "pixel"])
@pytest.mark.parametrize("block", [[], [1, 50], [7, 50], [16, 32], [64, 64]])
def test_samples_are_the_same_whatever_lies_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: list[int], interleave: Any, block_bytes: int
) -> None:
    monkeypatch.setattr(geotiff_writer, "BLOCK_BYTES", block_bytes)
    page = Page(PLAIN[0].bands, block=block, interleave=interleave, compression="deflate", predictor=2)
    assert write(tmp_path / "s.tif", [page]) == ()
    np.testing.assert_array_equal(read(tmp_path / "s.tif"), CUBE)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["s.tif"]


class Laid:
    """What `windows` asks of a dataset."""

    def __init__(self, shape: tuple[int, int, int], block: tuple[int, int], interleave: str) -> None:
        self.height, self.count, self.width = shape
        self.block_shapes, self.dtypes = [block] * self.count, ["uint16"]
        self.profile = {"interleave": interleave}


@given(
    st.tuples(st.integers(1, 40), st.integers(1, 9), st.integers(1, 40)),
    st.tuples(st.integers(1, 48), st.integers(1, 48)),
    st.sampled_from(["pixel", "band"]),
    st.integers(1, 20000),
)
@settings(deadline=None)
def test_windows_are_every_block_once_and_no_larger_than_asked(
    shape: tuple[int, int, int], block: tuple[int, int], interleave: str, block_bytes: int
) -> None:
    times = np.zeros((shape[0], shape[1], shape[2]), int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(geotiff_writer, "BLOCK_BYTES", block_bytes)
        found = list(windows(Laid(shape, block, interleave)))
    least = 2 * block[0] * block[1] * (shape[1] if interleave == "pixel" else 1)
    for one in found:
        times[one.y, one.z, one.x] += 1
        assert one.y.start % block[0] == 0 and one.x.start % block[1] == 0
        assert times[one.y, one.z, one.x].size * 2 <= max(block_bytes, least)
    assert (times == 1).all()


def test_what_the_file_cannot_hold_is_named(tmp_path: Path) -> None:
    bands = [Band(colour="gray") for _ in range(6)]
    page = Page(bands, nodata="-1", colours="01020304", tags={"": {"ns": "x", "fine": "y"}}, block=[16, 20])
    assert write(tmp_path / "s.tif", [page]) == ("no-data value", "colour map", "tags", "size of blocks")
    with rasterio.open(tmp_path / "s.tif") as file:
        assert file.tags()["fine"] == "y" and file.nodata is None


def test_blocks_that_are_too_large_or_too_many_get_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(PLAIN[0].bands, block=[16, 50], interleave="pixel")
    assert layout(page, CUBE.shape, CUBE.dtype) == {"blockysize": 16}
    monkeypatch.setattr(geotiff_layout, "LARGEST_BLOCK", 16 * 50 * 6 * 2 - 1)
    assert layout(page, CUBE.shape, CUBE.dtype) == {}
    monkeypatch.undo()
    monkeypatch.setattr(geotiff_layout, "MOST_BLOCKS", math.ceil(37 / 16) - 1)
    assert layout(page, CUBE.shape, CUBE.dtype) == {}


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "s.tif").write_text("old")
    with pytest.raises(ZeroDivisionError), writing_geotiff(tmp_path / "s.tif", (6, 50), CUBE.dtype, PLAIN) as lines:
        lines.append(CUBE[0])
        raise ZeroDivisionError
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("s.tif", "old")]
    write(tmp_path / "s.tif")
    np.testing.assert_array_equal(read(tmp_path / "s.tif"), CUBE)


def test_samples_that_gdal_gives_back_otherwise_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a disk that was full when GDAL wrote, which rasterio does not tell in every case."""

    def packed(page: Page, shape: Any, dtype: Any) -> dict[str, Any]:
        return {"NBITS": 4}

    monkeypatch.setattr(geotiff_layout, "layout", packed)
    with pytest.raises(BadArgument, match=r"s\.tif cannot be written: GDAL gives back other samples"):
        write(tmp_path / "s.tif")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["s.tif.aux.xml", "s.tif.ovr", "s.tif.msk", "s.tfw", "s.TFW", "s.wld", "s_rpc.txt"])
def test_files_that_gdal_would_take_for_parts_are_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(BadArgument, match=rf"s\.tif: {name} beside it would be taken for its metadata"):
        write(tmp_path / "s.tif")
    assert [one.name for one in tmp_path.iterdir()] == [name]
    write(tmp_path / "other.tif")


def test_a_fifo_is_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "s.tif")
    with pytest.raises(BadArgument, match="no regular file, which a GeoTIFF needs"):
        write(tmp_path / "s.tif")


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "s.tif").symlink_to(tmp_path / "there.tif")
    write(tmp_path / "s.tif")
    assert (tmp_path / "s.tif").is_symlink()
    np.testing.assert_array_equal(read(tmp_path / "there.tif"), CUBE)


def image(n_bands: int, metadata: dict[str, Any]) -> ImageDescription:
    return ImageDescription(n_bands, 50, 12, False, 0, None, metadata)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"pages": []}, "found no table with 1..6 pages alone"),
        ({"pages": [{}], "more": 1}, "found no table"),
        ({"pages": [None]}, "GeoTIFF.pages[0]: found null, allowed table"),
        ({"pages": [{"bands": [{}] * 5}]}, "5 bands, the image has 6"),
        ({"pages": [{"bands": [{}] * 5}, {"bands": [{}]}]}, "6 bands, the image has 6"),
        ({"pages": [{"bands": [{}]}] * 7}, "found no table with 1..6 pages"),
        ({"pages": [{"bands": [{}] * 6, "transform": [1, 2]}]}, "transform: found 2 numbers, allowed 6"),
        ({"pages": [{"bands": [{}] * 6, "block": [0, 1]}]}, "allowed int at least 1"),
        ({"pages": [{"bands": [{}] * 6, "block": [1 << 70, 1]}]}, "block"),
        ({"pages": [{"bands": [{}] * 6, "compression": "jpeg"}]}, "compression: found"),
        ({"pages": [{"bands": [{}] * 6, "tags": {"": {"a": 1}}}]}, "allowed text"),
        ({"pages": [{"bands": [{}] * 6, "tags": {"": {"a": "\0"}}}]}, "text without zero bytes"),
        (
            {"pages": [{"bands": [{}] * 6, "points": [{"row": 1}]}]},
            "key GeoTIFF.pages[0].points[0].column: found nothing",
        ),
        ({"pages": [{"bands": [{"scale": math.nan}] * 6}]}, "finite number"),
        ({"pages": [{"bands": [{}] * 6, "crs": "no such thing"}]}, "crs is none"),
        ({"pages": [{"bands": [{}] * 6, "file": "/etc/passwd"}]}, "not known, allowed"),
        ({"pages": {"a": 1}}, "found no table"),
    ],
    ids=repr,
)
def test_a_hostile_table_is_one_line_for_a_geotiff_and_no_hindrance_elsewhere(
    tmp_path: Path, table: dict[str, Any], told: str
) -> None:
    metadata = {"sensor type": "x", GEOTIFF: table}
    with pytest.raises(Corrupt) as caught, restoring(tmp_path / "s.tif", image(6, metadata)) as lines:
        lines.append(CUBE[0])
    assert told in str(caught.value) and "\n" not in str(caught.value)
    assert not any(tmp_path.iterdir())
    for name in ("s.hdr", "s.npy"):
        with restoring(tmp_path / name, image(6, metadata)) as lines:
            lines.append(CUBE[0])
    assert b"pages" not in (tmp_path / "s.hdr").read_bytes()


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
TAGS = st.dictionaries(TEXT, st.dictionaries(TEXT, TEXT, max_size=2), max_size=2)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
BANDS = st.builds(Band, TEXT, NUMBER, NUMBER, TEXT, TEXT, TAGS)
PAGE = st.builds(
    Page,
    bands=st.lists(BANDS, min_size=2, max_size=2),
    transform=st.just([]) | st.lists(NUMBER, min_size=6, max_size=6),
    points=st.lists(st.builds(ControlPoint, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, TEXT, TEXT), max_size=2),
    nodata=TEXT | st.sampled_from(["7", "nan", "-inf", "1e400", "9" * 23, "--1"]),
    colours=TEXT | st.just("00ff00ff"),
    tags=TAGS,
    block=st.just([]) | st.lists(st.integers(1, 1 << 40) | st.sampled_from([16, 32]), min_size=2, max_size=2),
    compression=st.sampled_from(["", "lzw", "deflate", "packbits", "zstd", "lzma"]),
    predictor=st.sampled_from([1, 2, 3]),
    interleave=st.sampled_from(["band", "pixel"]),
)


@given(st.lists(PAGE, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_pages_give_the_samples_or_one_line(pages: list[Page]) -> None:
    assert pages_of_table(table_of_pages(pages), 2 * len(pages)) == pages
    cube = np.ascontiguousarray(CUBE[:, : 2 * len(pages)])
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "s.tif"
        try:
            write(path, pages, cube)
        except BadArgument as error:
            assert "\n" not in str(error)
            assert not any(Path(name).iterdir())
            return
        assert [one.name for one in Path(name).iterdir()] == ["s.tif"]
        names = [f"GTIFF_DIR:{index + 1}:{path}" for index in range(len(pages))] if len(pages) > 1 else [path]
        found = []
        for one in names:
            with rasterio.open(one) as file:
                found.append(file.read())
        np.testing.assert_array_equal(np.moveaxis(np.concatenate(found), 0, 1), cube)

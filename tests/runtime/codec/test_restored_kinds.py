"""Streams of unknown length, with gaps, or damaged, as every kind of image file; none of them holds up the lines."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from runtime.codec.compression import decompress, decompress_salvaged
from runtime.errors import BadArgument, Corrupt, Truncated
from runtime.images.geotiff_page import Band, Page, table_of_pages
from runtime.stream.records import GAP, GAP_MARKER
from tests.runtime.codec.coded_cube import encode
from tests.runtime.codec.stream_parts import RecordParts, SegmentParts, StreamParts, stream_parts

CUBE = np.random.default_rng(3).integers(0, 1000, (12, 3, 8)).astype(np.int32)
KINDS = ["back.hdr", "back.tif", "back.TIFF", "back.npy"]

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture
def parts() -> StreamParts:
    """Segments of four lines, three of them."""
    return stream_parts(encode(CUBE, segment_lines=4, depth=10))


def samples_of(path: Path) -> np.ndarray[Any, Any]:
    """(Y, Z, X) of a restored file, by other readers than ours."""
    if path.suffix == ".npy":
        loaded: np.ndarray[Any, Any] = np.load(path)
        return loaded
    with rasterio.open(path.with_suffix(".bil") if path.suffix == ".hdr" else path) as file:
        return np.moveaxis(file.read(), 0, 1)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("announced", [0, 12])
def test_a_sound_stream(name: str, announced: int, parts: StreamParts, tmp_path: Path) -> None:
    parts.header["lines"] = announced
    (tmp_path / "s.lrwk").write_bytes(parts.to_bytes())
    report = decompress(tmp_path / "s.lrwk", tmp_path / name)
    assert report.n_lines == 12 and report.notes == ()
    np.testing.assert_array_equal(samples_of(tmp_path / name), CUBE)
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("fill", [0, 77])
def test_salvage_and_gaps_keep_the_place_of_lines(name: str, fill: int, parts: StreamParts, tmp_path: Path) -> None:
    expected = CUBE.copy()
    expected[4:8] = fill
    segment = parts.pieces[1]
    assert isinstance(segment, SegmentParts) and parts.end is not None
    segment.payload = bytes(len(segment.payload))
    (tmp_path / "s.lrwk").write_bytes(parts.to_bytes())
    with pytest.raises((Corrupt, Truncated)):
        decompress(tmp_path / "s.lrwk", tmp_path / name)
    assert [one.name for one in tmp_path.iterdir()] == ["s.lrwk"]
    assert decompress_salvaged(tmp_path / "s.lrwk", tmp_path / name, fill=fill).missing_lines == ((4, 7),)
    np.testing.assert_array_equal(samples_of(tmp_path / name), expected)
    assert json.loads((tmp_path / "back.lines.json").read_text())["missing"] == [[4, 7]]
    parts.pieces[1] = RecordParts(GAP_MARKER, GAP.pack(4, 4))
    parts.end[1] -= 1
    (tmp_path / "s.lrwk").write_bytes(parts.to_bytes())
    assert decompress(tmp_path / "s.lrwk", tmp_path / name, fill=fill).missing_lines == ((4, 7),)
    np.testing.assert_array_equal(samples_of(tmp_path / name), expected)


def test_gigabytes_of_missing_lines_are_refused_in_a_geotiff_also_as_zeros(parts: StreamParts, tmp_path: Path) -> None:
    assert parts.end is not None
    parts.header["lines"] = parts.end[0] = (1 << 32) - 1
    parts.pieces.append(RecordParts(GAP_MARKER, GAP.pack(12, (1 << 32) - 13)))
    (tmp_path / "s.lrwk").write_bytes(parts.to_bytes())
    with pytest.raises(BadArgument, match="bytes of fill values, allowed"):
        decompress(tmp_path / "s.lrwk", tmp_path / "back.tif")
    assert [one.name for one in tmp_path.iterdir()] == ["s.lrwk"]


def test_what_an_output_lacks_is_one_note(parts: StreamParts, tmp_path: Path) -> None:
    band = Band(name="a", tags={"": {"gain": "3"}})
    metadata = {"band names": ["a"] * 3, "GeoTIFF": table_of_pages([Page([band] * 3, nodata="-5")])}
    parts.tail = zlib.compress(json.dumps(metadata).encode())
    (tmp_path / "s.lrwk").write_bytes(parts.to_bytes())
    for name, lacks in (("b.npy", "band names, tags (gain)"), ("b.hdr", "tags (gain)"), ("b.tif", "no-data value")):
        notes = decompress(tmp_path / "s.lrwk", tmp_path / name).notes
        assert notes == (f"{tmp_path / name}: not carried: {lacks}",)


def test_entries_beyond_a_geotiff_are_in_the_restored_one(parts: StreamParts, tmp_path: Path) -> None:
    """As of a product, whose wavelengths are told beside its image; also where the bands are pages."""
    table = table_of_pages([Page([Band(name="a", tags={"": {"gain": "3"}})])] * 3)
    entries = {"wavelength": ["400", "500", "600"], "data gain values": ["1", "2", "3"], "sensor type": "EnMAP"}
    parts.tail = zlib.compress(json.dumps({**entries, "band names": ["a"] * 3, "GeoTIFF": table}).encode())
    (tmp_path / "s.lrwk").write_bytes(parts.to_bytes())
    assert decompress(tmp_path / "s.lrwk", tmp_path / "back.tif").notes == ()
    for z in range(3):
        with rasterio.open(f"GTIFF_DIR:{z + 1}:{tmp_path / 'back.tif'}") as file:
            assert file.tags(1) == {"gain": "3", "wavelength": entries["wavelength"][z]}
            assert (file.scales, file.descriptions) == ((z + 1,), ("a",))
            assert file.tags(ns="ENVI")["sensor_type"] == "EnMAP"

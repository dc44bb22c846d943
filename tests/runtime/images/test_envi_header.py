"""Structure of a header is understood, or refused by the key's name; the library spectral and GDAL read the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.errors import BadArgument
from runtime.images.carried_keys import entries_of
from runtime.images.envi_header_reader import DATA_TYPES, read_envi_header
from runtime.images.scene_reader import open_numbers, open_scene
from tests.runtime.images.envi_files import CUBE, by_gdal, by_spectral, header_text, write_pair

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def header_of(path: Path, text: str | bytes) -> Any:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_envi_header(path)


@pytest.mark.parametrize("interleave", ["Bil", "BIP", "bSq"])
def test_an_interleave_in_any_letters(tmp_path: Path, interleave: str) -> None:
    header = write_pair(tmp_path, "s.hdr", "s.img", interleave=interleave)
    np.testing.assert_array_equal(open_scene(header).samples, CUBE)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 9, 12, 13, 14, 15])
@pytest.mark.parametrize("byte_order", [0, 1])
def test_types_are_those_of_other_readers(tmp_path: Path, code: int, byte_order: int) -> None:
    cube = (CUBE % 100).astype(np.dtype(DATA_TYPES[code]).newbyteorder(">" if byte_order else "<"))
    header = write_pair(tmp_path, "s.hdr", "s.img", cube, data_type=code, byte_order=byte_order)
    found = open_numbers(header).samples
    for other in (cube, by_spectral(header), by_gdal(tmp_path / "s.img")):
        np.testing.assert_array_equal(found, other)
        assert found.dtype.newbyteorder("=") == other.dtype.newbyteorder("=")


def test_what_may_be_left_out_or_spelled_otherwise(tmp_path: Path) -> None:
    text = header_text(byte_order=None, header_offset=None, file_type=None).replace("samples", "  SamPles ")
    text = text.replace("data type = 12", "Data  Type=12.0").replace("lines = 4", "; lines = 9\n\nlines = 4.")
    for end in ("\n", "\r\n", "\r"):
        header = header_of(tmp_path / "s.hdr", text.replace("\n", end))
        assert (header.shape, header.dtype, header.interleave, header.offset) == ((4, 3, 5), "<u2", "bil", 0)
        assert header.metadata == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"interleave": "line"}, "interleave is line, allowed bil, bip, bsq"),
        ({"interleave": None}, "interleave is missing, allowed"),
        ({"samples": "20.5"}, "samples is 20.5, allowed a whole number of at least 1"),
        ({"samples": "-1"}, "samples is -1, allowed a whole number"),
        ({"lines": "0"}, "lines is 0, allowed a whole number of at least 1"),
        ({"bands": "٣"}, "bands is ٣, allowed a whole number"),
        ({"bands": None}, "bands is missing, allowed a whole number"),
        ({"header_offset": "x"}, "header offset is x, allowed a whole number of at least 0"),
        ({"data_type": "7"}, "data type is 7, allowed 1, 2, 3"),
        ({"byte_order": "2"}, "byte order is 2, allowed 0, 1"),
        ({"file_type": "ENVI Spectral Library"}, "file type is ENVI Spectral Library, allowed envi standard"),
        ({"file_compression": "1"}, "file compression is 1, allowed 0"),
        ({"major_frame_offsets": "{8, 8}"}, "major frame offsets is {8, 8}, allowed"),
        ({"Samples": "9"}, "samples is 5 and 9, allowed one of them"),
        ({"wavelength": "{1,\n2"}, "wavelength has no closing brace"),
    ],
)
def test_what_is_not_understood_is_one_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = tmp_path / "s.hdr"
    with pytest.raises(BadArgument) as caught:
        header_of(path, header_text(**changes))
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_files_that_are_no_header_or_of_another_size_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=r"begins with 'samples = 5', allowed ENVI"):
        header_of(tmp_path / "s.hdr", "samples = 5\n")
    with pytest.raises(BadArgument, match="more than 16777216 bytes"):
        header_of(tmp_path / "s.hdr", b"ENVI" + bytes(1 << 24))
    for key, value, found in (("lines", 5, 150), ("header_offset", 8, 128), ("lines", 10**17, 3 * 10**18)):
        header = write_pair(tmp_path, "s.hdr", "s.img", CUBE, **{key: value})
        with pytest.raises(BadArgument, match=f"s.img: 120 bytes found, .* are {found}"):
            open_scene(header)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + header_text(sensor_type="für µm").encode(),
        header_text(sensor_type="für µm").encode(),
        header_text(sensor_type="für µm").encode("latin-1"),
    ],
    ids=["mark", "utf-8", "latin-1"],
)
def test_text_is_utf8_or_latin1_whatever_the_locale(tmp_path: Path, data: bytes) -> None:
    assert header_of(tmp_path / "s.hdr", data).metadata == {"sensor type": "für µm"}


def test_metadata_as_it_stands(tmp_path: Path) -> None:
    system = '{PROJCS["UTM_33N",GEOGCS["WGS84",DATUM["D",SPHEROID["S",6378137.0,298.25]]],UNIT["Meter",1.0]]}'
    text = header_text(
        description="{\n  two\n  lines, one text}", wavelength="{400.5,\n 500.5 ,600.5}", band_names="{ a b, c, d }",
        coordinate_system_string=system, sensor_type="a = b", bbl="{}", note="{[1, 2], {3}}",
    )  # fmt: skip
    assert entries_of(header_of(tmp_path / "s.hdr", text).metadata) == {
        "description": "two lines, one text", "wavelength": ["400.5", "500.5", "600.5"], "bbl": [],
        "band names": ["a b", "c", "d"], "coordinate system string": system, "sensor type": "a = b",
        "note": "{[1, 2], {3}}",
    }  # fmt: skip

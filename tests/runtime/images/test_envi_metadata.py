"""Metadata comes back, and whatever it holds it cannot become a line or structure of a restored header."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spectral
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.images.envi_header_reader import STRUCTURAL_KEYS, read_envi_header
from runtime.images.envi_header_writer import envi_header
from runtime.images.scene_reader import open_scene
from runtime.images.scene_writer import writing_envi
from tests.runtime.images.envi_files import CUBE, by_gdal, by_spectral, header_text

pytestmark = [
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
    pytest.mark.filterwarnings("ignore:Parameters with non-lowercase names"),  # of a key without letters, too
]

STRUCTURE = {
    "samples": "5", "lines": "4", "bands": "3", "header offset": "0", "file type": "ENVI Standard", "data type": "12",
    "interleave": "bil", "byte order": "0",
}  # fmt: skip
PIECES = st.lists(
    st.sampled_from(
        ["{", "}", "=", "\n", "\r", ";", ",", " ", "\x85", "\u2028", "\x00", "\ud800", "ENVI", "µ", '"', "["]
    )
    | st.sampled_from([*STRUCTURAL_KEYS, "Byte Order", "90", "bip"])
).map("".join)
VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | PIECES, st.lists, max_leaves=4)


def restored(folder: Path, metadata: dict[str, Any]) -> Path:
    header = folder / "back.hdr"
    with writing_envi(header, (3, 5), CUBE.dtype, metadata) as file:
        for line in CUBE:
            file.append(line)
    return header


@given(st.dictionaries(PIECES, VALUES, max_size=4))
@settings(max_examples=150, deadline=None)
def test_any_metadata_leaves_structure_and_samples_as_they_are(metadata: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        header = restored(Path(name), metadata)
        lines = header.read_bytes().decode().split("\n")
        keys = [line.partition("=")[0].strip().lower() for line in lines[1:-1]]
        assert keys[: len(STRUCTURE)] == list(STRUCTURE)
        assert len(set(keys)) == len(keys) and not set(keys[len(STRUCTURE) :]) & set(STRUCTURAL_KEYS)
        for found in (open_scene(header).samples, by_spectral(header), by_gdal(header.with_suffix(".bil"))):
            np.testing.assert_array_equal(found, CUBE)


@pytest.mark.parametrize(
    "metadata",
    [
        {"sensor": "x\nbyte order = 1"}, {"sensor = x\nheader offset": "90"}, {"Byte Order": "1"}, {"byte order ": "1"},
        {"byte\torder": "1"}, {"description": None, "sensor": None}, {"sensor": "\ud800"}, {"file compression": "1"},
        {"a": "{ never closed"}, {"a": "} {"}, {"a": "{b} c"}, {"a": ["{", "b\n}"]}, {"a": {"b": [1, "\n"]}},
        {"description": "{"}, {"": "x"}, {";": "x"},
    ],
    ids=repr,
)  # fmt: skip
def test_hostile_metadata(tmp_path: Path, metadata: dict[str, Any]) -> None:
    header = restored(tmp_path, metadata)
    read = spectral.envi.read_envi_header(str(header))
    assert {key: read[key] for key in STRUCTURE} == STRUCTURE
    assert "file compression" not in read
    np.testing.assert_array_equal(by_spectral(header), CUBE)
    np.testing.assert_array_equal(by_gdal(header.with_suffix(".bil")), CUBE)


def test_what_a_header_says_comes_back(tmp_path: Path) -> None:
    source = tmp_path / "s.hdr"
    source.write_text(
        header_text(
            description="{two\nlines}", wavelength="{400,500,600}", wavelength_units="µm", note="a {b, c} d = e",
            coordinate_system_string='{PROJCS["x",UNIT["Meter",1.0]]}', band_names="{a b,\nc,\nd}", bbl="{}", empty="",
        ),
        "utf-8",
    )  # fmt: skip
    metadata = read_envi_header(source).metadata
    header = restored(tmp_path, metadata)
    assert read_envi_header(header).metadata == metadata
    text = header.read_bytes().decode()
    assert '\ncoordinate system string = {PROJCS["x",UNIT["Meter",1.0]]}\n' in text
    assert "\nwavelength = {400,500,600}\n" in text
    assert "\nwavelength units = µm\n" in text
    assert spectral.envi.read_envi_header(str(header))["band names"] == ["a b", "c", "d"]


def test_every_type_of_sample_has_its_number() -> None:
    for code, name in ((1, "u1"), (2, "<i2"), (3, "<i4"), (12, "<u2"), (13, "<u4")):
        assert f"data type = {code}\n".encode() in envi_header((4, 3, 5), np.dtype(name), "bil", {})

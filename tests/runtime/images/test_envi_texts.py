"""Entries of an ENVI header come back as the text that they were, and no text becomes more than its entry."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spectral
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import BadArgument
from runtime.images.carried_keys import EXACT_TEXTS, entries_of
from runtime.images.envi_entries import entry_text, is_entry
from runtime.images.envi_header_reader import LARGEST_EXACT, STRUCTURAL_KEYS, read_envi_header
from runtime.images.envi_header_writer import envi_header
from tests.runtime.images.envi_files import CUBE, by_gdal, by_spectral, header_text

pytestmark = [
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
    pytest.mark.filterwarnings("ignore:Parameters with non-lowercase names"),
]
SYSTEM = 'PROJCS["UTM, 33N",GEOGCS["GCS_WGS_1984",DATUM["D",SPHEROID["S",6378137.0,298.25]]],UNIT["Meter",1.0]]'
TEXTS = [
    "description = {\n  two lines,\n  with a = b}",
    "description = without braces",
    "  Sensor Type =  Hyperion  ",
    "wavelength = {\n 400.5,\n 500.5 ,600.5\n}",
    "wavelength={400,500,600}",
    "Band Names = { a b, c , d}",
    f"coordinate system string = {{{SYSTEM}}}",
    'note = "a, b" {c, d} = e',
    "pairs = {{1, 2}, {3, 4}}",
    "unmatched = {1, 2}}",
    "empty =",
    "bbl = {}",
    "bbl = { }",
    "µm\t= ü",
    "a;b = c ; d",
]


def read(folder: Path, *texts: str) -> Any:
    path = folder / "s.hdr"
    path.write_text(header_text() + "".join(f"{text}\n" for text in texts), "utf-8")
    return read_envi_header(path)


def restored(metadata: dict[str, Any]) -> str:
    return envi_header((4, 3, 5), CUBE.dtype, "bil", metadata).decode()


@pytest.mark.parametrize("text", TEXTS)
def test_each_entry_comes_back_as_it_stood(tmp_path: Path, text: str) -> None:
    header = read(tmp_path, text)
    assert header.not_carried == ()
    assert f"\n{text}\n" in restored(header.metadata)


@pytest.mark.parametrize("text", [text for text in TEXTS if not text.startswith(("unmatched", "a;b"))])
def test_the_value_alone_comes_back_too_as_in_older_streams(tmp_path: Path, text: str) -> None:
    values = entries_of(read(tmp_path, text).metadata)
    (tmp_path / "back.hdr").write_text(restored(values), "utf-8")
    assert entries_of(read_envi_header(tmp_path / "back.hdr").metadata) == values


def test_all_of_a_header_comes_back_in_its_order_and_again(tmp_path: Path) -> None:
    texts = [text for text in TEXTS if not text.startswith(("description = w", "wavelength=", "bbl = {}"))]
    text = restored(read(tmp_path, *texts).metadata)
    assert text.endswith("\n".join(["byte order = 0", *texts]) + "\n")
    (tmp_path / "s.hdr").write_text(text, "utf-8")
    assert restored(read_envi_header(tmp_path / "s.hdr").metadata) == text


def test_values_stay_lists_and_a_text_is_kept_only_where_it_is_another(tmp_path: Path) -> None:
    metadata = read(tmp_path, "wavelength = {400, 500, 600}", "fwhm = {5,\n6,7}", "sensor type = x").metadata
    assert metadata == {
        "wavelength": ["400", "500", "600"], "fwhm": ["5", "6", "7"], "sensor type": "x",
        EXACT_TEXTS: {"fwhm": "fwhm = {5,\n6,7}"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["a = {b} c\n}", "a = {b\n; c\n}", "a = b { c", "a{ = b", "a = b\x0bc", "a = b\u2028c"],
)
def test_what_one_reader_takes_for_more_is_written_in_our_words_and_named(tmp_path: Path, text: str) -> None:
    header = read(tmp_path, text)
    assert any(words.startswith("exact text of a") for words in header.not_carried)
    assert EXACT_TEXTS not in header.metadata


def test_the_exact_texts_of_a_huge_header_are_not_kept_and_named(tmp_path: Path) -> None:
    header = read(tmp_path, f"a = {{1,{' ' * LARGEST_EXACT}2}}")
    assert header.not_carried == ("exact text of a",)
    assert header.metadata == {"a": ["1", "2"]}


def test_lines_that_are_no_entries_are_named(tmp_path: Path) -> None:
    assert read(tmp_path, "a = {b}", "{c}", "= d", "").not_carried == ("lines without a key ({c}, d)",)


@pytest.mark.parametrize(
    ("exact", "expected"),
    [
        ({"a": "a = x\nbyte order = 1"}, "a = x"),
        ({"a": "a = {x}\nbyte order = 1"}, "a = x"),
        ({"a": "byte order = 1"}, "a = x"),
        ({"a": "b = x"}, "a = x"),
        ({"a": "a = y"}, "a = x"),
        ({"a": "; a = x"}, "a = x"),
        ({"a": "a = x\r"}, "a = x"),
        ({"a": "A  =  x"}, "A  =  x"),
        ({"a": 7}, "a = x"),
        ({"a": ["a = x"]}, "a = x"),
        ({"b": "b = 7"}, "a = x"),
        ("a = x\nbyte order = 1", "a = x\nenvi = a = x byte order = 1"),
        ([1], "a = x\nenvi = {1}"),
    ],
)
def test_a_hostile_text_is_not_used(exact: Any, expected: str) -> None:
    assert restored({"a": "x", EXACT_TEXTS: exact}).endswith(f"byte order = 0\n{expected}\n")


def test_a_text_of_structure_is_not_used() -> None:
    for key in STRUCTURAL_KEYS:
        assert restored({key: "7", EXACT_TEXTS: {key: f"{key} = 7"}}) == restored({})


PIECES = st.lists(
    st.sampled_from(["{", "}", "=", "\n", ";", ",", " ", "a", '"', "{}", "}\n{", "byte order = 1", "bands = 9", "\t"])
).map("".join)


@given(PIECES, st.sampled_from(["{", ""]), st.sampled_from(["}", ""]))
@settings(max_examples=300, deadline=None)
def test_any_text_that_is_used_is_one_entry_for_every_reader(middle: str, begin: str, end: str) -> None:
    """A value that a header's reader makes of the text, so that nothing but the text's shape decides."""
    text = f"key = {begin}{middle}{end}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "own.hdr").write_text(header_text() + text + "\n" + "last = 1\n")
        try:
            metadata = read_envi_header(folder / "own.hdr").metadata
        except BadArgument:  # no closing brace, or a header that contradicts itself
            return
        if not is_entry(text, "key", metadata.get("key")):
            return
        (folder / "s.hdr").write_text(restored({"key": metadata["key"], EXACT_TEXTS: {"key": text}, "last": "1"}))
        (folder / "s.bil").write_bytes(CUBE.tobytes())
        for found in (by_spectral(folder / "s.hdr"), by_gdal(folder / "s.bil")):
            np.testing.assert_array_equal(found, CUBE)
        assert spectral.envi.read_envi_header(str(folder / "s.hdr"))["last"] == "1"


def test_the_text_of_this_software_is_an_entry_itself() -> None:
    for key, value in (("a", "x"), ("wavelength", ["1", "2"]), ("a", "{{1, 2}, {3}}"), ("description", "d"), ("a", [])):
        assert is_entry(entry_text(key, value), key, value)

"""Pictures of streams: bands by wavelength, missing lines magenta, no more read than is shown."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import linerwkv
from linerwkv.commands import quicklook as command
from linerwkv.quicklook import MISSING_COLOUR, colour_bands
from linerwkv.quicklook import quicklook as draw
from runtime.codec.coding_options import coding_options
from runtime.codec.opened_encoder import opened_encoder
from runtime.images.envi_page import transform_of
from runtime.stream.image_description import ImageDescription
from tests.linerwkv.conftest import N_COLUMNS, N_LINES, CountedFile, Cube

Image = pytest.importorskip("PIL.Image")


def test_a_picture_has_the_colours_of_three_bands(stream: Path, cube: Cube, tmp_path: Path) -> None:
    look = draw(stream, tmp_path / "look.png")
    assert look.bands == (2, 1, 0)
    assert look.missing_lines == []
    picture = np.asarray(Image.open(tmp_path / "look.png"))
    assert picture.shape == (N_LINES, N_COLUMNS, 3)
    for colour, z in enumerate((2, 1, 0)):
        order = np.argsort(cube[:, z].ravel())
        assert np.all(np.diff(picture[..., colour].ravel()[order].astype(int)) >= 0)
        assert (picture[..., colour].min(), picture[..., colour].max()) == (0, 255)


def test_missing_lines_are_marked_and_told(stream: Path, tmp_path: Path) -> None:
    data = bytearray(stream.read_bytes())
    data[linerwkv.open(stream).found.places[1].offset + 60] ^= 1
    bad = tmp_path / "bad.lrwk"
    bad.write_bytes(data)
    done = CliRunner().invoke(command, [str(bad), "-o", str(tmp_path / "look.png"), "--lines", "4:20", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout) == {
        "lines": [4, 19], "bands": [2, 1, 0], "missing_lines": [[8, 15]], "missing_from": None
    }  # fmt: skip
    assert "lines 8..15 are missing" in done.stderr
    picture = np.asarray(Image.open(tmp_path / "look.png"))
    is_marked = np.all(picture == MISSING_COLOUR, axis=2)
    assert np.array_equal(is_marked.all(axis=1), [4 <= row < 12 for row in range(16)])


def test_only_the_segments_shown_are_read(stream: Path, tmp_path: Path) -> None:
    places = linerwkv.open(stream).found.places
    file = CountedFile(stream.read_bytes())
    linerwkv.open(file)
    n_opening, file.n_read = file.n_read, 0
    draw(file, tmp_path / "look.png", range(9, 12), (0,))
    assert file.n_read == n_opening + places[1].end - places[1].offset


def test_bands_are_those_of_the_header_or_apart(cube: Cube) -> None:
    for metadata, n_bands, bands in (
        ({"default bands": ["3", "1", "2"]}, 5, (2, 0, 1)), ({"default bands": ["9", "1", "2"]}, 5, (4, 2, 0)),
        ({}, 2, (0,)), ({"wavelength": ["0.45", "0.55", "0.7"], "wavelength units": "Micrometers"}, 3, (2, 1, 0)),
    ):  # fmt: skip
        with linerwkv.Encoder(n_bands, 7, 12, predictor="dpcm", metadata=metadata) as encoder:
            data = encoder.header + encoder.push(cube[0, :n_bands]) + encoder.finish()
        assert colour_bands(linerwkv.open(io.BytesIO(data))) == bands


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-o", "look.jpg"), "allowed a name ending in .png"),
        (("-o", "look.png", "--bands", "1,2"), "allowed one or three of 0..4"),
        (("-o", "look.png", "--lines", "0:51"), "allowed within 0:50"),
        (("-o", "look.png", "--lines", "0:3,10:12"), "found several runs, allowed one A:B"),
    ],
)
def test_wrong_words_are_one_line(words: tuple[str, ...], told: str, stream: Path) -> None:
    done = CliRunner().invoke(command, [str(stream), *words])
    assert told in str(done.exception)


def test_a_cut_stream_that_announced_no_lines_says_that_more_may_be_missing(cube: Cube, tmp_path: Path) -> None:
    with linerwkv.Encoder(5, 7, 12, predictor="dpcm", segment_lines=8) as encoder:
        (tmp_path / "cut.lrwk").write_bytes(encoder.header + b"".join(map(encoder.push, cube)))
    words = [str(tmp_path / "cut.lrwk"), "-o", str(tmp_path / "look.png")]
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 1
    assert "lines from 48 on may be missing" in done.stderr
    assert CliRunner().invoke(command, [*words, "--lines", "0:20"]).exit_code == 0


@pytest.mark.parametrize("number", [float("inf"), 10**400])
def test_numbers_that_no_band_has_are_ignored(number: float) -> None:
    metadata = {"default bands": [number, 1, 2], "wavelength": [10**400] * 5, "geotransform": [number] * 6}
    described = ImageDescription(5, 7, 12, False, 1, metadata=metadata)
    with opened_encoder(coding_options({"predictor": "dpcm"}), described) as one:
        data = one.header + one.push(np.zeros((5, 7), np.int32)) + one.finish()
    image = linerwkv.open(io.BytesIO(data))
    assert colour_bands(image) == (4, 2, 0)
    assert "wavelength" not in image.attrs
    assert transform_of(metadata["geotransform"]) == []

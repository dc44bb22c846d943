"""Chosen lines, bands and columns of a stream: the same samples, the metadata of the part, and nothing more is read."""

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from runtime.codec.chosen_output import chosen_part, decompress_chosen
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import compress_lines
from runtime.codec.encoder import Encoder
from runtime.codec.segment_places import segment_places
from runtime.commands.cli import cli
from runtime.errors import BadArgument, Corrupt, Truncated
from runtime.images.chosen_image import Chosen, chosen_image
from runtime.images.line_frame import RecordedLine
from runtime.images.scene_reader import open_scene
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind

CUBE = np.random.default_rng(1).integers(0, 4096, (30, 4, 6)).astype(np.uint16)
METADATA: dict[str, Any] = {
    "wavelength": ["450", "550", "650", "860"], "band names": ["a", "b", "c", "d"], "default bands": ["3", "2", "1"],
    "map info": ["UTM", "1", "1", "500000", "5800000", "30", "30", "33", "North", "WGS-84"], "y start": "5",
    "description": "a scene",
}  # fmt: skip
IMAGE = ImageDescription(4, 6, 12, False, 30, metadata=METADATA)
OPTIONS = CodingOptions(PredictorKind.DPCM, segment_lines=8)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chosen") / "scene.lrwk"
    compress_lines((RecordedLine(line, b"line %d" % y) for y, line in enumerate(CUBE)), IMAGE, path, OPTIONS)
    return path


def run(*words: object) -> Any:
    return CliRunner().invoke(cli, list(map(str, words)))


@given(st.data())
def test_the_part_is_that_of_the_whole(stream: Path, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, 29))
    end = data.draw(st.integers(first + 1, 30))
    bands = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=5))
    n_threads = data.draw(st.sampled_from([1, 2]))
    output = stream.with_name("part.npy")
    words = (f"{first}:{end}", ",".join(map(str, bands)), "1:5")
    report = decompress_chosen(stream, output, words=words, n_threads=n_threads)
    assert np.array_equal(np.load(output), CUBE[first:end][:, bands][:, :, 1:5])
    assert (report.n_lines, report.n_bands, report.n_columns) == (end - first, len(bands), 4)


def test_places_of_single_pixels_move_with_the_part_and_polynomials_of_the_whole_stay_out() -> None:
    metadata = {"geo points": ["12", "23", "60.5", "10.25", "14", "25", "60.75", "10.5"], "rpc info": ["1", "2"]}
    image = replace(IMAGE, metadata=metadata)
    part = chosen_image(image, Chosen(range(10, 20), (0,), range(2, 6)))
    assert part.metadata == {"geo points": ["10.0", "13.0", "60.5", "10.25", "12.0", "15.0", "60.75", "10.5"]}
    bands_only = chosen_image(image, Chosen(range(30), (0,), range(6)))
    assert bands_only.metadata == metadata


def test_the_command_restores_a_part_with_its_metadata_and_records(stream: Path, tmp_path: Path) -> None:
    output = tmp_path / "part.hdr"
    done = run("decompress", stream, "-o", output, "--lines", "10:20", "--bands", "3,1", "--columns", "2:6")
    assert done.exit_code == 0, done.output
    scene = open_scene(output)
    assert np.array_equal(scene.samples, CUBE[10:20][:, [3, 1]][:, :, 2:6])
    assert scene.metadata["wavelength"] == ["860", "550"]
    assert scene.metadata["band names"] == ["d", "b"]
    assert scene.metadata["map info"][:5] == ["UTM", "-1.0", "-9.0", "500000", "5800000"]
    assert scene.metadata["y start"] == "15"
    assert "default bands" not in scene.metadata
    records = json.loads(output.with_suffix(".records.json").read_text())
    assert records["records"] == 10
    assert output.with_suffix(".records.bin").read_bytes() == b"".join(b"line %d" % y for y in range(10, 20))


def test_damage_outside_the_part_costs_nothing_and_inside_is_named(stream: Path, tmp_path: Path) -> None:
    data = bytearray(stream.read_bytes())
    with stream.open("rb") as file:
        place = segment_places(file).places[1]
    data[place.offset + 50] ^= 1
    bad = tmp_path / "bad.lrwk"
    bad.write_bytes(data)
    assert run("decompress", bad, tmp_path / "ok.npy", "--lines", "16:30").exit_code == 0
    with pytest.raises(Corrupt, match="segment at line 8"):
        decompress_chosen(bad, tmp_path / "no.npy", words=("6:20", None, None))
    done = run("decompress", bad, tmp_path / "some.npy", "--lines", "6:20", "--salvage", "--fill", "9")
    assert done.exit_code == 1
    assert "lines 2..9 are missing and 9 in the output" in done.output
    found = np.load(tmp_path / "some.npy")
    assert np.all(found[2:10] == 9)
    assert np.array_equal(found[[0, 1, 10, 13]], CUBE[[6, 7, 16, 19]])


def test_a_cut_stream_gives_its_part_with_salvage(stream: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.lrwk"
    cut.write_bytes(stream.read_bytes()[: stream.stat().st_size // 2])
    assert run("decompress", cut, tmp_path / "no.npy", "--lines", "2:30").exit_code == 1  # an error that CliRunner sees
    assert run("decompress", cut, tmp_path / "some.npy", "--lines", "2:30", "--salvage").exit_code == 1
    assert np.array_equal(np.load(tmp_path / "some.npy")[:5], CUBE[2:7])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("5:31", None, None), "lines: found 5:31, allowed within 0:30"),
        (("9:5", None, None), "lines: found 9:5, allowed within 0:30"),
        (("1:2,5:7", None, None), "lines: found several runs, allowed one A:B"),
        ((None, "red", None), "bands: found 'red', allowed a number or A:B"),
        ((None, "4", None), "bands: found 4, allowed within 0:4"),
        ((None, None, "2:2"), "columns: found 2:2, allowed within 0:6"),
    ],
)
def test_wrong_words_are_one_line(words: Any, told: str) -> None:
    with pytest.raises(BadArgument, match=told):
        chosen_part(words, CUBE.shape)


def test_a_whole_image_keeps_its_metadata() -> None:
    assert chosen_image(IMAGE, chosen_part((None, None, None), (30, 4, 6))) == IMAGE


def test_the_transform_of_a_geotiff_moves() -> None:
    table = {
        "pages": [{"bands": [{"name": "a"}, {}, {}, {"name": "d"}], "transform": [30.0, 0.0, 5.0, 0.0, -30.0, 9.0]}]
    }
    image = ImageDescription(4, 6, 12, False, 30, metadata={"GeoTIFF": table})
    part = chosen_image(image, Chosen(range(10, 20), (3,), range(2, 6)))
    (page,) = part.metadata["GeoTIFF"]["pages"]
    assert page == {"bands": [{"name": "d"}], "transform": [30.0, 0.0, 65.0, 0.0, -30.0, -291.0]}


def test_an_output_is_given_once(stream: Path, tmp_path: Path) -> None:
    for words in ((), (tmp_path / "a.npy", "-o", tmp_path / "b.npy")):
        done = run("decompress", stream, *words)
        assert done.exit_code == 2
        assert "an output is given once" in done.output


def live(path: Path, lines: int = 0) -> Path:
    """The stream of an encoder that was cut off after line 23."""
    encoder = Encoder(replace(IMAGE, n_lines=lines), OPTIONS)
    path.write_bytes(encoder.header + b"".join(map(encoder.push, CUBE)))
    return path


def test_a_cut_stream_that_announced_no_lines_says_that_more_may_be_missing(tmp_path: Path) -> None:
    cut, output = live(tmp_path / "cut.lrwk"), tmp_path / "some.npy"
    for words in (("--bands", "0"), ("--lines", "2:")):
        done = run("decompress", cut, output, "--salvage", *words)
        assert done.exit_code == 1
        first = 22 if "--lines" in words else 24
        assert f"lines from {first} on may be missing" in done.output
        assert json.loads(output.with_suffix(".lines.json").read_text())["missing_from"] == first
    assert run("decompress", cut, output, "--salvage", "--lines", "2:24").exit_code == 0
    cut.write_bytes(cut.read_bytes()[: len(Encoder(replace(IMAGE, n_lines=0), OPTIONS).header) + 9])
    with pytest.raises(Truncated, match="segment header: 9 bytes found"):
        decompress_chosen(cut, output, words=(None, "0", None), salvage=True)


def test_memory_does_not_grow_with_the_lines_that_are_announced(tmp_path: Path) -> None:
    cut = live(tmp_path / "cut.lrwk", lines=(1 << 32) - 1)
    tracemalloc.start()
    report = decompress_chosen(cut, tmp_path / "some.npy", words=(None, "0", "0:1"), salvage=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.missing_lines == ((24, (1 << 32) - 2),)
    assert peak < 64 << 20
    assert np.array_equal(np.load(tmp_path / "some.npy", mmap_mode="r")[:24], CUBE[:24, :1, :1])


@pytest.mark.parametrize("number", [float("inf"), 10**400])
def test_metadata_that_cannot_be_moved_are_left_out(number: float) -> None:
    metadata = {
        "default bands": [number, 1, 2], "y start": number, "map info": ["UTM", number, number, 0, 0, 1, 1],
        "geotransform": [number] * 6,
    }  # fmt: skip
    part = chosen_image(replace(IMAGE, metadata=metadata), Chosen(range(2, 5), (2, 0), range(1, 4)))
    if isinstance(number, int):
        assert part.metadata == {"y start": str(number + 2)}
    else:
        assert part.metadata.keys() <= {"map info", "geotransform"}

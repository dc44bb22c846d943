"""What `info` prints: text for people, one object a line for machines, a cut stream as far as it goes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import compress_lines
from runtime.codec.encoder import Encoder
from runtime.codec.segment_places import segment_places
from runtime.commands.cli import cli
from runtime.commands.info_text import MOST_SHOWN, shown
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind


def write_stream(path: Path) -> Path:
    cube = np.random.default_rng(1).integers(0, 4096, (30, 4, 6)).astype(np.uint16)
    image = ImageDescription(4, 6, 12, False, 30, metadata={"wavelength": [str(nm) for nm in range(400, 800, 100)]})
    compress_lines(cube, image, path, CodingOptions(PredictorKind.DPCM, segment_lines=8))
    return path


def test_text_is_short_lines_and_equal_segments_are_one(tmp_path: Path) -> None:
    path = write_stream(tmp_path / "scene.lrwk")
    done = CliRunner().invoke(cli, ["info", str(path)])
    lines = done.output.splitlines()
    assert lines[0] == str(path)
    assert lines[1].split(maxsplit=1) == ["image", "30 lines x 4 bands x 6 columns, uint16, codes of 12 bits"]
    (segments,) = [line for line in lines if "segments" in line]
    assert "lines 0..29 in 4 segments" in segments and "dpcm, stage none" in segments and "lossless" in segments
    assert max(map(len, lines[1:])) < 160


def test_many_files_and_one_that_is_cut(tmp_path: Path) -> None:
    whole, cut = write_stream(tmp_path / "a.lrwk"), tmp_path / "b.lrwk"
    with whole.open("rb") as file:
        third = segment_places(file).places[2]
    cut.write_bytes(whole.read_bytes()[: third.offset + 60])
    done = CliRunner().invoke(cli, ["info", str(cut), str(whole), str(tmp_path / "no.lrwk")])
    assert done.exit_code == 2
    assert "lines 0..15 in 2 segments" in done.stdout
    assert "lines 0..29 in 4 segments" in done.stdout
    assert len(done.stderr.splitlines()) == 2
    done = CliRunner().invoke(cli, ["info", "--json", str(cut), str(whole)])
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["file"], first["header"]["lines"], first["error"] is None) == (str(cut), 16, False)
    assert (second["header"]["lines"], second["error"]) == (30, None)


def test_values_of_any_size_are_one_short_line() -> None:
    assert shown([str(i) for i in range(1000)]) == "1000 values, 0, 1 ... 999"
    assert shown({"pages": []}) == "table of pages"
    assert len(shown("x\n\x1b" * 1000)) <= 100 and "\x1b" not in shown("\x1b[31m")
    assert MOST_SHOWN > 1


def test_keys_of_the_metadata_are_one_short_line_too(tmp_path: Path) -> None:
    image = ImageDescription(4, 6, 12, False, 2, metadata={"\x1b[2Jkey\nfake: line" + "x" * 999: nested(900)})
    compress_lines(np.zeros((2, 4, 6), np.uint16), image, tmp_path / "a.lrwk", CodingOptions(PredictorKind.DPCM))
    done = CliRunner().invoke(cli, ["info", str(tmp_path / "a.lrwk")])
    assert done.exit_code == 0
    assert "\x1b" not in done.output and max(map(len, done.output.splitlines())) < 240
    assert len(done.output.splitlines()) == 6


def nested(depth: int) -> list[Any]:
    """A list in a list and so on."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def test_a_run_of_segments_ends_at_a_gap(tmp_path: Path) -> None:
    encoder = Encoder(ImageDescription(4, 6, 12, False), CodingOptions(PredictorKind.DPCM, segment_lines=8))
    lines = np.random.default_rng(1).integers(0, 4096, (30, 4, 6)).astype(np.uint16)
    stream = encoder.header + encoder.skip(1) + b"".join(map(encoder.push, lines[:20])) + encoder.skip(5)
    (tmp_path / "gap.lrwk").write_bytes(stream + b"".join(map(encoder.push, lines[20:])) + encoder.finish())
    done = CliRunner().invoke(cli, ["info", str(tmp_path / "gap.lrwk")])
    for text in ("lines 1..20 in 3 segments", "lines 26..35 in 2 segments", "lines 0..0", "lines 21..25"):
        assert text in done.output

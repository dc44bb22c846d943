"""Transcoding gives streams whose samples, metadata and records are those of the source, segments regular."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import linerwkv
from linerwkv.ground import transcoding
from linerwkv.ground.archive_index import archive_index
from linerwkv.ground.transcoding import transcode
from runtime.commands.ccsds123_commands import ccsds123
from runtime.errors import BadArgument, Corrupt
from runtime.images.line_frame import RecordedLine
from tests.linerwkv.conftest import N_BANDS, N_COLUMNS, N_LINES, WAVELENGTHS, Cube

WORDS = {"predictor": "dpcm", "segment_lines": 16}


def irregular(cube: Cube, path: Path, **metadata: Any) -> Path:
    """A stream that lacks lines 11..13, and has records."""
    sizes = (N_BANDS, N_COLUMNS, 12)
    with linerwkv.Encoder(*sizes, metadata=metadata, predictor="dpcm", segment_lines=8) as encoder:
        data = encoder.header + b"".join(encoder.push(line, b"%d" % y) for y, line in enumerate(cube[:11]))
        data += encoder.skip(3) + b"".join(map(encoder.push, cube[14:])) + encoder.finish()
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", ["hdr", "tif", "npy"])
def test_image_files(suffix: str, stream: Path, cube: Cube, tmp_path: Path) -> None:
    if suffix == "tif":
        pytest.importorskip("rasterio")
    linerwkv.decompress(stream, tmp_path / f"scene.{suffix}")
    original, n_bytes, _ = transcode(tmp_path / f"scene.{suffix}", tmp_path / "new.lrwk", WORDS)
    assert n_bytes == (tmp_path / "new.lrwk").stat().st_size
    assert original.image.n_lines == N_LINES
    with linerwkv.open(tmp_path / "new.lrwk") as image:
        assert np.array_equal(image, cube)
        assert image.chunks[0] == (16, 16, 16, 2)
        assert suffix == "npy" or image.attrs["nodata"] == 65535
        assert suffix != "hdr" or image.attrs["wavelength"] == WAVELENGTHS


def test_images_of_ccsds123(stream: Path, cube: Cube, tmp_path: Path) -> None:
    np.save(tmp_path / "scene.npy", cube)
    source = tmp_path / "scene.bin"
    done = CliRunner().invoke(ccsds123, ["encode", str(tmp_path / "scene.npy"), str(source)])
    assert done.exit_code == 0, done.output
    transcode(source, tmp_path / "new.lrwk", WORDS, is_ccsds123=True)
    assert np.array_equal(linerwkv.open(tmp_path / "new.lrwk"), cube)
    source.write_bytes(source.read_bytes()[:-20])
    with pytest.raises(linerwkv.LineRwkvError, match=r"scene\.bin"):
        transcode(source, tmp_path / "cut.lrwk", WORDS, is_ccsds123=True)
    assert not (tmp_path / "cut.lrwk").exists()


def test_irregular_streams_become_regular(cube: Cube, tmp_path: Path) -> None:
    source = irregular(cube, tmp_path / "odd.lrwk", wavelength=WAVELENGTHS)
    assert archive_index([str(source)]).refused
    with pytest.raises(BadArgument, match=r"lines 11\.\.13 are missing, .* --fill gives one, found None"):
        transcode(source, tmp_path / "new.lrwk", WORDS)
    with pytest.raises(BadArgument, match="a sample that is there has it"):
        transcode(source, tmp_path / "new.lrwk", WORDS, fill=int(cube[20, 0, 0]))
    original, *_ = transcode(source, tmp_path / "new.lrwk", WORDS, fill=65535)
    assert original.notes == ("lines 11..13 are missing, now 65535",)
    assert not archive_index([str(tmp_path / "new.lrwk")]).refused
    with linerwkv.open(tmp_path / "new.lrwk") as image:
        assert np.array_equal(image[:11], cube[:11]) and np.array_equal(image[14:], cube[14:])
        assert np.all(image[11:14] == 65535) and image.attrs["nodata"] == 65535
        assert image.attrs["wavelength"] == WAVELENGTHS
        assert list(image.line_records[:15]) == [*(b"%d" % y for y in range(11)), b"", b"", b"", b""]


def test_declared_values_fill_and_a_stream_stays_what_it_was(stream: Path, cube: Cube, tmp_path: Path) -> None:
    transcode(stream, tmp_path / "new.lrwk", WORDS)
    with linerwkv.open(stream) as old, linerwkv.open(tmp_path / "new.lrwk") as new:
        assert new.header.image == old.header.image
        assert np.array_equal(new, cube)


def test_a_copy_that_differs_gets_no_name(
    stream: Path, cube: Cube, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "scene.npy", cube)
    once = iter([cube, cube + np.uint16(1)])  # the file changes between coding and the check

    def changing(scene: Any) -> Any:
        return (RecordedLine(line, b"") for line in next(once))

    monkeypatch.setattr(transcoding, "recorded", changing)
    with pytest.raises(Corrupt, match="line 0 of the new stream is not that of the source"):
        transcode(tmp_path / "scene.npy", tmp_path / "new.lrwk", WORDS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scene.npy"]


def test_a_source_is_never_the_output(stream: Path, tmp_path: Path) -> None:
    copy = tmp_path / "scene.lrwk"
    copy.write_bytes(stream.read_bytes())
    with pytest.raises(BadArgument, match="is the input"):
        transcode(copy, copy, WORDS)
    assert copy.read_bytes() == stream.read_bytes()

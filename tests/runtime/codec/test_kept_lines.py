"""A bad datum of a source that cannot be read again costs no line before it, and is named."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.kept_lines import KeptLines
from runtime.codec.stream_reader import StreamReader
from runtime.errors import BadArgument
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene
from runtime.stream.depth import OutOfRange
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind

LINES = np.random.default_rng(0).integers(0, 1 << 12, (20, 3, 5)).astype(np.uint16)
PIPE = ImageDescription(3, 5, 12, is_signed=False)
LAYOUT = ("--bands", "3", "--columns", "5", "--bit-depth", "12", "--predictor", "dpcm", "--segment-lines", "4")


def encoder(image: ImageDescription = PIPE, beyond: OutOfRange = OutOfRange.STOP) -> Encoder:
    return Encoder(image, CodingOptions(PredictorKind.DPCM, segment_lines=4, out_of_range=beyond))


def decoded(data: bytes) -> np.ndarray:
    """Of a stream that is whole: index and end are checked."""
    reader = StreamReader(io.BytesIO(data))
    decoder = Decoder(reader.header)
    return np.array([line for header, payload in reader.segments() for line in decoder.lines(header, payload)])


def with_sample(value: int, place: tuple[int, int, int] = (9, 1, 2)) -> np.ndarray:
    lines = LINES.astype(np.int32)
    lines[place] = value
    return lines


def then_fails(error: Exception) -> Iterator[np.ndarray]:
    yield from LINES[:9]
    raise error


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (iter(with_sample(4096)), "sample 4096 at line 9, band 1, column 2; the bit depth allows 0..4095"),
        (iter(with_sample(-1)), "sample -1 at line 9, band 1, column 2"),
        (then_fails(BadArgument("input ends within line 9")), "input ends within line 9"),
        (then_fails(OSError(5, "Input/output error")), "input after 9 lines: Input/output error"),
        (iter([*LINES[:9], LINES[9, :2], *LINES[10:]]), "line 9: uint16 of shape"),
    ],
)
def test_the_stream_is_whole_with_all_lines_before(source: Iterator[np.ndarray], text: str) -> None:
    kept = KeptLines(source, encoder())
    np.testing.assert_array_equal(decoded(b"".join(kept)), LINES[:9])
    assert str(kept.failure).startswith(text)
    assert str(kept.failure).endswith("; the 9 lines before it are kept")


def test_where_nothing_would_be_lost_it_is_an_error() -> None:
    with pytest.raises(BadArgument, match="line 0, band 1"):
        list(KeptLines(with_sample(4096, (0, 1, 2)), encoder()))
    image = ImageDescription(3, 5, 12, is_signed=False, n_lines=20)
    with pytest.raises(BadArgument, match="line 9, band 1"):
        list(KeptLines(with_sample(4096), encoder(image)))


def test_samples_beyond_the_depth_are_clipped_and_counted_where_that_is_asked_for() -> None:
    lines = with_sample(70000)
    lines[12, 0, 0] = -7
    coder = encoder(beyond=OutOfRange.CLIP)
    kept = KeptLines(lines, coder)
    np.testing.assert_array_equal(decoded(b"".join(kept)), np.clip(lines, 0, 4095))
    assert kept.failure is None
    assert (coder.codes.n_clipped, coder.codes.first_clipped) == (2, "sample 70000 at line 9, band 1, column 2")


def test_a_file_may_be_clipped_to_the_depth_that_is_given() -> None:
    lines = with_sample(70000)
    assert describe(Scene(lines), 12, OutOfRange.CLIP).range == (0, 4095)
    for beyond, depth in ((OutOfRange.CLIP, None), (OutOfRange.STOP, 12)):
        with pytest.raises(BadArgument, match=r"needs? 17|17 bits after"):
            describe(Scene(lines), depth, beyond)


@pytest.mark.parametrize(
    ("options", "code", "n_lines", "text"),
    [
        ((), 1, 9, "linerwkv: sample 5000 at line 9, band 1, column 2; "),
        (("--out-of-range", "stop"), 1, 9, "linerwkv: sample 5000 at line 9, "),
        (("--out-of-range", "clip"), 0, 20, "linerwkv: note: 1 samples beyond the bit depth were clipped, the first: "),
    ],
)
@pytest.mark.parametrize("program", ["compress", "record"])
def test_the_command_and_the_recorder_say_so(
    program: str, options: tuple[str, ...], code: int, n_lines: int, text: str, tmp_path: Path
) -> None:
    words = ["cli", "compress", "-", "0001.lrwk"] if program == "compress" else ["recorder", str(tmp_path)]
    module = {"cli": "runtime.commands.cli", "recorder": "runtime.target.recorder"}[words[0]]
    words = [word.replace("0001", str(tmp_path / "0001")) for word in words[1:]]
    lines = with_sample(5000).astype("<u2")
    command = [sys.executable, "-m", module, *words, *LAYOUT, *options]
    done = subprocess.run(command, input=lines.tobytes(), capture_output=True, check=False)
    assert done.returncode == code, done.stderr
    (said,) = done.stderr.decode().splitlines()
    assert said.startswith(text)
    restored = decoded((tmp_path / "0001.lrwk").read_bytes())
    np.testing.assert_array_equal(restored, np.minimum(lines, 4095)[:n_lines])

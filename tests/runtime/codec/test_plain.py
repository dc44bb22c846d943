"""The form of plain samples: no prediction, its size known beforehand, read by what reads stored segments."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from runtime.codec.coding_options import CodingOptions, Unpredicted, coding_options
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.forms_encoder import Form, FormsEncoder, loaded_forms
from runtime.codec.opened_encoder import opened_encoder, opened_file_encoder
from runtime.codec.stream_reader import StreamReader
from runtime.codec.threaded_encoder import ThreadedEncoder
from runtime.commands.cli import cli
from runtime.defences.segment_guard import GuardLevel
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Coder, PredictorKind, SampleType, SpecialKind
from runtime.stream.segment_header import SEGMENT_BYTES
from runtime.stream.special_values import Special
from runtime.stream.telemetry import SegmentTelemetry

PLAIN = CodingOptions(Unpredicted.PLAIN, segment_lines=3, index=False)


def cube_of(image: ImageDescription, n_lines: int, seed: int = 0) -> npt.NDArray[Any]:
    """Samples anywhere in the range."""
    low, high = image.range
    return np.random.default_rng(seed).integers(low, high + 1, (n_lines, image.n_bands, image.n_columns))


def coded(encoder: Any, cube: npt.NDArray[Any]) -> bytes:
    return b"".join([encoder.header, *map(encoder.push, cube), encoder.finish()])


def restored(stream: bytes) -> tuple[npt.NDArray[Any], StreamReader]:
    """The lines of a stream whose segments are all plain samples."""
    reader = StreamReader(io.BytesIO(stream))
    segments = list(reader.segments())
    for header, _ in segments:
        assert (header.coding.predictor, header.coder) == (PredictorKind.CCSDS123, Coder.STORED)
        assert header.coding.max_error == 0
    decoder = Decoder(reader.header)
    return np.array([line for segment in segments for line in decoder.lines(*segment)]), reader


shapes = st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(1, 9))


@given(shapes, st.integers(8, 16), st.booleans(), st.integers(1, 4), st.sampled_from(GuardLevel), st.integers(0, 3))
def test_a_segment_has_the_bits_of_its_samples(
    shape: tuple[int, int, int], depth: int, is_signed: bool, segment_lines: int, guard: GuardLevel, max_error: int
) -> None:
    n_lines, n_bands, n_columns = shape
    image = ImageDescription(n_bands, n_columns, depth, is_signed)
    cube = cube_of(image, n_lines)
    options = CodingOptions(
        Unpredicted.PLAIN, segment_lines=segment_lines, index=False, guard=guard, max_error=max_error
    )
    encoder = Encoder(image, options)
    stream = coded(encoder, cube)
    back, _ = restored(stream)
    assert np.array_equal(back, cube)
    lines = [min(segment_lines, n_lines - first) for first in range(0, n_lines, segment_lines)]
    end = encoder.header + encoder.record(b"\xc5END", bytes(20 + len(encoder.header)))
    payloads = sum(SEGMENT_BYTES + (n * n_bands * n_columns * depth + 7) // 8 for n in lines)
    assert len(stream) == len(end) + payloads
    assert encoder.n_fallbacks == 0


@given(shapes, st.integers(0, 3), st.sampled_from([SpecialKind.VOID, SpecialKind.LIMIT]), st.integers(0, 2**32))
def test_special_values_come_back(shape: tuple[int, int, int], max_error: int, kind: SpecialKind, seed: int) -> None:
    n_lines, n_bands, n_columns = shape
    value = -9999 if kind is SpecialKind.VOID else 1023
    image = ImageDescription(n_bands, n_columns, 10, False, 0, SampleType.INT16, specials=(Special(value, kind),))
    cube = cube_of(image, n_lines)
    cube[np.random.default_rng(seed).random(cube.shape) < 0.3] = value
    options = CodingOptions(Unpredicted.PLAIN, max_error=max_error, segment_lines=2)
    assert np.array_equal(restored(coded(Encoder(image, options), cube))[0], cube)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_bytes_do_not_depend_on_threads_and_telemetry_has_no_residuals(n_threads: int) -> None:
    image = ImageDescription(3, 20, 13, is_signed=True)
    cube = cube_of(image, 20)
    told: list[SegmentTelemetry] = []
    with opened_encoder(PLAIN, image, on_segment=told.append, is_live=True, n_threads=n_threads) as live:
        expected = coded(live, cube)
    with opened_file_encoder(PLAIN, image, n_threads) as encoder:
        assert isinstance(encoder, ThreadedEncoder if n_threads > 1 else Encoder)
        assert coded(encoder, cube) == expected
    assert np.array_equal(restored(expected)[0], cube)
    assert {(one.residuals.to_dict(), one.n_fallbacks, one.executor) for one in told} == {(None, 0, None)}


def test_a_recorder_changes_to_it_and_back() -> None:
    image = ImageDescription(3, 20, 12, is_signed=False)
    cube = cube_of(image, 9)
    forms = [Form("dpcm", coding_options({"predictor": "dpcm"})), Form("plain", coding_options({"predictor": "plain"}))]
    with loaded_forms(image, forms, [0, 2]) as loaded:
        encoder = FormsEncoder(image, loaded, 0, 2)
        pieces = [encoder.header]
        for y, line in enumerate(cube):
            if y in (3, 6):
                pieces.append(encoder.use(1 if y == 3 else 0, 2))
            pieces.append(encoder.push(line))
        reader = StreamReader(io.BytesIO(b"".join([*pieces, encoder.finish()])))
    segments = list(reader.segments())
    assert [(one.header.coder is Coder.STORED, one.header.coding.max_error) for one in segments] == [
        (False, 2), (True, 0), (False, 2),
    ]  # fmt: skip
    assert np.array_equal(list(Decoder(reader.header).lines(*segments[1])), cube[3:6])


def test_the_command_line_has_it(tmp_path: Path) -> None:
    raw = cube_of(ImageDescription(3, 20, 12, is_signed=False), 6).astype("<u2")
    (tmp_path / "in.raw").write_bytes(raw.tobytes())
    words = ["--bands", "3", "--columns", "20", "--bit-depth", "12"]
    done = CliRunner().invoke(
        cli, ["compress", str(tmp_path / "in.raw"), str(tmp_path / "a.lrwk"), "--predictor", "plain", *words]
    )
    assert done.exit_code == 0, done.output
    assert np.array_equal(restored((tmp_path / "a.lrwk").read_bytes())[0], raw)

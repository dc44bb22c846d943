"""Raw frames, each line between a header and a trailer, come back whole from a stream."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.codec.stream_reader import StreamReader
from runtime.commands.cli import cli
from runtime.errors import BadArgument
from runtime.images.line_form import LineForm
from runtime.images.line_frame import KEYS, LineFrame, frame_of
from runtime.images.packed_samples import BitOrder
from runtime.images.raw_file import RawFile
from runtime.images.raw_lines import RawLayout
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind
from runtime.stream.records import LINES_MARKER
from runtime.target.record_command import record_command
from tests.runtime.codec.stream_parts import SegmentParts, stream_parts
from tests.runtime.images.raw_parts import line_bytes

N_LINES, N_BANDS, N_COLUMNS = 9, 2, 5
CUBE = np.random.default_rng(0).integers(0, 1 << 12, (N_LINES, N_BANDS, N_COLUMNS)).astype(np.uint16)
WORDS = ("--bands", "2", "--columns", "5", "--predictor", "dpcm", "--segment-lines", "4")
DEPTH = ("--bit-depth", "12")


def framed(layout: RawLayout, seed: int = 1) -> bytes:
    """The lines of CUBE, each between random bytes."""
    random, (header, trailer) = np.random.default_rng(seed), layout.frame
    return b"".join(random.bytes(header) + line_bytes(line, layout) + random.bytes(trailer) for line in CUBE)


def run(*words: object, data: bytes = b"", code: int = 0) -> Result:
    done = CliRunner().invoke(cli, [str(word) for word in words], input=data)
    assert done.exit_code == code, done.output
    return done


def refusal(*words: object) -> str:
    """The line that a command ends with."""
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert isinstance(done.exception, BadArgument)
    return str(done.exception)


def frame_words(frame: LineFrame) -> list[object]:
    return ["--line-header", frame.header, "--line-trailer", frame.trailer]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=st.integers(0, 40), trailer=st.integers(0, 9), is_file=st.booleans())
def test_compress_then_decompress_is_the_identity(header: int, trailer: int, is_file: bool, tmp_path: Path) -> None:
    frame, source, stream = LineFrame(header, trailer), tmp_path / "frames.raw", tmp_path / "a.lrwk"
    frames = framed(RawLayout(N_BANDS, N_COLUMNS, "<u2", "bil", frame=frame))
    source.write_bytes(frames)
    run("compress", source if is_file else "-", stream, *WORDS, *DEPTH, *frame_words(frame), data=frames)
    if not frame.n_bytes:
        assert "the stream does not say" in refusal("decompress", stream, "-", "--with-records")
        assert run("decompress", stream, "-").stdout_bytes == frames
        return
    assert run("decompress", stream, "-", "--with-records").stdout_bytes == frames
    plain = run("decompress", stream, "-")
    assert plain.stdout_bytes == CUBE.astype("<u2").tobytes()
    assert "note: records of 9 lines are not carried" in plain.stderr


@pytest.mark.parametrize("form", [LineForm(), LineForm(12, BitOrder.LSB, line_alignment=64)])
def test_frames_of_any_form_keep_their_bytes(form: LineForm, tmp_path: Path) -> None:
    layout = RawLayout(N_BANDS, N_COLUMNS, "<u2" if form.packing else ">u2", "bip", form, LineFrame(3, 2))
    words = ["--packing", 12, "--bit-order", "lsb", "--line-alignment", 64] if form.packing else ["--dtype", ">u2"]
    source, stream = tmp_path / "frames.raw", tmp_path / "a.lrwk"
    source.write_bytes(framed(layout))
    run("compress", source, stream, *WORDS, *words, "--interleave", "bip", *frame_words(layout.frame))
    records = list(RawFile(source, layout, source.stat().st_size).records())
    assert run("decompress", stream, "-", "--with-records").stdout_bytes == b"".join(
        record[:3] + line.astype("<u2").tobytes() + record[3:] for record, line in zip(records, CUBE, strict=True)
    )
    run("decompress", stream, tmp_path / "b.hdr")
    assert (tmp_path / "b.records.bin").read_bytes() == b"".join(records)
    table = json.loads((tmp_path / "b.records.json").read_text())
    assert table == {"runs": [[0, 9, 5]], "records": 9, "bytes": 45, "frame": {"header": 3, "trailer": 2}}
    assert not any(key in (tmp_path / "b.hdr").read_text() for key in KEYS)


def test_the_recorder_takes_them_too(tmp_path: Path) -> None:
    frames = framed(RawLayout(N_BANDS, N_COLUMNS, "<u2", "bil", frame=LineFrame(7, 1)))
    words = [str(tmp_path), *WORDS, *DEPTH, "--line-header", "7", "--line-trailer", "1"]
    done = CliRunner().invoke(record_command, words, input=frames[:-1])
    assert "input ends within line 8: 27 of 28 bytes; the 8 lines before it are kept" in str(done.exception)
    (stream,) = tmp_path.iterdir()
    assert run("decompress", stream, "-", "--with-records").stdout_bytes == frames[: 8 * 28]


def test_missing_lines_have_frames_of_zeros(tmp_path: Path) -> None:
    stream = tmp_path / "a.lrwk"
    frames = framed(RawLayout(N_BANDS, N_COLUMNS, "<u2", "bil", frame=LineFrame(7, 1)))
    run("compress", "-", stream, *WORDS, *DEPTH, "--line-header", 7, "--line-trailer", 1, data=frames)
    parts = stream_parts(stream.read_bytes())
    first = next(piece for piece in parts.pieces if isinstance(piece, SegmentParts))
    first.fields["samples_crc"] ^= 1
    data = bytearray(parts.to_bytes())
    data[data.rfind(LINES_MARKER) + 14] ^= 1
    stream.write_bytes(data)
    done = run("decompress", stream, "-", "--with-records", "--salvage", "--fill", 258, code=1)
    assert "note: records of lines 8..8 are lost" in done.stderr
    missing = bytes(7) + b"\x02\x01" * 10 + bytes(1)
    last = bytes(7) + CUBE[8].astype("<u2").tobytes() + bytes(1)
    assert done.stdout_bytes == missing * 4 + frames[4 * 28 : 8 * 28] + last


def test_lost_records_alone_are_named_by_the_exit_code(tmp_path: Path) -> None:
    stream = tmp_path / "a.lrwk"
    frames = framed(RawLayout(N_BANDS, N_COLUMNS, "<u2", "bil", frame=LineFrame(7, 1)))
    run("compress", "-", stream, *WORDS, *DEPTH, "--line-header", 7, "--line-trailer", 1, data=frames)
    data = bytearray(stream.read_bytes())
    data[data.find(LINES_MARKER)] ^= 1
    stream.write_bytes(data)
    done = run("decompress", stream, tmp_path / "b.hdr", "--salvage", "--json", code=1)
    assert json.loads(done.stdout)["lost_records"] == 4 and "note: records of lines 0..3 are lost" in done.stderr
    assert json.loads((tmp_path / "b.records.json").read_text())["runs"] == [[4, 5, 8]]


def test_records_that_are_no_frames_are_refused_to_a_pipe(tmp_path: Path) -> None:
    stream, metadata = tmp_path / "a.lrwk", LineFrame(2, 1).metadata()
    image = ImageDescription(2, 5, 12, is_signed=False, metadata=metadata)
    encoder = Encoder(image, CodingOptions(PredictorKind.DPCM))
    stream.write_bytes(encoder.header + encoder.push(CUBE[0]) + encoder.push(CUBE[1], b"ab") + encoder.finish())
    shown = refusal("decompress", stream, "-", "--with-records")
    assert shown.startswith("record of line 1: 2 bytes found, frames have 3")
    assert "for an output -" in run("decompress", stream, tmp_path / "a.hdr", "--with-records", code=2).stderr


@pytest.mark.parametrize(
    ("interleave", "frame", "text"),
    [
        ("bsq", LineFrame(1, 0), "line header and trailer of bsq"),
        ("bil", LineFrame(-1, 2), "line header and trailer of -1 and 2 bytes"),
        ("bip", LineFrame(65536, 1), "allowed 65536 together"),
    ],
)
def test_frames_that_no_line_has(interleave: str, frame: LineFrame, text: str) -> None:
    with pytest.raises(BadArgument, match=text):
        RawLayout(2, 5, "<u2", interleave, frame=frame)


@pytest.mark.parametrize(
    "values", [("1", None), ("1", 2), ("", "1"), ("-1", "2"), ("0", "0"), ("65536", "1"), ("1²", "2")]
)
def test_what_a_stream_says_of_frames_is_not_trusted(values: tuple[object, object]) -> None:
    assert frame_of(dict(zip(KEYS, values, strict=True))) is None


def test_the_stream_says_how_frames_lie(tmp_path: Path) -> None:
    stream = tmp_path / "a.lrwk"
    data = framed(RawLayout(N_BANDS, N_COLUMNS, "<u2", "bil", frame=LineFrame(7, 1)))
    run("compress", "-", stream, *WORDS, *DEPTH, "--line-header", 7, "--line-trailer", 1, data=data)
    with stream.open("rb") as file:
        assert frame_of(StreamReader(file).header.image.metadata) == LineFrame(7, 1)

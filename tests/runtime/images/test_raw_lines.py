"""Raw lines come back whatever form their bytes have: packed, padded, of every interleave, by pipe and by file."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.commands.cli import cli
from runtime.errors import BadArgument
from runtime.images import raw_file
from runtime.images.line_form import LineForm
from runtime.images.packed_samples import PACKINGS, BitOrder, packed_size, unpacked
from runtime.images.raw_file import RawFile
from runtime.images.raw_lines import RawLayout, raw_lines
from runtime.images.raw_scene import open_raw
from runtime.stream.sample_map import SampleMap
from tests.runtime.images.raw_parts import padded, raw_bytes, row_bits

CUBE = np.random.default_rng(0).integers(0, 1 << 10, (7, 3, 5)).astype(np.uint16)
SIZES = ("--bands", "3", "--columns", "5")
DPCM = ("--predictor", "dpcm", "--segment-lines", "4")


@pytest.mark.parametrize(
    ("n_bits", "order", "data"),
    [
        (12, BitOrder.MSB, "abc def"),
        (12, BitOrder.LSB, "bc fa de"),
        (10, BitOrder.MSB, "ff c0 0f fc 00"),
        (10, BitOrder.LSB, "ff 03 f0 3f 00"),
        (14, BitOrder.MSB, "ff fc 00 0f ff c0 00"),
        (14, BitOrder.LSB, "ff 3f 00 f0 ff 03 00"),
    ],
)
def test_bits_lie_as_documented(n_bits: int, order: BitOrder, data: str) -> None:
    largest = (1 << n_bits) - 1
    samples = [0xABC, 0xDEF] if n_bits == 12 else [largest, 0, largest, 0]
    row = np.frombuffer(bytes.fromhex(data.replace(" ", "")), np.uint8)
    assert unpacked(row[None], len(samples), n_bits, order).tolist() == [samples]


@settings(max_examples=200, deadline=None)
@given(data=st.data(), n_bits=st.sampled_from(PACKINGS), order=st.sampled_from(BitOrder))
def test_packed_samples_come_back(data: st.DataObject, n_bits: int, order: BitOrder) -> None:
    n_rows, n_samples = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 20))
    seed, ones = data.draw(st.integers(0, 1 << 30)), data.draw(st.booleans())
    samples = np.random.default_rng(seed).integers(0, 1 << n_bits, (n_rows, n_samples))
    rows = [padded(row_bits(row, n_bits, order), 8, order, int(ones)) for row in samples]
    packed = np.frombuffer(b"".join(rows), np.uint8).reshape(n_rows, -1)
    assert packed.shape[1] == packed_size(n_samples, n_bits)
    np.testing.assert_array_equal(unpacked(packed, n_samples, n_bits, order), samples)


@st.composite
def layouts(draw: Any, interleaves: tuple[str, ...] = ("bil", "bip", "bsq")) -> RawLayout:
    packing = draw(st.sampled_from([None, *PACKINGS]))
    interleave = draw(st.sampled_from(interleaves))
    form = LineForm(
        packing, draw(st.sampled_from(BitOrder)),
        1 if interleave == "bip" else draw(st.sampled_from([1, 8, 16, 24, 32, 128])),
        8 if interleave == "bsq" else draw(st.sampled_from([8, 16, 32, 64])), draw(st.sampled_from([0, 3, 512])),
    )  # fmt: skip
    dtype = draw(st.sampled_from(["u1", "<u2", ">u2", "<i2", ">i2"])) if packing is None else "<u2"
    return RawLayout(draw(st.integers(1, 4)), draw(st.integers(1, 9)), dtype, interleave, form)


def cube_of(layout: RawLayout, n_lines: int) -> np.ndarray:
    dtype = np.dtype(layout.dtype)
    low, high = (0, 1 << layout.form.packing) if layout.form.packing else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    shape = (n_lines, layout.n_bands, layout.n_columns)
    return np.random.default_rng(n_lines).integers(low, high, shape).astype(dtype.newbyteorder("="))


@settings(max_examples=200, deadline=None)
@given(layout=layouts(("bil", "bip")), n_lines=st.integers(1, 4))
def test_lines_of_a_pipe_come_back(layout: RawLayout, n_lines: int) -> None:
    cube = cube_of(layout, n_lines)
    data = raw_bytes(cube, layout)
    found = np.stack(list(raw_lines(io.BytesIO(data), layout)))
    assert found.dtype == cube.dtype
    np.testing.assert_array_equal(found, cube)
    if layout.n_bytes > 1:
        with pytest.raises(BadArgument, match=f"input ends within line {n_lines}: 1 of {layout.n_bytes} bytes"):
            list(raw_lines(io.BytesIO(data + b"?"), layout))


@settings(max_examples=100, deadline=None)
@given(layout=layouts(), n_lines=st.integers(1, 4), block=st.sampled_from([1, 64, 1 << 20]))
def test_lines_of_a_file_come_back(
    layout: RawLayout, n_lines: int, block: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cube = cube_of(layout, n_lines)
    path = tmp_path_factory.mktemp("raw") / "frame.raw"
    path.write_bytes(raw_bytes(cube, layout))
    scene = open_raw(path, layout)
    assert scene.shape == cube.shape and scene.source.dtype == cube.dtype
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw_file, "BLOCK_BYTES", block)
        np.testing.assert_array_equal(scene.samples, cube)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BadArgument, match="got shorter"):
        scene.read()


def test_a_file_that_does_not_hold_whole_lines_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "frame.raw"
    for n_bytes, text in ((0, "not one line"), (39, "not one line"), (100, "2 lines and 24 bytes more")):
        path.write_bytes(bytes(n_bytes))
        with pytest.raises(BadArgument, match=f"{n_bytes} bytes found, lines of 30 bytes after 16 bytes: {text}"):
            open_raw(path, RawLayout(3, 5, "<u2", "bil", LineForm(offset=16)))
    with pytest.raises(BadArgument, match="not found"):
        open_raw(tmp_path / "none.raw", RawLayout(3, 5, "<u2", "bil"))
    assert RawFile(path, RawLayout(3, 5, "u1", "bsq"), 30).shape == (2, 3, 5)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"packing": 11}, "packing 11, allowed 10, 12, 14 bits"),
        ({"row_alignment": 12}, "row alignment of 12 bits, allowed 1 and multiples of 8"),
        ({"line_alignment": 1}, "line alignment of 1 bits, allowed multiples of 8"),
        ({"row_alignment": 8192}, "up to 4096"),
        ({"offset": -1}, "offset of -1 bytes"),
    ],
)
def test_forms_that_no_line_has(form: dict[str, Any], text: str) -> None:
    with pytest.raises(BadArgument, match=text):
        LineForm(**form)


@pytest.mark.parametrize(
    ("interleave", "dtype", "form", "text"),
    [
        ("bip", "<u2", LineForm(row_alignment=8), "row alignment of bip"),
        ("bsq", "<u2", LineForm(line_alignment=16), "line alignment of bsq"),
        ("bil", "<i2", LineForm(12), "packed samples of type <i2"),
    ],
)
def test_words_that_contradict_one_another(interleave: str, dtype: str, form: LineForm, text: str) -> None:
    with pytest.raises(BadArgument, match=text):
        RawLayout(3, 5, dtype, interleave, form)


def test_a_step_is_of_a_pipe_only(tmp_path: Path) -> None:
    (tmp_path / "frame.raw").write_bytes(bytes(30))
    with pytest.raises(BadArgument, match=r"frame\.raw: --sample-step or --sample-offset of a file"):
        open_raw(tmp_path / "frame.raw", RawLayout(3, 5, "<u2", "bil", values=SampleMap(0, 16)))


def test_bsq_is_of_a_file_only() -> None:
    with pytest.raises(BadArgument, match="interleave bsq from a pipe"):
        raw_lines(io.BytesIO(), RawLayout(3, 5, "<u2", "bsq"))


@pytest.mark.parametrize("program", ["pipe", "file"])
def test_the_command_takes_packed_lines(program: str, tmp_path: Path) -> None:
    layout = RawLayout(3, 5, "<u2", "bip", LineForm(10, BitOrder.LSB, line_alignment=32, offset=4))
    data, source, stream = raw_bytes(CUBE, layout), tmp_path / "frame.raw", tmp_path / "a.lrwk"
    source.write_bytes(data)
    words = [*SIZES, "--packing", "10", "--bit-order", "lsb", "--interleave", "bip", "--line-alignment", "32"]
    words += ["--offset", "4", *DPCM]
    name = "-" if program == "pipe" else str(source)
    done = CliRunner().invoke(cli, ["compress", name, str(stream), *words], input=data)
    assert done.exit_code == 0, done.output
    header = json.loads(CliRunner().invoke(cli, ["info", str(stream), "--json"]).output)["header"]
    assert (header["lines"], header["bit_depth"], header["sample_type"]) == (7, 10, "uint16")
    restored = CliRunner().invoke(cli, ["decompress", str(stream), "-"]).stdout_bytes
    np.testing.assert_array_equal(np.frombuffer(restored, "<u2").reshape(CUBE.shape), CUBE)


def test_words_of_a_layout_win_over_a_header_and_say_so(tmp_path: Path) -> None:
    source, stream = tmp_path / "frame.raw", tmp_path / "a.lrwk"
    source.write_bytes(CUBE.transpose(1, 0, 2).astype(">u2").tobytes())
    source.with_suffix(".hdr").write_text("nonsense")
    words = ["compress", str(source), str(stream), *SIZES, "--dtype", ">u2", "--interleave", "bsq", *DPCM]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert f"linerwkv: note: {source}: read by --bands and --columns, not by frame.hdr\n" in done.stderr
    restored = CliRunner().invoke(cli, ["decompress", str(stream), "-"]).stdout_bytes
    np.testing.assert_array_equal(np.frombuffer(restored, "<u2").reshape(CUBE.shape), CUBE)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--bands", "3"], "--bands is of raw lines, which need"),
        (["--dtype", "<u2"], "--dtype is of raw lines"),
        ([*SIZES, "--packing", "12", "--dtype", "<u2"], "allowed one of them"),
        ([*SIZES, "--bit-order", "lsb"], "--bit-order without --packing"),
    ],
)
def test_words_that_would_be_without_effect_are_refused(words: list[str], text: str, tmp_path: Path) -> None:
    source = tmp_path / "frame.raw"
    source.write_bytes(bytes(30))
    done = CliRunner().invoke(cli, ["compress", str(source), str(tmp_path / "a.lrwk"), *words])
    assert done.exit_code == 2 and text in done.output, done.output

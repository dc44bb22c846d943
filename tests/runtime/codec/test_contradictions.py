"""Streams whose checksums are right and whose numbers contradict each other, or ask for more than they can hold."""

import io
import json
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime import ccsds123
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import decompress
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.stream_reader import StreamReader
from runtime.coders.hybrid_residuals import HybridReader, HybridWriter
from runtime.errors import BadArgument, Corrupt
from runtime.images.envi_header_reader import read_envi_header
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind
from runtime.stream.records import ENTRY, GAP, GAP_MARKER, INDEX_MARKER
from runtime.stream.stream_header import LARGEST_METADATA_BYTES, StreamHeader
from tests.runtime.codec.coded_cube import decode, encode
from tests.runtime.codec.stream_parts import RecordParts, SegmentParts, StreamParts, stream_parts

CUBE = np.random.default_rng(3).integers(0, 1000, (12, 3, 8)).astype(np.int32)


@pytest.fixture
def parts() -> StreamParts:
    """Segments of four lines, three of them."""
    return stream_parts(encode(CUBE, segment_lines=4, depth=10))


def first_segment(parts: StreamParts) -> SegmentParts:
    segment = parts.pieces[0]
    assert isinstance(segment, SegmentParts)
    return segment


def refused(parts: StreamParts, match: str) -> None:
    with pytest.raises(Corrupt, match=match):
        decode(parts.to_bytes())


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("lines", 11, "stream has 12 lines, its header announces 11|12 lines or more"),
        ("lines", 13, "stream has 12 lines, its header announces 13"),
        ("sample_type", 1, "type uint8 holds 0..255"),
        ("bands", 1 << 16, "allowed at most 4194304 samples|segment"),
        ("packages", 1, "1 packages"),
    ],
)
def test_a_number_of_the_header_is_held_against_the_others(
    name: str, value: int, match: str, parts: StreamParts
) -> None:
    parts.header[name] = value
    refused(parts, match)


@pytest.mark.parametrize("i", [0, 1, 2])
def test_the_end_is_held_against_what_came(i: int, parts: StreamParts) -> None:
    parts.has_index = False
    parts.end = [12, 3, 0]
    np.testing.assert_array_equal(decode(parts.to_bytes()), CUBE)
    parts.end[i] += 1
    refused(parts, "end record: lines, segments and place of the index are")


def test_an_index_is_held_against_the_segments(parts: StreamParts) -> None:
    parts.has_index = False
    sound = [(0, 4, 77), (4, 4, 300), (8, 4, 500)]
    parts.pieces.append(RecordParts(INDEX_MARKER, b"".join(ENTRY.pack(*entry) for entry in sound)))
    refused(parts, "index record: 42 bytes, allowed those of the 42 of the segments found")


def test_nothing_comes_between_the_index_and_the_end(parts: StreamParts) -> None:
    data = bytearray(parts.to_bytes())
    start = data.rfind(INDEX_MARKER)
    index = data[start : data.rfind(b"\xc5END")]
    data[start:start] = index
    with pytest.raises(Corrupt, match="follows the index record, allowed"):
        list(StreamReader(io.BytesIO(bytes(data))).segments())


def test_a_gap_beyond_the_announced_lines_is_corrupt(parts: StreamParts) -> None:
    parts.header["lines"], parts.has_index = 12, False
    parts.pieces.append(RecordParts(GAP_MARKER, GAP.pack(12, 5)))
    parts.end = [17, 3, 0]
    refused(parts, "its header announces 12")


@pytest.mark.parametrize("changes", [{"order": "BSQ"}, {"a": 9}, {"coder": "block_adaptive"}, {"Ny": 5}, {"D": 11}])
def test_a_ccsds123_payload_is_held_against_its_segment(changes: dict[str, Any]) -> None:
    parts = stream_parts(encode(CUBE[:4], depth=10, predictor=PredictorKind.CCSDS123, max_error=3))
    shape = {"Nx": 8, "Ny": 4, "Nz": 3, "D": 10, "M": 1, "coder": "hybrid", "fidelity": "absolute", "a": 3}
    if changes.get("order") == "BSQ":
        del shape["M"]
    chosen = ccsds123.Ccsds123Parameters.from_dict({**shape, **changes})
    cube = np.resize(CUBE[:4], (chosen.image.n_lines, 3, 8))
    first_segment(parts).payload = ccsds123.encode(cube.transpose(1, 0, 2), chosen)
    refused(parts, "segment at line 0: a CCSDS 123 image (of|by)")


def with_metadata(parts: StreamParts, packed: bytes) -> bytes:
    parts.tail = packed
    return parts.to_bytes()


@pytest.mark.parametrize(
    "packed",
    [
        b"", b"{}", zlib.compress(b"[]"), zlib.compress(b"{}")[:-1], zlib.compress(b"{}") + b"x",
        zlib.compress(b'{"a": "\xff"}'), zlib.compress('{"a": "b"}'.encode("utf-16")),
        zlib.compress(b'{"a":' + b"[" * 100_000), zlib.compress(b"{}" + b" " * LARGEST_METADATA_BYTES),
        zlib.compress(b'{"a": ' + b"1" * 5000 + b"}"),
    ],
)  # fmt: skip
def test_metadata_that_are_not_one_object_are_corrupt(packed: bytes, parts: StreamParts) -> None:
    with pytest.raises(Corrupt, match="stream header: metadata"):
        decode(with_metadata(parts, packed))


def test_metadata_that_no_decoder_would_take_are_refused_by_the_encoder() -> None:
    image = ImageDescription(3, 8, 10, is_signed=False, metadata={"history": "x" * LARGEST_METADATA_BYTES})
    with pytest.raises(BadArgument, match=f"bytes of JSON, allowed {LARGEST_METADATA_BYTES}"):
        StreamHeader(image).to_bytes()


STRUCTURE_IN_DISGUISE: list[dict[str, Any]] = [
    {"Byte Order": "1"}, {" byte  order ": "1"}, {"byte\torder": "1"}, {"sensor": "x\nbyte order = 1"},
    {"sensor": "x\r\nlines = 1"}, {"sensor": "x\x0blines = 1\x0clines = 2\x85lines = 3\u2028lines = 4"},
    {"sensor = x\nlines": "1"}, {"lines=5;x": "1"}, {"x": None, "description": None}, {"x": "\ud800", "\udfff": "y"},
    {"x": {"lines": {"lines": [1, {"a": "}\nlines = 1"}]}}}, {"x": ["a\nlines = 1", "}", "{", None, ["b", ["c"]], 3.5]},
    {"x": "{unclosed"}, {"description": "}\nlines = 1"}, {"x": 1e999, "y": -0.0, "z": True, "w": 10**400},
    {"": "1", " ": "2", "\x00": "3"}, {"FILE TYPE": "ENVI Classification", "File Compression": "1"},
    {"header offset\x00": "9"}, {"\ufeffsamples": "9"}, {"x": "\x00\x1b[31m"},
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(STRUCTURE_IN_DISGUISE)))
def test_metadata_become_no_structure_of_a_restored_header(number: int, parts: StreamParts, tmp_path: Path) -> None:
    packed = zlib.compress(json.dumps(STRUCTURE_IN_DISGUISE[number]).encode())
    (tmp_path / "m.lrwk").write_bytes(with_metadata(parts, packed))
    decompress(tmp_path / "m.lrwk", tmp_path / "back.hdr")
    found = read_envi_header(tmp_path / "back.hdr")
    assert (found.shape, found.dtype, found.interleave, found.offset) == ((12, 3, 8), "<u2", "bil", 0)
    np.testing.assert_array_equal(np.fromfile(tmp_path / "back.bil", found.dtype).reshape(found.shape), CUBE)
    text = (tmp_path / "back.hdr").read_bytes().decode()
    keys = [line.split("=")[0].strip().lower() for line in text.splitlines()[1:]]
    assert len(keys) == len(set(keys))
    assert all(line.isprintable() for line in text.split("\n"))


def test_metadata_of_few_bytes_take_bounded_memory(parts: StreamParts) -> None:
    packed = zlib.compress(b'{"a":[' + b"[]," * (LARGEST_METADATA_BYTES // 3 - 9) + b"0]}", 9)
    data = with_metadata(parts, packed)
    assert len(data) < 10_000
    tracemalloc.start()
    StreamReader(io.BytesIO(data))
    assert tracemalloc.get_traced_memory()[1] < 40 * LARGEST_METADATA_BYTES
    tracemalloc.stop()


@pytest.mark.parametrize("predictor", [PredictorKind.LINERWKV, PredictorKind.RLS])
def test_a_line_that_would_need_gigabytes_of_state_is_refused(predictor: PredictorKind, parts: StreamParts) -> None:
    image = ImageDescription(64, 1 << 16, 10, is_signed=False)
    with pytest.raises(BadArgument, match=r"a line has 4194304 samples, .* allows 1572864"):
        Encoder(image, CodingOptions(predictor=predictor))
    parts.header.update(bands=64, columns=1 << 16, packages=0)
    first_segment(parts).fields.update(predictor=PredictorKind.RLS, stage=3, coder=4, lines=65535)
    first_segment(parts).payload = bytes(3000)
    reader = StreamReader(io.BytesIO(parts.to_bytes()))
    segment = next(reader.segments())
    tracemalloc.start()
    with pytest.raises(BadArgument, match="segment at line 0: a line has 4194304 samples"):
        Decoder(reader.header).lines(*segment)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_hybrid_payload_takes_memory_by_its_bytes_and_not_by_its_samples() -> None:
    n_lines, shape = 256, (16, 1024)
    writer = HybridWriter(10, shape[0])
    lines = np.zeros((n_lines, *shape), np.int32)
    lines[5, 3, 7], lines[200, :, 9], lines[77] = 9, 1, np.random.default_rng(1).integers(0, 30, shape)
    for line in lines:
        writer.push(line)
    payload = writer.payload()
    assert len(payload) < 24_000
    HybridReader(payload, 10, *shape, n_lines)
    tracemalloc.start()
    reader = HybridReader(payload, 10, *shape, n_lines)
    assert tracemalloc.get_traced_memory()[1] < 500_000  # the samples are 8,388,608 bytes
    tracemalloc.stop()
    for line in lines:
        taken = np.empty(shape, np.int32)
        reader.take(taken)
        np.testing.assert_array_equal(taken, line)

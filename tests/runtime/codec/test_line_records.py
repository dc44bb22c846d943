"""Records of lines come back beside their lines, byte for byte, or not at all."""

import io
import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from hil_tests.fault_programs.faulty_executor import FaultyExecutor
from runtime.cell.flight_package import SHIPPED, open_integer_package
from runtime.codec import open_segment
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import decompress, decompress_salvaged
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.kept_lines import KeptLines
from runtime.codec.salvage import salvage
from runtime.codec.stream_info import stream_info
from runtime.codec.stream_reader import Segment, StreamReader
from runtime.commands.cli import cli
from runtime.errors import BadArgument, Corrupt, LineRwkvError, TooNew, Truncated
from runtime.executors.executors import make_executor
from runtime.images.line_frame import RecordedLine
from runtime.stream.crc32c import crc32c
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind
from runtime.stream.line_records import FIXED, LARGEST_CONTENT_BYTES, LARGEST_RECORD_BYTES, VARYING, LineRecords
from runtime.stream.records import HEAD, LINES_MARKER, record_bytes
from tests.runtime.codec.stream_parts import RecordParts, StreamParts, stream_parts

N_LINES, N_BANDS, N_COLUMNS, SEGMENT_LINES = 10, 2, 3, 4
CUBE = np.random.default_rng(0).integers(0, 1 << 10, (N_LINES, N_BANDS, N_COLUMNS))
IMAGE = ImageDescription(N_BANDS, N_COLUMNS, 10, is_signed=False)
RECORDS = tuple(bytes([y]) * (4 + y % 3) for y in range(N_LINES))
RecordLists = st.lists(st.binary(max_size=40), min_size=N_LINES, max_size=N_LINES)


def dpcm(**options: Any) -> Encoder:
    return Encoder(IMAGE, CodingOptions(PredictorKind.DPCM, segment_lines=SEGMENT_LINES, **options))


def encode(records: Sequence[bytes], encoder: Encoder | None = None) -> bytes:
    encoder = encoder or dpcm()
    lines = map(RecordedLine, CUBE, records)
    data = b"".join(KeptLines(lines, encoder))
    assert encoder.n_bytes == len(data)
    return data


def decoded(data: bytes) -> tuple[list[bytes], np.ndarray]:
    """Records and lines of a stream that is whole."""
    reader = StreamReader(io.BytesIO(data))
    decoder = Decoder(reader.header, [open_integer_package(SHIPPED)] if reader.header.packages else [])
    records: list[bytes] = []
    lines: list[np.ndarray] = []
    for piece, found in reader.pieces_with_records():
        n_lines = piece.header.n_lines if isinstance(piece, Segment) else piece.n_lines
        records += [b""] * n_lines if found is None else found.records
        if isinstance(piece, Segment):
            lines += decoder.lines(*piece)
    return records, np.array(lines)


@settings(max_examples=100, deadline=None)
@given(records=RecordLists)
def test_records_come_back_beside_their_lines(records: list[bytes]) -> None:
    data = encode(records)
    found, lines = decoded(data)
    assert found == records
    np.testing.assert_array_equal(lines, CUBE)
    salvaged = salvage(data)
    for header, _ in salvaged.segments:
        of_segment = salvaged.records_of(header)
        expected = tuple(records[header.first_line : header.next_line])
        assert of_segment == (LineRecords(header.first_line, expected) if any(expected) else None)


@settings(max_examples=200, deadline=None)
@given(first=st.integers(0, (1 << 32) - 1), records=st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_a_body_is_read_as_it_was_written(first: int, records: list[bytes]) -> None:
    found = LineRecords(first, tuple(records))
    assert LineRecords.from_body(found.body()) == found


@pytest.mark.parametrize("n_bytes", [1, LARGEST_RECORD_BYTES])
def test_the_shortest_and_the_longest_record(n_bytes: int) -> None:
    records = [bytes(n_bytes)] + [np.random.default_rng(1).bytes(n_bytes)] * (N_LINES - 1)
    assert decoded(encode(records))[0] == records


def test_a_stream_without_records_is_as_it_was() -> None:
    encoder = dpcm()
    plain = b"".join([encoder.header, *(encoder.push(line) for line in CUBE), encoder.finish()])
    assert encode([b""] * N_LINES) == plain
    assert LINES_MARKER not in plain


def test_a_record_that_is_too_long_is_refused_and_the_stream_goes_on() -> None:
    encoder = dpcm()
    with pytest.raises(BadArgument, match="line 0: record of 65537 bytes, allowed 65536"):
        encoder.push(CUBE[0], bytes(LARGEST_RECORD_BYTES + 1))
    assert decoded(encode(RECORDS, encoder))[0] == list(RECORDS)


def test_records_that_fill_their_structure_end_the_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_segment, "LARGEST_CONTENT_BYTES", 4 * 3 + 20)  # two lines, 20 bytes
    records = [bytes(10)] * N_LINES
    data = encode(records)
    assert decoded(data)[0] == records
    assert [header.n_lines for header, _ in StreamReader(io.BytesIO(data)).segments()] == [2] * 5


def test_records_go_through_gaps_and_an_unknown_number_of_lines() -> None:
    encoder = dpcm()
    data = encoder.header + b"".join(map(encoder.push, CUBE[:3], RECORDS)) + encoder.skip(5)
    data += b"".join(map(encoder.push, CUBE[3:5], RECORDS[3:])) + encoder.finish()
    assert decoded(data)[0] == [*RECORDS[:3], *[b""] * 5, *RECORDS[3:5]]


@pytest.mark.parametrize("step", [0, 2, 5])
def test_a_record_stays_with_its_line_when_the_executor_fails(step: int) -> None:
    package = open_integer_package(SHIPPED)
    executor = FaultyExecutor(make_executor(package), "malformed", step)
    options = CodingOptions(stage=AdaptiveStage.NONE, segment_lines=SEGMENT_LINES)
    encoder = Encoder(IMAGE, options, package, executor)
    found, lines = decoded(encode(RECORDS, encoder))
    assert encoder.n_fallbacks
    assert found == list(RECORDS)
    np.testing.assert_array_equal(lines, CUBE)


def test_a_source_that_fails_keeps_whole_lines_and_their_records() -> None:
    lines = [*map(RecordedLine, CUBE[:6], RECORDS), RecordedLine(CUBE[6][:1], RECORDS[6])]
    kept = KeptLines(lines, dpcm())
    assert decoded(b"".join(kept))[0] == list(RECORDS[:6])
    assert "the 6 lines before it are kept" in str(kept.failure)


def pieces_of(parts: StreamParts, kind: type) -> list[Any]:
    return [piece for piece in parts.pieces if isinstance(piece, kind)]


def restored(data: bytes, folder: Path) -> list[bytes]:
    """The records that salvage puts beside an image."""
    (folder / "damaged").write_bytes(data)
    decompress_salvaged(folder / "damaged", folder / "back.hdr")
    return side_file(folder / "back")


def side_file(stem: Path) -> list[bytes]:
    """The records of files beside an image, b"" for lines without."""
    table = json.loads(stem.with_suffix(".records.json").read_text())
    data = io.BytesIO(stem.with_suffix(".records.bin").read_bytes())
    found = [b""] * N_LINES
    for first, n_lines, n_bytes in table["runs"]:
        for y in range(first, first + n_lines):
            found[y] = data.read(n_bytes)
    assert data.read() == b""
    assert table["bytes"] == data.tell() and table["records"] == sum(map(bool, found))
    return found


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("marker", [b"\xc5SEG", LINES_MARKER])
def test_damage_costs_a_segment_with_its_records_or_its_records_alone(
    marker: bytes, number: int, tmp_path: Path
) -> None:
    data = bytearray(encode(RECORDS))
    position = -1
    for _ in range(number + 1):
        position = data.find(marker, position + 1)
    data[position + 14] ^= 1
    lost = range(4 * number, min(4 * number + 4, N_LINES))
    assert restored(bytes(data), tmp_path) == [b"" if y in lost else record for y, record in enumerate(RECORDS)]
    lines = np.fromfile(tmp_path / "back.bil", "<u2").reshape(CUBE.shape)
    for y in range(N_LINES):
        expected = 0 if y in lost and marker != LINES_MARKER else CUBE[y]
        np.testing.assert_array_equal(lines[y], np.broadcast_to(expected, lines[y].shape))
    with pytest.raises(LineRwkvError):
        list(StreamReader(io.BytesIO(bytes(data))).structures())


def test_every_flipped_bit_of_records_is_found() -> None:
    data = encode(RECORDS)
    start = data.find(LINES_MARKER)
    for place in range(start, data.find(b"\xc5SEG", start)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(LineRwkvError):
            list(StreamReader(io.BytesIO(bytes(damaged))).structures())
        assert (0, SEGMENT_LINES) not in salvage(bytes(damaged)).records


def test_records_where_they_do_not_belong_are_corrupt() -> None:
    for i, j in ((1, 0), (1, 2), (3, 1)):
        parts = stream_parts(encode(RECORDS))
        parts.pieces.insert(j, parts.pieces.pop(i))
        with pytest.raises(Corrupt, match=r"records of 4 lines from \d on follow"):
            list(StreamReader(io.BytesIO(parts.to_bytes())).structures())
    parts = stream_parts(encode(RECORDS))
    parts.pieces.insert(1, parts.pieces[1])
    with pytest.raises(Corrupt, match="follow no segment"):
        list(StreamReader(io.BytesIO(parts.to_bytes())).structures())


def body(content: bytes, form: int = 0, n_lines: int = SEGMENT_LINES) -> bytes:
    return FIXED.pack(0, n_lines, form) + content


def lengths(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


BOMB = zlib.compress(lengths(LARGEST_RECORD_BYTES) + bytes(LARGEST_CONTENT_BYTES))
HOSTILE = [
    (b"\0\0\0", Truncated, "needs at least 7"),
    (body(lengths(1), n_lines=0), Corrupt, "no lines"),
    (body(b"\0\0\0"), Truncated, "the table of lengths needs"),
    (body(lengths(VARYING, 1, 1, 1)), Truncated, "the table of lengths needs 20"),
    (body(lengths(1) + b"abc"), Corrupt, "4 bytes in records of at most 1, allowed 3 and 65536"),
    (body(lengths(1) + b"abcde"), Corrupt, "allowed 5"),
    (body(lengths(VARYING, 1, 2, 3, 4) + bytes(9)), Corrupt, "10 bytes in records of at most 4, allowed 9"),
    (body(lengths(LARGEST_RECORD_BYTES + 1), n_lines=1), Corrupt, "at most 65537"),
    (body(lengths(VARYING, (1 << 32) - 1, 1, 0, 0)), Corrupt, "at most 4294967295"),
    (body(b"nonsense", 1), Corrupt, "records at line 0: Error"),
    (body(zlib.compress(lengths(1) + b"abcd")[:-1], 1), Corrupt, "is not whole"),
    (body(zlib.compress(lengths(1) + b"abcd") + b"?", 1), Corrupt, "followed by bytes"),
    (body(BOMB, 1), Corrupt, "above 67108857"),
    (body(lengths(0), 2), TooNew, "form 2"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "error", "text"), HOSTILE, ids=[text for _, _, text in HOSTILE])
def test_hostile_records_are_one_line_and_cost_no_line_of_the_image(
    found: bytes, error: type[LineRwkvError], text: str, tmp_path: Path
) -> None:
    parts = stream_parts(encode(RECORDS))
    pieces_of(parts, RecordParts)[0].body = found
    with pytest.raises(error, match=text):
        list(StreamReader(io.BytesIO(parts.to_bytes())).structures())
    assert restored(parts.to_bytes(), tmp_path) == [b""] * SEGMENT_LINES + list(RECORDS[SEGMENT_LINES:])
    np.testing.assert_array_equal(np.fromfile(tmp_path / "back.bil", "<u2").reshape(CUBE.shape), CUBE)


def test_records_that_announce_all_the_rest_cost_linear_time() -> None:
    """A checksum of each announced byte would take minutes."""
    stream = encode(RECORDS)
    head = StreamReader(io.BytesIO(stream)).stream_crc.to_bytes(4, "big")
    many = b"".join(LINES_MARKER + head + (1 << 20).to_bytes(4, "big") for _ in range(100_000))
    assert len(salvage(stream + many + bytes(1 << 20)).records) == 3


def test_records_of_another_stream_are_not_salvaged() -> None:
    alone = record_bytes(LINES_MARKER, crc32c(b"other"), LineRecords(0, RECORDS[:4]).body())
    data = encode([b""] * N_LINES)
    assert salvage(alone + data).records == {}
    assert HEAD.size + 7 < len(alone)


def test_decompress_writes_them_beside_the_image_and_brings_old_files_up_to_date(tmp_path: Path) -> None:
    stream = tmp_path / "a.lrwk"
    stream.write_bytes(encode(RECORDS))
    report = decompress(stream, tmp_path / "a.hdr")
    assert side_file(tmp_path / "a") == list(RECORDS)
    assert report.notes == (f"records of 10 lines, 49 bytes, are in {tmp_path / 'a.records.bin'}",)
    stream.write_bytes(encode([b""] * N_LINES))
    assert decompress(stream, tmp_path / "a.hdr").notes == ()
    assert side_file(tmp_path / "a") == [b""] * N_LINES
    decompress(stream, tmp_path / "b.hdr")
    assert not (tmp_path / "b.records.bin").exists() and not (tmp_path / "b.records.json").exists()


def test_a_stream_named_as_one_of_them_is_not_replaced(tmp_path: Path) -> None:
    stream = tmp_path / "a.records.bin"
    stream.write_bytes(data := encode(RECORDS))
    with pytest.raises(BadArgument, match="is the input"):
        decompress(stream, tmp_path / "a.hdr")
    assert stream.read_bytes() == data


def test_info_counts_and_lists_them(tmp_path: Path) -> None:
    stream = tmp_path / "a.lrwk"
    long = bytes(range(64))
    stream.write_bytes(encode([b"", long, *RECORDS[2:]]))
    header = stream_info(stream)["header"]
    assert (header["records"], header["record_bytes"]) == (9, 64 + sum(map(len, RECORDS[2:])))
    shown = CliRunner().invoke(cli, ["info", str(stream), "--records"]).output.splitlines()
    assert shown[0].split() == ["line", "1", "64", "bytes", f"{long[:32].hex()}..."]
    listed = CliRunner().invoke(cli, ["info", str(stream), "--records", "--json"]).output.splitlines()
    found = [(one["line"], bytes.fromhex(one["hex"])) for one in map(json.loads, listed)]
    assert found == [(1, long), *list(enumerate(RECORDS))[2:]]

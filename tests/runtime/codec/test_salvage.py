"""Salvage of whole files: what is there comes back, what is not is named, and the cost is that of the file."""

import json
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from runtime.codec import restored_output
from runtime.codec.compression import decompress, decompress_salvaged
from runtime.codec.report import Report
from runtime.codec.salvage import salvage
from runtime.errors import BadArgument, Corrupt
from runtime.stream.crc32c import crc32c
from runtime.stream.kinds import PredictorKind
from runtime.stream.range_checksums import BLOCK_BYTES, ZLIB, RangeChecksums
from runtime.stream.records import GAP, GAP_MARKER
from tests.runtime.codec.coded_cube import Cube, encode
from tests.runtime.codec.stream_parts import RecordParts, SegmentParts, StreamParts, segment_header, stream_parts

CUBE = np.random.default_rng(3).integers(0, 1000, (12, 3, 8)).astype(np.int32)


@pytest.fixture
def parts() -> StreamParts:
    """Segments of four lines, three of them."""
    return stream_parts(encode(CUBE, segment_lines=4, depth=10))


def segments(parts: StreamParts) -> list[SegmentParts]:
    return [piece for piece in parts.pieces if isinstance(piece, SegmentParts)]


def restored(data: bytes, folder: Path, fill: int = 0) -> tuple[Report, Cube]:
    (folder / "damaged").write_bytes(data)
    report = decompress_salvaged(folder / "damaged", folder / "back.hdr", fill=fill)
    lines = np.fromfile(folder / "back.bil", "<u2").reshape(-1, *CUBE.shape[1:])
    return report, lines.astype(np.int32)


def mask(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "back.lines.json").read_text())
    return found


def test_the_checksum_of_any_range_is_that_of_its_bytes() -> None:
    generator = np.random.default_rng(1)
    data = generator.bytes(5 * BLOCK_BYTES + 7)
    checksums, by_zlib = RangeChecksums(data), RangeChecksums(data, ZLIB)
    places = [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, len(data), *generator.integers(0, len(data), 20)]
    for start in places:
        for end in places:
            if start <= end:
                assert checksums.crc(int(start), int(end)) == crc32c(data[start:end])
                assert by_zlib.crc(int(start), int(end)) == zlib.crc32(data[start:end])
    assert RangeChecksums(b"").crc(0, 0) == crc32c(b"")


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("fill", [0, 77])
def test_a_segment_that_does_not_decode_costs_its_own_lines(
    number: int, fill: int, parts: StreamParts, tmp_path: Path
) -> None:
    payload = segments(parts)[number].payload
    for senseless in (bytes(len(payload)), payload[:-9], b"\x07" + payload[1:]):
        segments(parts)[number].payload = senseless
        report, lines = restored(parts.to_bytes(), tmp_path, fill)
        expected = CUBE.copy()
        expected[4 * number : 4 * number + 4] = fill
        np.testing.assert_array_equal(lines, expected)
        assert report.missing_lines == ((4 * number, 4 * number + 3),)
        assert f"segment at line {4 * number}" in report.notes[0]
        assert mask(tmp_path)["missing"] == [[4 * number, 4 * number + 3]] and mask(tmp_path)["fill"] == fill


def test_a_segment_whose_samples_have_another_checksum_costs_its_own_lines(parts: StreamParts, tmp_path: Path) -> None:
    segments(parts)[1].fields["samples_crc"] ^= 1
    report, lines = restored(parts.to_bytes(), tmp_path)
    assert report.missing_lines == ((4, 7),)
    assert not lines[4:8].any()
    np.testing.assert_array_equal(np.delete(lines, range(4, 8), axis=0), np.delete(CUBE, range(4, 8), axis=0))


def test_a_segment_that_does_not_decode_leaves_its_place_to_one_that_does(parts: StreamParts, tmp_path: Path) -> None:
    sound = segments(parts)[1]
    parts.pieces.insert(1, SegmentParts(sound.fields, bytes(len(sound.payload))))
    report, lines = restored(parts.to_bytes(), tmp_path)
    np.testing.assert_array_equal(lines, CUBE)
    assert report.missing_lines == () and report.missing_from is None
    assert not (tmp_path / "back.lines.json").exists()


def test_nothing_that_decodes_is_an_error_and_leaves_no_output(parts: StreamParts, tmp_path: Path) -> None:
    for segment in segments(parts):
        segment.payload = bytes(9)
    with pytest.raises(Corrupt, match="segment"):
        restored(parts.to_bytes(), tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["damaged"]


@pytest.mark.parametrize("announced", [0, 24, 2**32 - 1])
def test_lines_that_only_the_header_announces_are_not_believed(
    announced: int, parts: StreamParts, tmp_path: Path
) -> None:
    parts.header["lines"], parts.end, parts.has_index = announced, None, False
    del parts.pieces[2:]
    report, lines = restored(parts.to_bytes(), tmp_path)
    np.testing.assert_array_equal(lines, CUBE[:8])
    assert report.missing_from == 8
    assert mask(tmp_path) == {"lines": 8, "fill": 0, "missing": [], "missing_from": 8}


def test_a_stream_that_ends_where_its_header_says_is_whole(parts: StreamParts, tmp_path: Path) -> None:
    parts.header["lines"], parts.end = 12, None
    report, lines = restored(parts.to_bytes(), tmp_path)
    np.testing.assert_array_equal(lines, CUBE)
    assert report.missing_from is None and report.missing_lines == ()


def test_an_end_that_contradicts_the_header_is_not_believed(parts: StreamParts, tmp_path: Path) -> None:
    parts.header["lines"], parts.end = 24, [2**32 - 1, 3, 0]
    assert restored(parts.to_bytes(), tmp_path)[0].missing_from == 12


def test_missing_lines_take_no_space(parts: StreamParts, tmp_path: Path) -> None:
    n_lines = 1 << 26
    parts.end = [n_lines, 3, 0]
    segments(parts)[2].fields["first_line"] = n_lines - 4
    (tmp_path / "damaged").write_bytes(parts.to_bytes())
    report = decompress_salvaged(tmp_path / "damaged", tmp_path / "back.hdr")
    assert report.missing_lines == ((8, n_lines - 5),)
    found = (tmp_path / "back.bil").stat()
    assert found.st_size == n_lines * 48
    assert found.st_blocks * 512 < 1 << 20
    last = np.memmap(tmp_path / "back.bil", "<u2", "r", found.st_size - 4 * 48).reshape(4, 3, 8)
    np.testing.assert_array_equal(last, CUBE[8:])
    for options in ({"fill": 1, "output": tmp_path / "back.hdr"}, {"fill": 0, "output": Path("-")}):
        with pytest.raises(BadArgument, match="bytes of fill values, allowed"):
            decompress_salvaged(tmp_path / "damaged", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("fill", [-1, 65536])
def test_a_fill_value_that_the_samples_cannot_hold_is_refused(fill: int, parts: StreamParts, tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=f"fill value {fill}, allowed 0..65535 for uint16"):
        restored(parts.to_bytes(), tmp_path, fill)


def test_lines_that_never_came_are_named_and_filled(parts: StreamParts, tmp_path: Path) -> None:
    parts.pieces.append(RecordParts(GAP_MARKER, GAP.pack(12, 3)))
    parts.end = [15, 3, 0]
    (tmp_path / "sound").write_bytes(parts.to_bytes())
    report = decompress(tmp_path / "sound", tmp_path / "back.hdr", fill=5)
    lines = np.fromfile(tmp_path / "back.bil", "<u2").reshape(-1, *CUBE.shape[1:])
    np.testing.assert_array_equal(lines, np.concatenate([CUBE, np.full((3, 3, 8), 5)]))
    assert report.missing_lines == ((12, 14),)
    assert mask(tmp_path)["missing"] == [[12, 14]]


def test_what_is_said_of_missing_lines_is_of_the_last_run(parts: StreamParts, tmp_path: Path) -> None:
    sound = parts.to_bytes()
    del parts.pieces[1]
    restored(parts.to_bytes(), tmp_path)
    assert mask(tmp_path)["missing"] == [[4, 7]]
    restored(sound, tmp_path)
    assert mask(tmp_path)["missing"] == []


def test_a_large_segment_waits_in_a_file(parts: StreamParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restored_output, "LARGEST_IN_MEMORY", 16)
    np.testing.assert_array_equal(restored(parts.to_bytes(), tmp_path)[1], CUBE)


@pytest.mark.parametrize("marker", [b"\xc5SEG", b"\xc5END"])
def test_structures_that_announce_all_the_rest_cost_linear_time(marker: bytes, parts: StreamParts) -> None:
    """Twice as many take about twice as long: half a second; with a checksum of each announced byte it is minutes."""
    parts.header.update(bands=4096, columns=1024)
    head = parts.header_bytes()
    n_structures, stream_crc = 30_000, crc32c(head)
    pieces = [head]
    for i in range(n_structures):
        if marker == b"\xc5END":
            pieces.append(marker + stream_crc.to_bytes(4, "big") + (1 << 20).to_bytes(4, "big"))
            continue
        n_bytes = (n_structures - i - 1) * 48
        fields = segments(parts)[0].fields | {
            "first_line": i,
            "lines": 65535,
            "payload_bytes": n_bytes,
            "payload_crc": 1,
        }
        pieces.append(segment_header(SegmentParts(fields, b""), stream_crc))
    data = b"".join(pieces) + bytes(1 << 20)
    salvage(encode(CUBE, depth=10))
    start = time.perf_counter()
    assert salvage(data).segments == []
    assert time.perf_counter() - start < 10


def test_a_missing_package_costs_its_own_segments(parts: StreamParts, tmp_path: Path) -> None:
    parts.header["packages"] = 1
    parts.tail = b"\x03" + bytes(32) + parts.tail
    segments(parts)[0].fields.update(predictor=PredictorKind.LINERWKV, package=0)
    report, lines = restored(parts.to_bytes(), tmp_path)
    np.testing.assert_array_equal(lines[4:], CUBE[4:])
    assert report.missing_lines == ((0, 3),)
    assert "needs the flight package 000000000000" in report.notes[0]

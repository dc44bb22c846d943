"""Telemetry: one JSON object for each segment, its numbers those of the stream, no bit of which it changes."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.codec.opened_encoder import opened_encoder
from runtime.codec.stream_info import stream_info
from runtime.codec.stream_reader import StreamReader
from runtime.errors import Notice
from runtime.executors.executors import make_executor
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind
from runtime.stream.segment_header import SEGMENT_BYTES
from runtime.stream.telemetry import Fault, FaultKind, ResidualSums, SegmentTelemetry
from runtime.stream.telemetry_log import telemetry_log
from tests.runtime.commands.test_cli import run, save_envi

FIELDS = [
    "segment", "first_line", "lines", "samples", "bits", "predictor", "stage", "coder", "executor", "provider",
    "residuals", "seconds", "fallbacks", "errors",
]  # fmt: skip
DPCM = CodingOptions(predictor=PredictorKind.DPCM, segment_lines=2)
CUBE = (np.random.default_rng(2).integers(0, 60, (5, 4, 10)) + np.arange(4)[:, None] * 300).astype(np.uint16)


@pytest.mark.parametrize("predictor", [PredictorKind.LINERWKV, PredictorKind.CCSDS123, PredictorKind.DPCM])
def test_it_describes_the_segments_and_changes_no_bit(
    predictor: PredictorKind, package: FlightPackage, tmp_path: Path
) -> None:
    image, streams, told = ImageDescription(4, 10, 11, is_signed=False), [], list[SegmentTelemetry]()
    for on_segment in (None, told.append):
        options = CodingOptions(predictor=predictor, segment_lines=2)
        executor = make_executor(package) if options.has_network else None
        encoder = Encoder(image, options, package if options.has_network else None, executor, on_segment)
        streams.append(b"".join([encoder.header, *(encoder.push(line) for line in CUBE), encoder.finish()]))
    assert streams[0] == streams[1]
    (tmp_path / "stream").write_bytes(streams[0])
    rows: list[dict[str, Any]] = [json.loads(segment.to_json()) for segment in told]
    with (tmp_path / "stream").open("rb") as file:
        headers = [(header, payload) for header, payload in StreamReader(file).segments()]
    assert [list(row) for row in rows] == [FIELDS] * 3
    for row, (header, payload) in zip(rows, headers, strict=True):
        assert (row["first_line"], row["lines"], row["samples"]) == (
            header.first_line,
            header.n_lines,
            header.n_lines * 40,
        )
        assert (row["predictor"], row["coder"]) == (header.coding.predictor.name.lower(), header.coder.name.lower())
        assert (row["fallbacks"], row["errors"]) == (0, [])
        assert (row["executor"] is None) == (header.coding.predictor is not PredictorKind.LINERWKV)
        assert row["bits"] == 8 * (len(payload) + SEGMENT_BYTES)
    n_lines = sum(segment["lines"] for segment in stream_info(tmp_path / "stream")["segments"])
    assert sum(row["lines"] for row in rows) == n_lines == len(CUBE)


def test_residual_sums_are_those_of_numpy() -> None:
    generator, sums = np.random.default_rng(0), ResidualSums()
    assert sums.to_dict() is None
    lines = generator.geometric(0.3, (3, 4, 5)).astype(np.int32) - 1
    for line in lines:
        sums.add(line)
    expected = {"mean": round(lines.mean(), 4), "largest": lines.max(), "zeros": round((lines == 0).mean(), 4)}
    assert sums.to_dict() == expected
    high = ResidualSums()
    for _ in range(3):
        high.add(np.full((2, 2), 2**31 - 1, np.int32))
    assert high.total == 12 * (2**31 - 1), "sums must not wrap"


def test_the_command_writes_a_line_a_segment_through_a_fault(tmp_path: Path) -> None:
    scene, packed, log = save_envi(tmp_path / "scene.hdr", CUBE), tmp_path / "packed", tmp_path / "log.jsonl"
    options = ("--isolate", "--line-deadline", "20", "--executor", "hil_tests.fault_programs.faulty_executor:die_28")
    done = run("compress", scene, packed, "--segment-lines", "4", *options, "--telemetry", log)
    assert done.returncode == 0, done.stderr
    assert b"segments fell back to ccsds123" in done.stderr
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert {error["kind"] for error in rows[0]["errors"]} == {"executor"}  # another worker may be there, and die, soon
    assert rows[-1]["fallbacks"] >= 1
    restored = np.frombuffer(run("decompress", packed, "-").stdout, "<u2").reshape(CUBE.shape)
    np.testing.assert_array_equal(restored, CUBE)


def test_telemetry_and_guard_by_pipes() -> None:
    layout = ("--bands", "4", "--columns", "10", "--bit-depth", "11", "--segment-lines", "3", "--predictor", "rls")
    done = run("compress", "-", "-", *layout, "--guard", "proof", "--telemetry", "-", stdin=CUBE.tobytes())
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stderr.splitlines() if line.startswith(b"{")]
    assert [(row["segment"], row["lines"], row["errors"]) for row in rows] == [(0, 3, []), (1, 2, [])]
    assert run("decompress", "-", "-", stdin=done.stdout).stdout == CUBE.tobytes()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--telemetry", "/nowhere/log"), b"telemetry /nowhere/log: No such file"),
        (("--isolate", "--predictor", "rls"), b"a worker process is for the cells of int8 packages"),
    ],
)
def test_bad_options_are_one_line(options: tuple[str, ...], text: bytes, tmp_path: Path) -> None:
    scene = save_envi(tmp_path / "scene.hdr", CUBE)
    done = run("compress", scene, tmp_path / "packed", *options)
    assert done.returncode == 2
    assert text in done.stderr
    assert not (tmp_path / "packed").exists()


@pytest.mark.parametrize("reads", ["never", "late"])
def test_a_reader_that_takes_nothing_holds_nothing_up(reads: str, tmp_path: Path) -> None:
    fifo, told = tmp_path / "fifo", list[SegmentTelemetry]()
    os.mkfifo(fifo)
    image = ImageDescription(4, 10, 11, is_signed=False)
    with opened_encoder(DPCM, image, on_segment=told.append) as encoder:
        for line in CUBE:
            encoder.push(line)
        encoder.finish()
    (segment, *_) = told
    wordy = replace(segment, faults=(Fault(0, FaultKind.STATE, 5000 * "x"),))  # more than a pipe takes at once
    lines = [segment, *[wordy] * 30, *[segment] * 5]
    with pytest.warns(Notice, match=r"leaves lines out") as notes, telemetry_log(fifo, sys.stdout) as write:
        for line in lines:
            write(line)
        number = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        if reads == "late":
            first = os.read(number, 1 << 20)
            write(segment)
            rows = (first + os.read(number, 1 << 20)).decode().splitlines()
            assert json.loads(rows[0]) == json.loads(rows[-1]) == json.loads(segment.to_json())
            assert sum(row == wordy.to_json() for row in rows) > 5
    os.close(number)
    assert len(notes) == 1

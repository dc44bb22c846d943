"""Recordings: what is reported is on the disk, after failures of the source, the disk, the executor or the listener."""

import io
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from hil_tests.fault_programs.fault_trial import largest_error
from hil_tests.fault_programs.faulty_executor import FaultyExecutor
from runtime.cell.flight_package import SHIPPED, open_integer_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.salvage import salvage
from runtime.codec.stream_reader import StreamReader
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import BadArgument, Incomplete
from runtime.executors.executors import make_executor
from runtime.stream.depth import OutOfRange
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind, Quantisation
from runtime.stream.segment_header import SegmentCoding, SegmentHeader
from runtime.target import record_command as recorder_module
from runtime.target.record_command import record, record_command
from runtime.target.recording import Recording, next_free

N_LINES, N_BANDS, N_COLUMNS, SEGMENT_LINES = 10, 3, 4, 4
LINES = np.random.default_rng(0).integers(0, 1 << 12, (N_LINES, N_BANDS, N_COLUMNS))
IMAGE = ImageDescription(N_BANDS, N_COLUMNS, 12, is_signed=False)


def dpcm() -> Encoder:
    return Encoder(IMAGE, CodingOptions(PredictorKind.DPCM, segment_lines=SEGMENT_LINES))


def n_restored(data: bytes) -> int:
    """How many lines a stream gives back; each is the one that was sent."""
    found = salvage(data)
    decoder = Decoder(found.header)
    lines = [line for segment, payload in found.segments for line in decoder.lines(segment, payload)]
    assert np.array_equal(lines, LINES[: len(lines)])
    return len(lines)


def test_reported_segments_are_on_the_disk_when_an_executor_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = open_integer_package(SHIPPED)
    bad = FaultyExecutor(make_executor(package), "malformed", 3)
    recording = Recording(tmp_path / "0001.lrwk")
    options = CodingOptions(stage=AdaptiveStage.NONE, segment_lines=SEGMENT_LINES)
    record(iter(LINES), Encoder(IMAGE, options, package, bad), recording)
    recording.close()
    data = recording.path.read_bytes()
    assert largest_error(data, package, LINES) == 0
    reported = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(reported) == 4  # one segment more than without the failure
    for one in reported:
        spans = [segment.n_lines for segment, _ in salvage(data[: one["bytes"]]).segments]
        assert (one["segment"], one["lines"]) == (len(spans), sum(spans))


def broken(error: Exception) -> Iterator[np.ndarray]:
    """Nine lines, then a failure of the source."""
    yield from LINES[:9]
    raise error


@pytest.mark.parametrize("error", [BadArgument("input ends within line 9"), ConnectionResetError(104, "reset")])
def test_a_source_that_fails_costs_no_line_that_came(tmp_path: Path, error: Exception) -> None:
    recording = Recording(tmp_path / "0001.lrwk")
    with pytest.raises(Incomplete, match=r"input.*; the 9 lines before it are kept"):
        record(broken(error), dpcm(), recording)
    recording.close()
    assert n_restored(recording.path.read_bytes()) == 9


@pytest.mark.parametrize("listener", ["| true; exit ${PIPESTATUS[0]}", ">/dev/full", ">&-"])
def test_a_listener_that_goes_away_costs_no_line(tmp_path: Path, listener: str) -> None:
    layout = ["--bands", str(N_BANDS), "--columns", str(N_COLUMNS), "--bit-depth", "12", "--segment-lines", "4"]
    program = [sys.executable, "-m", "runtime.target.recorder", str(tmp_path), *layout, "--predictor", "dpcm"]
    command = ["bash", "-c", f'"$@" {listener}', "bash", *program]
    done = subprocess.run(command, input=LINES.astype("<u2").tobytes(), capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert n_restored((tmp_path / "0001.lrwk").read_bytes()) == N_LINES


def test_no_line_is_no_recording(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "0001.lrwk")
    with pytest.raises(BadArgument, match="0 lines came"):
        record(iter(()), dpcm(), recording)
    recording.close()
    assert not recording.path.exists()


def test_what_does_not_fit_leaves_nothing_and_the_next_bytes_follow_at_once(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "0001.lrwk")
    recording.append(b"whole")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
    try:
        with pytest.raises(BadArgument, match="File too large after 5 bytes, which are kept"):
            recording.append(b"does not fit")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert recording.path.read_bytes() == b"whole"
    recording.append(b"!")
    recording.close()
    assert recording.path.read_bytes() == b"whole!"


def test_a_disk_that_takes_nothing_any_more_is_one_line(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "0001.lrwk")
    recording.append(b"whole")
    refusing = os.open(recording.path, os.O_RDONLY)
    os.dup2(refusing, recording.fd)
    os.close(refusing)
    with pytest.raises(BadArgument, match="after 5 bytes"):
        recording.append(b"more")
    recording.close()


def test_every_new_name_is_synced_before_lines_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[Path] = set()
    fsync = os.fsync

    def noted(fd: int) -> None:
        synced.add(Path(f"/proc/self/fd/{fd}").readlink())
        fsync(fd)

    monkeypatch.setattr(os, "fsync", noted)
    Recording(next_free(tmp_path / "disk" / "recordings")).close()
    assert {tmp_path, tmp_path / "disk", tmp_path / "disk" / "recordings"} <= synced


def test_numbers_go_on_above_the_largest(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert next_free(folder) == folder / "0001.lrwk"
    for name in ("0007.lrwk", "²².lrwk", "x.lrwk", "0009.other"):
        (folder / name).touch()
    assert next_free(folder) == folder / "0008.lrwk"
    (folder / "9999.lrwk").touch()
    with pytest.raises(BadArgument, match="no larger number"):
        next_free(folder)


def recorder(folder: Path, *options: str) -> tuple[list[dict[str, Any]], str, bytes]:
    """A recording of LINES by the program: what it says, its standard error, the stream."""
    layout = ("--bands", str(N_BANDS), "--columns", str(N_COLUMNS), "--bit-depth", "12")
    command = [sys.executable, "-m", "runtime.target.recorder", str(folder), *layout]
    done = subprocess.run(
        [*command, "--segment-lines", str(SEGMENT_LINES), *options], input=LINES.astype("<u2").tobytes(),
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    errors = done.stderr.decode()
    assert done.returncode == 0, errors
    reported = [json.loads(line) for line in done.stdout.splitlines()]
    data = (folder / reported[0]["file"]).read_bytes()
    assert reported[-1] == {"ended": "0001.lrwk"}
    assert reported[-2]["bytes"] == len(data)
    return reported, errors, data


def segment_headers(data: bytes) -> list[SegmentHeader]:
    """Of a whole stream."""
    return [segment.header for segment in StreamReader(io.BytesIO(data)).segments()]


def test_it_codes_as_it_is_asked_and_has_every_defence(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    coding = ("--predictor", "rls", "--stage", "fast", "--max-error", "3", "--quantisation", "prequantised")
    reported, errors, data = recorder(tmp_path / "r", *coding, "--guard", "proof", "--telemetry", str(log))
    assert errors == ""
    asked = SegmentCoding(PredictorKind.RLS, AdaptiveStage.FAST, 3, Quantisation.PREQUANTISED)
    assert [(header.n_lines, header.coding) for header in segment_headers(data)] == [(4, asked), (4, asked), (2, asked)]
    assert largest_error(data, open_integer_package(SHIPPED), LINES) == 3
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    found = [(row["first_line"], row["lines"], row["stage"], row["errors"]) for row in rows]
    assert found == [(0, 4, "fast", []), (4, 4, "fast", []), (8, 2, "fast", [])]
    assert [one["lines"] for one in reported if "lines" in one] == [4, 8, 10]


@pytest.mark.parametrize(
    ("fault", "guard", "kind", "text"),
    [("hang", "off", "executor", "gave no answer within"), ("wrong", "checks", "self-test", "failed the self-test")],
)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_it_outlives_an_executor_that_fails_in_its_worker(
    n_threads: int, fault: str, guard: str, kind: str, text: str, tmp_path: Path
) -> None:
    # after those of the self-test and of the warm-up, which is a line ahead on two threads: line 3; line 0 needs none
    step = 27 + 2 + 2 + (n_threads == 2)
    executor = f"hil_tests.fault_programs.faulty_executor:{fault}_{step}"
    defences = ("--isolate", "--line-deadline", "4", "--guard", guard, "--telemetry", "-", "--threads", str(n_threads))
    _, errors, data = recorder(tmp_path, "--stage", "none", "--executor", executor, *defences)
    assert largest_error(data, open_integer_package(SHIPPED), LINES) == 0
    rows = [json.loads(line) for line in errors.splitlines()]
    assert len(rows) == len(segment_headers(data))
    (error,) = rows[0]["errors"]
    found_at = 3 if fault == "hang" else 4
    assert (error["line"], error["kind"], rows[0]["lines"]) == (found_at, kind, found_at)
    assert text in error["text"]
    assert rows[0]["predictor"] == ("linerwkv" if fault == "hang" else "ccsds123")
    assert rows[-1]["fallbacks"] >= 1


def test_every_option_of_coding_and_defence_reaches_the_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Encoder] = []
    monkeypatch.setattr(recorder_module, "record", lambda lines, encoder, recording: seen.append(encoder))
    words = [
        "--predictor", "dpcm", "--stage", "none", "--max-error", "2", "--quantisation", "in-loop",
        "--segment-lines", "7", "--guard", "proof", "--line-deadline", "1.5", "--telemetry", str(tmp_path / "log"),
        "--executor", "other", "--package", str(SHIPPED), "--out-of-range", "clip",
    ]  # fmt: skip
    layout = ["--bands", "3", "--columns", "4", "--bit-depth", "12"]
    done = CliRunner().invoke(record_command, [str(tmp_path / "r"), *layout, *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (encoder,) = seen
    assert encoder.options == CodingOptions(
        PredictorKind.DPCM, AdaptiveStage.NONE, 2, Quantisation.IN_LOOP, 7, GuardLevel.PROOF, False, 1.5, "other",
        SHIPPED, tmp_path / "log", index=False, out_of_range=OutOfRange.CLIP,
    )  # fmt: skip
    assert encoder.on_segment is not None


def test_it_knows_every_option_of_the_encoder() -> None:
    known = {option.name for option in record_command.params}
    left_out = {"index", "package"}  # the first is fixed, the second is named package_path
    assert {field.name for field in fields(CodingOptions)} - left_out <= known

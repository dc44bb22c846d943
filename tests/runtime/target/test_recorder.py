"""Recordings: what is told is on the disk, whatever becomes of the source, the disk, the executor or the listener."""

import json
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hil_tests.fault_programs.fault_trial import largest_error
from hil_tests.fault_programs.faulty_executor import FaultyExecutor
from runtime.cell.flight_package import SHIPPED, open_integer_package
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.salvage import salvage
from runtime.errors import BadArgument
from runtime.executors.executors import make_executor
from runtime.images.image_description import ImageDescription
from runtime.stream.stream_format import AdaptiveStage, PredictorKind
from runtime.target.recorder import record
from runtime.target.recording import Recording, next_free

N_LINES, N_BANDS, N_COLUMNS, SEGMENT_LINES = 10, 3, 4, 4
LINES = np.random.default_rng(0).integers(0, 1 << 12, (N_LINES, N_BANDS, N_COLUMNS))
IMAGE = ImageDescription(N_BANDS, N_COLUMNS, 12, is_signed=False)


def dpcm() -> Encoder:
    return Encoder(IMAGE, predictor=PredictorKind.DPCM, segment_lines=SEGMENT_LINES)


def n_restored(data: bytes) -> int:
    """How many lines a stream gives back; each is the one that was sent."""
    found = salvage(data)
    decoder = Decoder(found.header, None)
    lines = [line for segment, payload in found.segments for line in decoder.lines(segment, payload)]
    assert np.array_equal(lines, LINES[: len(lines)])
    return len(lines)


def test_what_is_told_is_on_the_disk_when_an_executor_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = open_integer_package(SHIPPED)
    bad = FaultyExecutor(make_executor(package), "malformed", 3)  # type: ignore[arg-type]  # of an int8 package
    recording = Recording(tmp_path / "0001.lrwk")
    encoder = Encoder(IMAGE, package, executor=bad, segment_lines=SEGMENT_LINES, stage=AdaptiveStage.NONE)
    record(iter(LINES), encoder, recording)
    recording.close()
    data = recording.path.read_bytes()
    assert largest_error(data, package, LINES) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(told) == 4  # one segment more than without the failure
    for one in told:
        spans = [segment.n_lines for segment, _ in salvage(data[: one["bytes"]]).segments]
        assert (one["segment"], one["lines"]) == (len(spans), sum(spans))


def broken(error: Exception) -> Iterator[np.ndarray]:
    """Nine lines, then a failure of the source."""
    yield from LINES[:9]
    raise error


@pytest.mark.parametrize("error", [BadArgument("input ends within line 9"), ConnectionResetError(104, "reset")])
def test_a_source_that_fails_costs_no_line_that_came(tmp_path: Path, error: Exception) -> None:
    recording = Recording(tmp_path / "0001.lrwk")
    with pytest.raises(BadArgument, match="input"):
        record(broken(error), dpcm(), recording)
    recording.close()
    assert n_restored(recording.path.read_bytes()) == 9


def test_a_listener_that_goes_away_costs_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    recording = Recording(tmp_path / "0001.lrwk")
    with os.fdopen(writer, "w") as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)
        record(iter(LINES), dpcm(), recording)
        monkeypatch.undo()
    recording.close()
    assert n_restored(recording.path.read_bytes()) == N_LINES


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

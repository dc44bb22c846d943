"""A disk, folder or quota that takes nothing for a while: lines wait, are told of once, and end whole or counted."""

import contextlib
import fcntl
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.codec.salvage import salvage
from runtime.errors import BadArgument, Incomplete
from runtime.images.line_frame import RecordedLine
from runtime.target import recording as recording_module
from runtime.target.flight_command import run
from runtime.target.flight_tables import OutputTable, SourceTable
from runtime.target.line_buffer import LineBuffer
from runtime.target.line_frames import FoundLine
from runtime.target.line_sources import opened_source
from runtime.target.recording import Recording
from runtime.target.stream_files import StreamFiles
from runtime.target.told_lines import opened_telemetry
from tests.runtime.target.recorded_frames import LINES, config_of, config_text, frame, read_back, told

QUOTA = 1 << 20
STOP = f'[output]\nquota_bytes = {QUOTA}\nwhen_full = "stop"'


def frames_text(folder: Path, output: str) -> str:
    """The configuration for a file of 40 frames, which is there then. output: the head of its table of that name."""
    (folder.parent / "frames").write_bytes(b"".join(map(frame, range(40))))
    text = config_text(folder, f'kind = "file"\npath = "{folder.parent / "frames"}"')
    return text.replace("[output]", output)


class Waiting:
    """A recorder of a file of frames, in a thread, once telemetry says that it waits."""

    def __init__(self, folder: Path, output: str = STOP) -> None:
        """output: the head of its table of that name."""
        self.folder, self.stopping = folder, threading.Event()
        self.failed: list[Exception] = []
        self.thread = threading.Thread(target=self.record, args=(frames_text(folder, output),))
        self.thread.start()
        self.wait_until(lambda: bool(self.told("waiting")))

    def record(self, text: str) -> None:
        try:
            run(config_of(text), self.stopping)
        except Incomplete as error:
            self.failed.append(error)

    def told(self, key: str) -> list[Any]:
        return [one[key] for one in told(self.folder) if key in one]

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 300
        while not is_so():
            assert self.thread.is_alive() and time.monotonic() < deadline
            time.sleep(0.01)

    def end(self) -> None:
        self.thread.join(300)
        assert not self.thread.is_alive()


def fill(folder: Path) -> Path:
    """Take the whole quota by a recording that is older than all others, with holes."""
    folder.mkdir(exist_ok=True)
    with (folder / "0000.lrwk").open("wb") as file:
        file.truncate(QUOTA)
    return folder / "0000.lrwk"


def all_lines(folder: Path) -> None:
    lines = read_back(folder / "0001.lrwk")[0]
    assert sorted(lines) == list(range(40)) and all(np.array_equal(lines[y], LINES[y]) for y in lines)


def test_room_that_comes_with_the_end_is_used_for_all_that_waits(tmp_path: Path) -> None:
    filler = fill(tmp_path / "out")
    recorder = Waiting(tmp_path / "out")
    filler.unlink()
    recorder.stopping.set()
    recorder.end()
    assert not recorder.failed and len(recorder.told("waiting")) == len(recorder.told("resumed")) == 1
    all_lines(tmp_path / "out")


def test_the_end_without_room_counts_what_is_lost_and_leaves_no_empty_file(tmp_path: Path) -> None:
    filler = fill(tmp_path / "out")
    recorder = Waiting(tmp_path / "out")
    recorder.stopping.set()
    recorder.end()
    assert str(recorder.failed[0]).startswith("at least ")
    assert list((tmp_path / "out").iterdir()) == [filler]


def test_a_full_quota_makes_lines_wait_until_there_is_room(tmp_path: Path) -> None:
    run(config_of(frames_text(tmp_path / "free", "[output]\nrotate_bytes = 300")), threading.Event())
    free = sorted((tmp_path / "free").glob("*.lrwk"))
    out = tmp_path / "out"
    recorder = Waiting(out, '[output]\nrotate_bytes = 300\nquota_bytes = 700\nwhen_full = "stop"')
    kept: dict[str, bytes] = {}
    while recorder.thread.is_alive():  # the ground takes away what has ended, whenever nothing goes on
        waits = [one for one in told(out) if "waiting" in one or "resumed" in one]
        for path in sorted(out.glob("*.lrwk"))[:-1] if "waiting" in waits[-1] else []:
            kept[path.name] = path.read_bytes()
            path.unlink()
        recorder.thread.join(0.05)
    kept |= {path.name: path.read_bytes() for path in out.glob("*.lrwk")}
    assert [kept[name] for name in sorted(kept)] == [path.read_bytes() for path in free]
    assert any("the quota allows 700" in one for one in recorder.told("waiting"))
    (end,) = recorder.told("ended")
    assert end["lines"] == 40 and not end["why_waiting"]


def test_a_stop_while_the_quota_is_full_says_what_is_lost(tmp_path: Path) -> None:
    recorder = Waiting(tmp_path / "out", '[output]\nquota_bytes = 300\nwhen_full = "stop"')
    recorder.stopping.set()
    recorder.end()
    assert re.match(r"at least \d+ lines are lost: recordings would have \d+ bytes", str(recorder.failed[0]))
    (end,) = recorder.told("ended")
    written = sum(one["lines"] for one in told(tmp_path / "out") if "segment" in one)
    assert [one["whole"] for one in told(tmp_path / "out") if "file_ended" in one] == [False]
    assert end["why_waiting"] and 0 < written < end["lines"]
    found = salvage((tmp_path / "out" / "0001.lrwk").read_bytes())
    assert sum(header.n_lines for header, _ in found.segments) == written


def test_a_folder_that_cannot_be_made_is_waited_for_and_told_once(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    recorder = Waiting(tmp_path / "out")
    time.sleep(2.5)  # two tries
    assert len(recorder.told("waiting")) == 1 and not recorder.told("resumed")
    (tmp_path / "out").unlink()
    recorder.end()
    assert not recorder.failed and len(recorder.told("resumed")) == 1
    assert recorder.told("ended")[0]["events"]["waits"] == 1
    all_lines(tmp_path / "out")


def test_a_folder_that_others_have_locked_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    fd = os.open(tmp_path / "out", os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    recorder = Waiting(tmp_path / "out")
    assert recorder.told("waiting")[0].endswith("another program has locked it")
    os.close(fd)
    recorder.end()
    all_lines(tmp_path / "out")


def test_what_is_no_file_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "out" / "0003.lrwk").mkdir(parents=True)
    files = StreamFiles(OutputTable(tmp_path / "out", quota_bytes=1000), None)
    assert files.begin().name == "0004.lrwk"
    files.append(bytes(1000))
    files.flush()
    files.append(b"1")
    with pytest.raises(BadArgument, match="would have 1001 bytes"):
        files.flush()
    files.close(is_kept=False)


def test_a_quota_that_removes_nothing_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "out")

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise OSError(30, "Read-only file system")

    files = StreamFiles(OutputTable(tmp_path / "out", quota_bytes=QUOTA), None)
    files.begin()
    files.append(b"1")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(BadArgument, match="Read-only file system"):
            files.flush()
    files.flush()
    files.close()


def test_a_recording_that_does_not_begin_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(recording_module, "sync", refuse)
    n_open = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(BadArgument, match="Input/output error"):
            Recording(tmp_path / "0001.lrwk")
    assert len(list(Path("/proc/self/fd").iterdir())) == n_open and not list(tmp_path.iterdir())


def found(n_lost: int = 0, *, has_begun_again: bool = False) -> FoundLine:
    return FoundLine(RecordedLine(LINES[0], b""), n_lost, has_begun_again)


def test_a_new_run_of_the_imager_whose_first_line_is_dropped_begins_with_the_next() -> None:
    buffer = LineBuffer(2)
    for line in (found(), found(), found(3), found(has_begun_again=True), found(2)):
        buffer.put(line, can_wait=False)
    assert buffer.n_dropped == 3
    buffer.take(0), buffer.take(0)
    buffer.put(found(1), can_wait=False)
    buffer.put(found(), can_wait=False)
    first, second = buffer.take(0), buffer.take(0)
    assert first is not None and (first.n_lost, first.has_begun_again) == (1 + 3 + 1, True)
    assert second is not None and (second.n_lost, second.has_begun_again) == (0, False)


@contextlib.contextmanager
def full() -> Iterator[Path]:
    """A file that takes nothing."""
    path = Path("/dev/full")
    if not path.exists():
        pytest.skip("no /dev/full here")
    yield path


def test_telemetry_that_cannot_be_written_ends_nothing() -> None:
    with full() as path, opened_telemetry(path) as tell:
        tell({"ready": "x"})
    tell({"late": "a thread that outlives the recording"})


def test_an_error_of_the_recording_is_not_blamed_on_the_source(tmp_path: Path) -> None:
    (tmp_path / "frames").touch()
    with (
        pytest.raises(OSError, match="of the disk"),
        opened_source(SourceTable("file", str(tmp_path / "frames")), threading.Event()),
    ):
        raise OSError("of the disk")

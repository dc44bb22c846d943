"""Work over archives on real processes: errors stay with their file, killed workers and schedulers cost nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import linerwkv
from linerwkv.commands import archive
from linerwkv.ground.archive_files import identity_of
from linerwkv.ground.archive_jobs import OPERATIONS, outcome_of
from linerwkv.ground.archive_work import Task, work
from runtime.errors import BadArgument, Incomplete
from tests.linerwkv.conftest import N_BANDS, N_LINES, Cube

distributed = pytest.importorskip("distributed")
DEADLINE_S = 120
SCHEDULER = """
import sys
from distributed import LocalCluster
cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0")
print(cluster.scheduler_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster of two processes; a job fails with its first worker, and runs once more alone."""
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
    ):
        yield cluster.scheduler_address


@pytest.fixture
def streams(stream: Path, tmp_path: Path) -> list[Path]:
    """Three sound ones and a damaged one."""
    paths = [tmp_path / f"scene_{i}.lrwk" for i in range(4)]
    data = stream.read_bytes()
    for path in paths:
        path.write_bytes(data)
    paths[2].write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :])
    return paths


def run(*words: object) -> Any:
    return CliRunner().invoke(archive, list(map(str, words)))


class Blocking:
    """A stream that is a FIFO: a worker that verifies it waits until it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)

    def open(self) -> int:
        """A descriptor for writing, once a worker reads."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            try:
                return os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads
                time.sleep(0.02)
        raise TimeoutError(f"nobody reads {self.path}")

    def kill_reader(self) -> None:
        """Kill the worker that reads."""
        descriptor = self.open()
        while not (found := self.readers()):
            time.sleep(0.01)
        os.kill(int(found[0].name), signal.SIGKILL)
        os.close(descriptor)  # it sees no end of the stream any more; who tries again waits for the next writer
        while found[0].exists():  # until its last thread ends, what is written may go to it and be lost
            time.sleep(0.01)

    def readers(self) -> list[Path]:
        """Other processes that have it open."""
        others = (one for one in Path("/proc").iterdir() if one.name.isdigit() and int(one.name) != os.getpid())
        return [one for one in others if str(self.path) in open_files(one)]

    def write(self, data: bytes) -> None:
        """What the worker reads."""
        descriptor = self.open()
        os.set_blocking(descriptor, True)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)


def open_files(process: Path) -> list[str]:
    """The names of a process in /proc."""
    try:
        return [str(one.readlink()) for one in (process / "fd").iterdir()]
    except OSError:
        return []


def tasks_of(*paths: Path) -> list[Task]:
    return [Task(str(path), {"packages": []}, (str(path),)) for path in paths]


class Working(threading.Thread):
    """`work` on a thread; `result` raises what it raised."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__()
        self.arguments, self.named = arguments, named
        self.found: list[Any] = []
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.found = work(*self.arguments, **self.named)
        except BaseException as error:
            self.error = error

    def result(self) -> Any:
        self.join(DEADLINE_S)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error
        return self.found


def test_urls_are_files(stream: Path) -> None:
    pytest.importorskip("fsspec")
    url = stream.as_uri()
    outcome = outcome_of("verify", url, {})
    assert (outcome["source"], outcome["error"], outcome["lines"]) == (url, None, N_LINES)
    assert identity_of([url])[0][:2] == [url, stream.stat().st_size]
    assert identity_of([url]) != identity_of([str(stream)])
    with pytest.raises(BadArgument, match="gone"):
        identity_of([f"{url}.gone"])


def test_damage_and_absence_are_of_one_file(scheduler: str, streams: list[Path], tmp_path: Path) -> None:
    gone, ledger = tmp_path / "gone.lrwk", tmp_path / "ledger"
    done = run("verify", *streams, gone, "--scheduler", scheduler, "--ledger", ledger)
    assert done.exit_code == 1
    table = [line.split() for line in done.stdout.splitlines()]
    assert table[0][:2] == ["file", "lines"]
    assert [row[0] for row in table[1:4]] == [str(streams[i]) for i in (0, 1, 3)]
    assert all(row[1:4] == [str(N_LINES), str(N_BANDS), "7"] for row in table[1:4])
    assert done.stdout.splitlines()[-1] == "3 of 5 files, 0 of them in an earlier run"
    told = [line for line in done.stderr.splitlines() if line.startswith("linerwkv: ")]
    assert len(told) == 2
    assert told[0].startswith(f"linerwkv: {streams[2]}: ") and "CRC" in told[0]
    assert told[1] == f"linerwkv: {gone}: No such file or directory"
    streams[1].write_bytes(streams[1].read_bytes())  # another version of the file
    again = run("verify", *streams, "--scheduler", scheduler, "--ledger", ledger, "--json")
    values = json.loads(again.stdout)
    assert [one.get("earlier", False) for one in values["files"]] == [True, False, False, True]
    assert (values["operation"], values["failed"]) == ("verify", 1)


def test_images_are_restored_once(scheduler: str, streams: list[Path], cube: Cube, tmp_path: Path) -> None:
    output = tmp_path / "images"
    words = ("decode", *streams[:2], "-o", output, "--format", "npy", "--scheduler", scheduler)
    assert run(*words).exit_code == 0
    for path in streams[:2]:
        assert np.array_equal(np.load(output / f"{path.stem}.npy"), cube)
    (output / "scene_1.npy").unlink()
    again = run(*words)
    assert again.stdout.splitlines()[-1] == "2 of 2 files, 1 of them in an earlier run"
    assert (output / "scene_1.npy").exists()
    other = tmp_path / "other" / "scene_0.lrwk"
    other.parent.mkdir()
    other.write_bytes(streams[0].read_bytes())
    assert "given twice" in str(run("decode", streams[0], other, "-o", output).exception)


def test_statistics_have_a_row_of_each_band(scheduler: str, streams: list[Path], cube: Cube) -> None:
    words = ("statistics", *streams[:3], "--scheduler", scheduler)
    done = run(*words)
    assert done.exit_code == 1
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["file", "band", "wavelength", "min", "max", "mean", "missing", "lines"]
    assert rows[2] == [
        str(streams[0]),
        "1",
        "550",
        *(f"{one(cube[:, 1]):.6g}" for one in (np.min, np.max, np.mean)),
        "0",
    ]
    assert rows[1 + 2 * N_BANDS][-1] == "8"  # of the damaged one
    (first, _, damaged) = json.loads(run(*words, "--json").stdout)["files"]
    assert first["mean"] == [cube[:, z].sum() / cube[:, z].size for z in range(N_BANDS)]
    assert damaged["error"] is not None and len(damaged["missing_lines"]) == 1


def test_images_become_streams(scheduler: str, stream: Path, cube: Cube, tmp_path: Path) -> None:
    linerwkv.decompress(stream, tmp_path / "a.hdr")
    np.save(tmp_path / "b.npy", cube)
    output = tmp_path / "streams"
    words = ("transcode", tmp_path / "a.hdr", tmp_path / "b.npy", "-o", output, "--predictor", "dpcm")
    done = run(*words, "--scheduler", scheduler, "--json")
    assert done.exit_code == 0, done.stderr
    assert all(np.array_equal(linerwkv.open(output / f"{name}.lrwk"), cube) for name in "ab")
    with (tmp_path / "a.bil").open("r+b") as file:
        file.write(b"\0")  # the data beside a header that stays
    again = json.loads(run(*words, "--scheduler", scheduler, "--json").stdout)["files"]
    assert [one.get("earlier", False) for one in again] == [False, True]


def test_processes_of_this_machine_are_the_default(stream: Path) -> None:
    assert work("verify", tasks_of(stream), n_workers=1)[0]["lines"] == N_LINES


def test_a_killed_worker_costs_nothing(scheduler: str, stream: Path, streams: list[Path], tmp_path: Path) -> None:
    waiting = Blocking(tmp_path / "waiting.lrwk")
    working = Working("verify", tasks_of(waiting.path, *streams[:2]), None, scheduler)
    waiting.kill_reader()
    waiting.write(stream.read_bytes())
    found = working.result()
    assert [(one["error"], one["lines"]) for one in found] == [(None, N_LINES)] * 3


def test_a_file_that_kills_workers_is_an_error_of_that_file(
    scheduler: str, stream: Path, streams: list[Path], tmp_path: Path
) -> None:
    waiting = Blocking(tmp_path / "waiting.lrwk")
    working = Working("verify", tasks_of(waiting.path, *streams[:2]), tmp_path / "ledger", scheduler)
    waiting.kill_reader()
    waiting.kill_reader()  # it was tried once more, alone
    found = working.result()
    assert found[0]["error"] == "workers died one after another: out of memory, or a library crashed"
    assert [(one["error"], one["lines"]) for one in found[1:]] == [(None, N_LINES)] * 2


def test_a_lost_scheduler_is_one_line_and_the_same_command_goes_on(
    scheduler: str, stream: Path, streams: list[Path], tmp_path: Path
) -> None:
    ledger, waiting = tmp_path / "ledger", Blocking(tmp_path / "waiting.lrwk")
    with subprocess.Popen(
        [sys.executable, "-c", SCHEDULER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as other:
        assert other.stdout is not None
        address = other.stdout.readline().decode().strip()
        working = Working("verify", tasks_of(waiting.path, *streams[:2]), ledger, address)
        waiting.kill_reader()  # Dask gives its job to another worker
        descriptor = waiting.open()
        end = time.monotonic() + DEADLINE_S
        while ledger.read_bytes().count(b"\n") < 3 and time.monotonic() < end:
            time.sleep(0.05)
        other.kill()
        with pytest.raises(Incomplete) as lost:
            working.result()
        os.close(descriptor)
    assert str(lost.value) == "scheduler lost, 1 of 3 files are not done: the same command goes on"
    waiting.path.unlink()
    waiting.path.write_bytes(stream.read_bytes())
    found = work("verify", tasks_of(waiting.path, *streams[:2]), ledger, scheduler)
    assert [(one["error"], one.get("earlier", False)) for one in found] == [(None, False), (None, True), (None, True)]


def test_no_scheduler_is_one_line(streams: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linerwkv.ground.archive_cluster.CONNECT_S", 1)
    with pytest.raises(BadArgument, match=r"scheduler tcp://127\.0\.0\.1:9: "):
        work("verify", tasks_of(streams[0]), None, "tcp://127.0.0.1:9")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_outcome_is_plain_whatever_the_file_is(operation: str, tmp_path: Path) -> None:
    (tmp_path / "a.lrwk").write_bytes(b"LRWK" + bytes(range(200)))
    options: dict[str, Any] = {"output": str(tmp_path / "out.npy")} if operation in ("decode", "transcode") else {}
    options |= {"words": {"predictor": "dpcm"}} if operation == "transcode" else {}
    outcome = outcome_of(operation, str(tmp_path / "a.lrwk"), options)
    assert outcome["error"] and "\n" not in outcome["error"]
    assert json.loads(json.dumps(outcome)) == outcome
    assert not (tmp_path / "out.npy").exists()

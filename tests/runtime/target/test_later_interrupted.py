"""Compression afterwards that is cut, killed or disturbed: no line of a stream is lost."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.errors import BadArgument, Incomplete
from runtime.target import later_streams
from runtime.target.later_compression import compress_later
from runtime.target.recording import Recording
from runtime.target.stream_contents import check_same
from tests.runtime.target.later_folder import (
    PLAIN,
    codings,
    compressed,
    content_of,
    files,
    later_text,
    recorded,
    stream_bytes,
    streams,
)


def test_a_stream_that_is_open_is_not_touched(tmp_path: Path) -> None:
    config = recorded(tmp_path / "out", later_text(tmp_path / "out"))
    whole = streams(tmp_path / "out")[-1].read_bytes()
    open_file = Recording(tmp_path / "out" / "0099.lrwk")
    try:
        open_file.append(whole[:-40])
        told = compressed(config)
        assert "being recorded" in told[-2]["why"] and told[-2]["left"] == "0099.lrwk"
        assert open_file.path.read_bytes() == whole[:-40]
        open_file.append(whole[-40:])
    finally:
        open_file.close()
    wanted = content_of(open_file.path)
    assert [one.get("compressed") for one in compressed(config)] == ["0099.lrwk", None]
    assert content_of(open_file.path) == wanted


@pytest.mark.parametrize("n_cut", [1, 60, 700, 1100])
def test_of_a_stream_that_a_power_cut_ended_the_whole_segments_are_compressed(tmp_path: Path, n_cut: int) -> None:
    config = recorded(tmp_path / "out", later_text(tmp_path / "out"))
    path = streams(tmp_path / "out")[0]
    wanted = content_of(path)
    path.write_bytes(path.read_bytes()[:-n_cut])
    told = compressed(config)
    if "failed" in told[0]:
        raise AssertionError(told[0])
    assert told[0]["was_cut"] is True
    found = content_of(path)
    assert 0 < len(found) <= len(wanted) and found == wanted[: len(found)]
    assert (len(found) == len(wanted)) == (n_cut <= 60)


def test_a_damaged_stream_stays_and_the_others_are_done(tmp_path: Path) -> None:
    config = recorded(tmp_path / "out", later_text(tmp_path / "out"))
    path = streams(tmp_path / "out")[0]
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(Incomplete, match=r"1 streams of .* could not be compressed"):
        compressed(config)
    assert path.read_bytes() == damaged
    assert all(codings(one) != PLAIN for one in streams(tmp_path / "out")[1:])
    assert not list((tmp_path / "out").glob(".*.part"))


def change_meanwhile(monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, Path], None]) -> None:
    """Let a change happen between the copy of a stream and its check."""

    def changed(source: Path, copy: Path, *rest: Any) -> None:
        change(source, copy)
        check_same(source, copy, *rest)

    monkeypatch.setattr(later_streams, "check_same", changed)


def test_a_copy_that_is_not_the_stream_is_never_put_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = recorded(tmp_path / "out", later_text(tmp_path / "out"))
    before = files(tmp_path / "out")
    first, second, *_ = streams(tmp_path / "out")
    other = {first: second.read_bytes()}

    def exchange(source: Path, copy: Path) -> None:
        copy.write_bytes(other.get(source, before[first.name]))

    change_meanwhile(monkeypatch, exchange)
    with pytest.raises(Incomplete):
        compressed(config)
    assert stream_bytes(tmp_path / "out") == before


def test_a_stream_that_the_quota_took_away_does_not_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = recorded(tmp_path / "out", later_text(tmp_path / "out"))
    first, *others = streams(tmp_path / "out")
    kept = tmp_path / "kept"

    def take_away(source: Path, copy: Path) -> None:
        if source == first:
            kept.write_bytes(source.read_bytes())
            source.unlink()
            source.symlink_to(kept)  # so that the check finds it, and another file stands there

    change_meanwhile(monkeypatch, take_away)
    with pytest.raises(Incomplete):
        compressed(config)
    assert first.is_symlink() and codings(kept) == PLAIN
    first.unlink()
    assert compressed(config)[-1] == {"compressed_all": True, "failed": 0}
    assert streams(tmp_path / "out") == others


def test_two_do_not_compress_one_folder(tmp_path: Path) -> None:
    config = recorded(tmp_path / "out", later_text(tmp_path / "out"))
    errors: list[str] = []

    def tell(_: dict[str, Any]) -> None:
        if not errors:
            with pytest.raises(BadArgument, match="another program compresses it") as found:
                compressed(config)
            errors.append(str(found.value))

    compress_later(config, tell)
    assert len(errors) == 1


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from runtime.target.later_compression import compress_later
from tests.runtime.target.later_folder import content_of, later_text, streams
from tests.runtime.target.recorded_frames import config_of

os.fsync = lambda fd: None  # a process that is killed leaves what it wrote; the disk is not what this is about
plain, work = Path(sys.argv[1]), Path(sys.argv[2])
more = "[packets]\\npacket_bytes = 512"
config = config_of(later_text(work, more=more))
wanted = [content_of(path) for path in streams(plain)]

def child(last):
    if not (process := os.fork()):
        seen = 0
        def hook(event, values):
            nonlocal seen
            if event in ("open", "os.rename", "os.remove") and str(work) in str(values[0]):
                seen += 1
                if seen == last:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        compress_later(config, lambda told: None)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

shutil.copytree(plain, work)
compress_later(config, lambda told: None)  # so that each child has the kernels
ends, step = set(), 0
while True:
    step += 1
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(plain, work)
    code = child(step)
    assert [content_of(path) for path in streams(work)] == wanted, step
    assert child(0) == 0
    assert [content_of(path) for path in streams(work)] == wanted, step
    left = {path.name for path in work.iterdir() if path.suffix not in (".lrwk", ".packets")}
    assert left == {".later.lock", "later.json"}, left
    ends.add(frozenset((path.name, path.stat().st_size) for path in work.iterdir() if path.suffix == ".lrwk"))
    counts = [int.from_bytes(path.read_bytes()[2:4], "big") & 0x3FFF for path in sorted(work.glob("*.packets"))]
    assert counts[0] == 0 and counts == sorted(set(counts)), counts
    if code == 0:
        break
assert len(ends) == 1
print(step)
"""


def test_it_may_be_killed_at_every_step_in_the_file_system(tmp_path: Path) -> None:
    recorded(tmp_path / "plain", later_text(tmp_path / "plain"))
    for path in streams(tmp_path / "plain")[2:]:
        path.unlink()
    words = [sys.executable, "-c", KILLED, str(tmp_path / "plain"), str(tmp_path / "work")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20

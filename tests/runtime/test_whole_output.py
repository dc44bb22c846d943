"""An output has its name when it is whole, and is on the disk before it has it."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime import whole_output
from runtime.errors import BadArgument
from runtime.output_checks import check_files, check_outputs
from runtime.whole_output import replacing, replacing_folder, unfinished_name


def test_the_content_is_on_the_disk_before_the_name_stands_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, fsync = tmp_path / "output", os.fsync
    output.write_text("old")
    seen: list[tuple[str, str]] = []

    def noted(fd: int) -> None:
        seen.append((Path(f"/proc/self/fd/{fd}").read_text(), output.read_text()))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", noted)
    with replacing(output) as part, part.open("w") as file:
        file.write("new")
    assert seen == [("new", "old")]
    assert output.read_text() == "new"


def test_an_output_that_fails_leaves_the_old_one_alone(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(output) as part:
        part.write_text("half")
        raise ZeroDivisionError
    with (
        pytest.raises(BadArgument, match=r"output .* cannot be written: No such file"),
        replacing(tmp_path / "none" / "x"),
    ):
        pass
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


KILLED = """
import os, signal, sys
from pathlib import Path
from runtime.whole_output import replacing_pair
number, seen = int(sys.argv[1]), 0
def hook(event, values):
    global seen
    if event in ("os.rename", "os.remove"):
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)
with replacing_pair(Path("data"), Path("header")) as (data, header):
    data.write_text("new")
    header.write_text("new")
    sys.addaudithook(hook)
"""


def test_a_program_that_is_killed_leaves_no_header_beside_other_data(tmp_path: Path) -> None:
    for number in range(1, 9):
        (tmp_path / "data").write_text("old")
        (tmp_path / "header").write_text("old")
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-c", KILLED, str(number)]
        code = subprocess.run(command, cwd=tmp_path, env=environment, check=False).returncode
        header = tmp_path / "header"
        assert not header.exists() or header.read_text() == (tmp_path / "data").read_text()
        if code == 0:
            break
        assert code == -9
    assert number > 3 and (tmp_path / "header").read_text() == "new"


def is_ours(folder: Path) -> bool:
    return all(path.name in ("old", "new") for path in folder.iterdir())


def test_a_folder_comes_whole_in_place_of_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old").write_text("old")
    with pytest.raises(ZeroDivisionError), replacing_folder(folder, is_ours) as part:
        (part / "new").write_text("half")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "old"]
    with replacing_folder(folder, is_ours) as part:
        (part / "new").write_text("new")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "new"]
    (tmp_path / "file").write_text("old")
    with pytest.raises(BadArgument, match="a file has this name"), replacing_folder(tmp_path / "file", is_ours):
        pass
    assert (tmp_path / "file").read_text() == "old"


def test_folders_are_swapped_where_the_system_has_no_call_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_output, "EXCHANGE", 1 << 20)
    test_a_folder_comes_whole_in_place_of_the_old_one(tmp_path)


def test_a_folder_of_others_is_refused_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    (other / "deep").mkdir(parents=True)
    (other / "deep" / "thesis").write_text("years")
    (tmp_path / "link").symlink_to(other)
    for name in ("other", "link"):
        with (
            pytest.raises(BadArgument, match=r"holds other files \(deep\)"),
            replacing_folder(tmp_path / name, is_ours),
        ):
            raise AssertionError("not before anything is done")
    monkeypatch.chdir(other / "deep")
    for path in (Path(), Path(".."), other):
        with pytest.raises(BadArgument, match="current folder"), replacing_folder(path, lambda _: True):
            raise AssertionError("not before anything is done")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    with pytest.raises(BadArgument, match="holds other files"), replacing_folder(Path("mine"), is_ours):
        (tmp_path / "mine" / "came in the meantime").touch()
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert found == ["link", "mine", "mine/came in the meantime", "other", "other/deep", "other/deep/thesis"]


WRITES = """
import sys
from pathlib import Path
from runtime.whole_output import replacing, replacing_folder
name = Path(sys.argv[2])
with replacing(name) if sys.argv[1] == "file" else replacing_folder(name, lambda _: True) as part:
    print(part.name, flush=True)
    sys.stdin.read()
    if sys.argv[1] == "file":
        part.write_text("first")
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_program_that_died_left_is_removed_by_the_next_one_and_what_lives_is_not(
    kind: str, tmp_path: Path
) -> None:
    for name in (".output.old.part", ".output.more.12.part", ".other.12.part"):
        (tmp_path / name).touch()
    others = {path.name for path in tmp_path.iterdir()}
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", WRITES, kind, str(tmp_path / "output")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": environment, "text": True}
    with subprocess.Popen(command, **pipes) as dead, subprocess.Popen(command, **pipes) as alive:  # type: ignore[call-overload]
        assert dead.stdout and alive.stdout and alive.stdin
        left, working = dead.stdout.readline().strip(), alive.stdout.readline().strip()
        dead.kill()
        dead.wait()
        assert {path.name for path in tmp_path.iterdir()} == others | {left, working}
        writing = replacing(tmp_path / "output") if kind == "file" else replacing_folder(tmp_path / "output", is_ours)
        with writing:
            assert {path.name for path in tmp_path.iterdir()} == others | {
                working,
                unfinished_name(tmp_path / "output").name,
            }
        alive.stdin.close()
        assert alive.wait() == 0
    assert {path.name for path in tmp_path.iterdir()} == others | {"output"}


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("moment", ["before it is opened", "before it is locked"])
def test_a_program_that_starts_in_between_does_not_take_what_is_not_locked_yet(
    kind: str, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, real, taken = tmp_path / "output", os.open, [0]

    def opened_while_another_starts(path: Path, flags: int, mode: int = 0o777) -> int:
        if taken[0] or Path(path).parent != tmp_path:
            return real(path, flags, mode)
        taken[0] = 1
        if moment == "before it is opened":
            whole_output.remove_left(output)
        fd = real(path, flags, mode)
        whole_output.remove_left(output)
        return fd

    monkeypatch.setattr(os, "open", opened_while_another_starts)
    with replacing(output) if kind == "file" else replacing_folder(output, is_ours) as part:
        assert taken == [1]
        whole_output.remove_left(output)
        assert part.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


def test_a_name_of_the_longest_length_is_written(tmp_path: Path) -> None:
    for name in ("x" * 250 + ".lrwk", "\u00e9" * 120 + ".lrwk", "\U0001f600" * 60 + ".lrwk"):
        with replacing(tmp_path / name) as part:
            part.write_text("new")
        assert (tmp_path / name).read_text() == "new"


def test_an_output_that_is_an_input_is_refused_by_whatever_name(tmp_path: Path) -> None:
    source, other = tmp_path / "source", tmp_path / "other"
    source.touch()
    other.touch()
    (tmp_path / "soft").symlink_to(source)
    (tmp_path / "hard").hardlink_to(source)
    for name in ("source", "soft", "hard"):
        with pytest.raises(BadArgument, match=rf"{name} is the input .*source, allowed another file"):
            check_outputs([other, tmp_path / name], [source])
    with pytest.raises(BadArgument, match="given twice"):
        check_outputs([tmp_path / "new", tmp_path / ".." / tmp_path.name / "new"], [source])
    check_outputs([other, tmp_path / "new", Path("/dev/null"), Path("-"), Path("-")], [source, Path("/dev/null")])


def test_a_file_of_others_in_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.md").touch()
    with pytest.raises(BadArgument, match=r"holds report\.md of another origin"):
        check_files(tmp_path, ("report.json", "report.md"), "*.bin")
    (tmp_path / "first.bin").touch()
    check_files(tmp_path, ("report.json", "report.md"), "*.bin")
    check_files(tmp_path / "new", ("report.json", "report.md"), "*.bin")


def test_links_and_pipes_are_written_through(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "real").write_text("old")
    link, fifo = tmp_path / "link", tmp_path / "fifo"
    link.symlink_to(tmp_path / "store" / "real")
    with replacing(link) as part:
        part.write_text("new")
    assert link.is_symlink() and (tmp_path / "store" / "real").read_text() == "new"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", str(fifo)], stdout=subprocess.PIPE) as reader, replacing(fifo) as part:
        part.write_text("content")
        assert reader.communicate(timeout=20)[0] == b"content"
    assert fifo.is_fifo()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_threads_that_write_the_same_name_do_not_meet(kind: str, tmp_path: Path) -> None:
    output, all_write = tmp_path / "output", threading.Barrier(6, timeout=30)

    def write(i: int) -> None:
        with replacing(output) if kind == "file" else replacing_folder(output, lambda _: True) as part:
            all_write.wait()
            (part if kind == "file" else part / "one").write_text(str(i))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, range(6)))
    assert [path.name for path in tmp_path.iterdir()] == ["output"]
    assert (output if kind == "file" else output / "one").read_text() in map(str, range(6))

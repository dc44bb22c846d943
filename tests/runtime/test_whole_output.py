"""An output has its name when it is whole, and is on the disk before it has it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.errors import BadArgument
from runtime.whole_output import replacing, replacing_folder


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
    with pytest.raises(BadArgument, match=r"output .* cannot be written: No such file"), replacing(output):
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


def test_a_folder_comes_whole_in_place_of_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old").write_text("old")
    with pytest.raises(ZeroDivisionError), replacing_folder(folder) as part:
        (part / "new").write_text("half")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "old"]
    with replacing_folder(folder) as part:
        (part / "new").write_text("new")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "new"]
    (tmp_path / "file").write_text("old")
    with pytest.raises(BadArgument, match="a file has this name"), replacing_folder(tmp_path / "file"):
        pass
    assert (tmp_path / "file").read_text() == "old"


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

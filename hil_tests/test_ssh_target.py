"""A board reached by SSH: whole files or none, commands that end with their local end, a host that is who it was."""

import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hil_tests.loopback_sshd import Loopback, loopback_sshd
from hil_tests.targets.ssh import SshTarget
from hil_tests.targets.target import TargetFailed
from hil_tests.tool import NotAvailable
from runtime.errors import BadArgument

FLIP = """#!{python}
import subprocess, sys
data = bytearray(sys.stdin.buffer.read()) if not {{"-f", "-O"}} & set(sys.argv) else b""
if len(data) > 100:
    data[100] ^= 1
sys.exit(subprocess.run(["ssh", *sys.argv[1:]], input=bytes(data), check=False).returncode)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    try:
        with loopback_sshd(tmp_path_factory.mktemp("sshd")) as loopback:
            yield loopback
    except NotAvailable as error:
        pytest.skip(str(error))


def target_at(server: Loopback, folder: Path, **more: Any) -> SshTarget:
    options: dict[str, Any] = {"key": server.key, "known_hosts": server.known_hosts, "connect_seconds": 10.0, **more}
    return SshTarget(
        name="loopback", host="127.0.0.1", port=server.port, folder=str(folder), python=sys.executable, **options
    )  # each test names what it changes


@pytest.fixture
def board(server: Loopback, tmp_path: Path) -> Iterator[SshTarget]:
    target = target_at(server, tmp_path / "board folder")
    target.bring_up()
    yield target
    target.close()


def test_files_and_folders_come_whole(board: SshTarget, tmp_path: Path) -> None:
    folder = tmp_path / "package"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a b").write_bytes(bytes(range(256)) * 500)
    board.put(folder, "it's a package")
    board.put(folder / "deep" / "a b", "sub/file")
    board.fetch("it's a package/deep/a b", tmp_path / "back")
    board.fetch("sub/file", tmp_path / "again")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "again").read_bytes() == bytes(range(256)) * 500
    (folder / "deep" / "a b").rename(folder / "other")
    board.put(folder, "it's a package")
    assert board.shell(["ls", "it's a package"]).split() == ["deep", "other"]
    assert sorted(board.shell(["ls"]).splitlines()) == ["it's a package", "sub"]


def test_a_byte_flipped_in_transit_is_refused_and_nothing_is_kept(server: Loopback, tmp_path: Path) -> None:
    wrapper = tmp_path / "flipping"
    wrapper.write_text(FLIP.format(python=sys.executable))
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    target = target_at(server, tmp_path / "board", ssh=(str(wrapper),))
    target.bring_up()
    (tmp_path / "file").write_bytes(bytes(1000))
    with pytest.raises(TargetFailed, match="file came with another sha256"):
        target.put(tmp_path / "file", "file")
    assert target.shell(["ls"]) == ""
    target.close()


def test_what_is_not_there_is_not_fetched(board: SshTarget, tmp_path: Path) -> None:
    with pytest.raises(TargetFailed, match="no-such"):
        board.fetch("no-such", tmp_path / "local")
    assert not (tmp_path / "local").exists()


def test_commands_say_what_they_print_or_why_they_failed(board: SshTarget) -> None:
    assert board.shell(["sh", "-c", 'echo "$A" "$1"', "sh", "it's"], variables={"A": "x y"}) == "x y it's\n"
    with pytest.raises(TargetFailed, match=r"exit code 3: last words$"):
        board.shell(["sh", "-c", "echo last words >&2; exit 3"])
    with pytest.raises(TargetFailed, match=r"not ended in 0\.2 s"):
        board.shell(["sleep", "5"], seconds=0.2)


def test_ending_the_local_end_ends_the_command(board: SshTarget, tmp_path: Path) -> None:
    board.paths = {"PYTHONPATH": str(tmp_path)}
    (tmp_path / "waiting.py").write_text("import time\nprint('here', flush=True)\ntime.sleep(60)\n")
    for end in ("kill", "reset"):
        process = board.start("waiting")
        assert process.stdout is not None and process.stdout.readline() == b"here\n"
        process.kill() if end == "kill" else board.reset()
        process.communicate(timeout=10)
        assert process.returncode != 0
        board.bring_up()
        deadline = time.monotonic() + 5
        while "-m waiting" in board.shell(["ps", "-ef"]):
            assert time.monotonic() < deadline


def test_a_cut_link_is_told_and_can_be_restored(board: SshTarget, tmp_path: Path) -> None:
    board.shell(["sh", "-c", "echo 1 > file"])
    board.cut_link()
    with pytest.raises(TargetFailed, match="no connection"):
        board.fetch("file", tmp_path / "file")
    assert not (tmp_path / "file").exists()
    board.restore_link()
    board.fetch("file", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "1\n"


def test_a_host_with_another_key_is_refused(server: Loopback, tmp_path: Path) -> None:
    other = tmp_path / "known_hosts"
    other.write_text(f"[127.0.0.1]:{server.port} {server.key.with_suffix('.pub').read_text()}")
    target = target_at(server, tmp_path / "board", known_hosts=other)
    with pytest.raises(TargetFailed, match="no connection: Host key verification failed"):
        target.bring_up()
    target.close()


def test_nothing_runs_before_it_is_deployed(board: SshTarget) -> None:
    with pytest.raises(TargetFailed, match="no runtime is deployed"):
        board.start("runtime.cli")


def test_a_client_that_is_not_installed() -> None:
    with pytest.raises(BadArgument, match="apt-get install openssh-client"):
        SshTarget(name="board", host="127.0.0.1", ssh=("no-such-client",))

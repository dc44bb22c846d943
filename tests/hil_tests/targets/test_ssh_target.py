"""A board reached by SSH: whole files or none, commands that end with their local end, a host that is who it was."""

import contextlib
import gc
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hil_tests.faults.catalogue import try_fault
from hil_tests.findings.findings import Outcome
from hil_tests.places.runtime_wheel import build_runtime_wheel
from hil_tests.places.tool import NotAvailable
from hil_tests.targets import ssh_connection
from hil_tests.targets.remote_install import missing_libraries
from hil_tests.targets.ssh import SshTarget
from hil_tests.targets.target import TargetFailed
from runtime.errors import BadArgument
from tests.hil_tests.targets.loopback_sshd import Loopback, loopback_sshd

FLIP = """#!{python}
import subprocess, sys
data = bytearray(sys.stdin.buffer.read()) if not {{"-f", "-O"}} & set(sys.argv) else b""
if len(data) > 100:
    data[100] ^= 1
sys.exit(subprocess.run(["ssh", *sys.argv[1:]], input=bytes(data), check=False).returncode)
"""


BEFORE = """#!{python}
import os, sys
words = sys.argv[1:]
if not {{"-f", "-O"}} & set(words):
    words[-1] = {line!r} + words[-1]
os.execvp("ssh", ["ssh", *words])
"""
HANGING = """#!/bin/sh
case " $* " in *" -O "*) exec sleep 30 ;; esac
exec ssh "$@"
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


def wrapper(folder: Path, text: str) -> str:
    """A client of ours."""
    path = folder / "client"
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


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
    target = target_at(server, tmp_path / "board", ssh=(wrapper(tmp_path, FLIP.format(python=sys.executable)),))
    target.bring_up()
    (tmp_path / "file").write_bytes(bytes(1000))
    with pytest.raises(TargetFailed, match="file came with another sha256"):
        target.put(tmp_path / "file", "file")
    assert target.shell(["ls"]) == ""
    target.close()


def test_a_file_takes_the_place_of_a_folder_and_a_folder_that_of_a_file(board: SshTarget, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner").write_text("inner")
    (tmp_path / "file").write_text("file")
    board.shell(["mkdir", "package.part"])  # what a folder that did not come whole leaves
    for _ in range(2):
        board.put(tmp_path / "folder", "package")
        assert board.shell(["cat", "package/inner"]) == "inner"
        board.put(tmp_path / "file", "package")
        assert board.shell(["cat", "package"]) == "file"
    assert board.shell(["ls"]).split() == ["package"]


def test_what_does_not_fit_there_is_reported_and_leaves_nothing(server: Loopback, tmp_path: Path) -> None:
    client = wrapper(tmp_path, BEFORE.format(python=sys.executable, line="ulimit -f 8; trap '' XFSZ; "))
    target = target_at(server, tmp_path / "board", ssh=(client,))
    target.bring_up()
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "large").write_bytes(bytes(99999))
    for local in (tmp_path / "package", tmp_path / "package" / "large"):
        with pytest.raises(TargetFailed, match="File too large"):
            target.put(local, local.name)
    assert target.shell(["ls"]) == ""
    target.close()


def test_a_shell_that_prints_more_than_its_commands_is_refused(server: Loopback, tmp_path: Path) -> None:
    client = wrapper(tmp_path, BEFORE.format(python=sys.executable, line="echo Welcome; "))
    target = target_at(server, tmp_path / "board", ssh=(client,))
    with pytest.raises(TargetFailed, match="prints more than its commands do: 'Welcome"):
        target.bring_up()
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


def processes(board: SshTarget, words: str) -> int:
    """How many run there with such words in their command."""
    return sum(words in line for line in board.shell(["ps", "-ef"]).splitlines())


def test_what_outlived_its_link_or_its_deadline_is_ended_at_the_next_bring_up(board: SshTarget, tmp_path: Path) -> None:
    board.paths = {"PYTHONPATH": str(tmp_path)}
    (tmp_path / "outliving.py").write_text("import time\nprint('here', flush=True)\ntime.sleep(60)\n")
    process = board.start("outliving")
    assert process.stdout is not None and process.stdout.readline() == b"here\n"
    with pytest.raises(TargetFailed, match="not ended"):
        board.shell(["sleep", "61.25"], seconds=0.5)
    board.cut_link()
    process.communicate(timeout=10)
    board.reset()  # nothing can be reached now
    board.restore_link()
    deadline = time.monotonic() + 5
    while processes(board, "-m outliving") or processes(board, "sleep 61.25"):
        assert time.monotonic() < deadline


def test_a_connection_that_hangs_does_not_keep_us(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_connection, "CLOSE_S", 0.2)
    monkeypatch.setattr(ssh_connection, "IDLE_S", 1)
    target = target_at(server, tmp_path / "board", ssh=(wrapper(tmp_path, HANGING),))
    home = target.connection.home
    target.bring_up()
    target.close()
    assert not home.exists()
    deadline = time.monotonic() + 5
    while any(str(home) in " ".join(words) for words in local_commands()):
        assert time.monotonic() < deadline


def local_commands() -> Iterator[list[str]]:
    """Of the processes of this machine."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended
            yield path.read_text(errors="replace").split("\0")


def test_a_target_that_is_given_up_leaves_no_folder_here() -> None:
    target = SshTarget(name="board", host="127.0.0.1")
    home = target.connection.home
    assert home.is_dir()
    del target
    gc.collect()
    assert not home.exists()


def test_libraries_are_looked_for_as_the_runtime_will(board: SshTarget, tmp_path: Path) -> None:
    board.variables = {"LIBRARIES": "x y"}
    board.python = wrapper(tmp_path, '#!/bin/sh\necho "$PYTHONPATH $PYTHONNOUSERSITE $LIBRARIES"\n')
    assert missing_libraries(board, "/site") == ["/site", "1", "x", "y"]  # those of the user there do not count


def test_a_cut_link_is_reported_and_can_be_restored(board: SshTarget, tmp_path: Path) -> None:
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


def test_a_deployment_replaces_an_older_one_and_nothing_of_the_user(board: SshTarget, tmp_path: Path) -> None:
    board.shell(["mkdir", "app-store", "numba-examples", "app-" + 12 * "0", "numba-" + 12 * "0"])
    board.deploy(build_runtime_wheel(tmp_path / "wheel"))
    names = set(board.shell(["ls"]).split())
    assert {"app-store", "numba-examples"} <= names
    (app,) = names - {"app-store", "numba-examples", "runtime.whl"}
    with board.start("runtime.target.recorder", "--help") as process:
        assert b"Record raw lines" in process.communicate(timeout=60)[0]
    assert app in board.paths["PYTHONPATH"]


def test_a_link_that_is_cut_while_lines_come_costs_no_finished_segment(
    board: SshTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.deploy(build_runtime_wheel(tmp_path / "wheel"))
    step = try_fault("link-cut", board, time.monotonic())
    assert step.outcome is Outcome.PASSED, step.detail
    monkeypatch.setattr(board, "cut_link", lambda: None)
    step = try_fault("link-cut", board, time.monotonic())
    assert (step.outcome, step.detail) == (Outcome.FAILED, "a file came over a link that was cut")


def test_nothing_runs_before_it_is_deployed(board: SshTarget) -> None:
    with pytest.raises(TargetFailed, match="no runtime is deployed"):
        board.start("runtime.commands.cli")


def test_a_client_that_is_not_installed() -> None:
    with pytest.raises(BadArgument, match="apt-get install openssh-client"):
        SshTarget(name="board", host="127.0.0.1", ssh=("no-such-client",))

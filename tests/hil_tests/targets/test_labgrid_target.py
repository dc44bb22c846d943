"""A board behind labgrid: power really switches, the console is kept, the place is reserved and given back."""

import os
import pty
import shlex
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil_tests.board.board import load_board
from hil_tests.places.tool import NotAvailable
from hil_tests.targets.labgrid import LabgridTarget
from hil_tests.targets.target import TargetFailed
from hil_tests.targets.target_factory import make_target
from tests.hil_tests.targets.loopback_sshd import Loopback, loopback_sshd

SWITCH = """#!/bin/sh
# on | off: starts and stops the SSH server, which is all of the board that can be seen from here
cd {folder}
case $1 in
on) kill -0 $(cat pid 2>/dev/null) 2>/dev/null || {{ {sshd} -D -f sshd_config >/dev/null 2>&1 & echo $! > pid; }} ;;
off) kill $(cat pid); rm pid ;;
esac
echo $1 >> switched
"""
ENVIRONMENT = """
targets:
  main:
    resources:
      NetworkService: {{address: 127.0.0.1, username: '', port: {port}}}
{resource}
    drivers:
      ExternalPowerDriver: {{cmd_on: {switch} on, cmd_off: {switch} off, delay: 0.1}}
{driver}
"""


class Desk:
    """A board that is off: an SSH server's files, its power switch, and the labgrid environment that names both."""

    def __init__(self, server: Loopback, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.switch = folder / "switch"
        self.switch.write_text(SWITCH.format(folder=shlex.quote(str(folder)), sshd="/usr/sbin/sshd"))
        self.switch.chmod(self.switch.stat().st_mode | stat.S_IXUSR)

    def environment(self, resource: str = "", driver: str = "") -> Path:
        path = self.folder / "environment.yaml"
        path.write_text(ENVIRONMENT.format(port=self.server.port, switch=self.switch, resource=resource, driver=driver))
        return path

    def target(self, environment: Path, **more: object) -> LabgridTarget:
        options = {"key": self.server.key, "known_hosts": self.server.known_hosts, "connect_seconds": 10.0, **more}
        fixed = {"name": "desk", "folder": str(self.folder / "board"), "python": sys.executable}
        return LabgridTarget(environment=environment, **fixed, **options)  # type: ignore[arg-type]  # as tests ask

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.server.port)) == 0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    try:
        with loopback_sshd(tmp_path) as server:
            pass
    except NotAvailable as error:
        pytest.skip(str(error))
    one = Desk(server, tmp_path)
    deadline = time.monotonic() + 5
    while one.answers():  # a child of the server may hold its port for a moment
        assert time.monotonic() < deadline
    yield one
    if (tmp_path / "pid").exists():
        subprocess.run([one.switch, "off"], check=True)


def test_power_comes_on_and_a_reset_takes_it_away(desk: Desk, tmp_path: Path) -> None:
    assert not desk.answers()
    target = desk.target(desk.environment())
    target.bring_up()
    (tmp_path / "file").write_bytes(bytes(1000))
    target.put(tmp_path / "file", "file")
    target.reset()
    assert (tmp_path / "switched").read_text().split() == ["on", "off", "on"]
    target.bring_up()
    target.fetch("file", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == bytes(1000)
    target.close()
    assert desk.answers()


def test_a_program_there_loses_its_power_before_its_input_ends(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    target = desk.target(desk.environment())
    target.bring_up()
    cycle, was_connected = target.power.cycle, []

    def noted() -> None:
        was_connected.append((target.connection.home / "link").exists())
        cycle()

    monkeypatch.setattr(target.power, "cycle", noted)
    target.reset()
    assert was_connected == [True]
    target.close()


def test_what_the_console_prints_is_kept_in_the_folder_of_the_run(desk: Desk, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    path = desk.environment(
        f"      RawSerialPort: {{port: {os.ttyname(theirs)}, speed: 115200}}", "      SerialDriver: {}"
    )
    (tmp_path / "board.toml").write_text(
        f'name = "desk"\ntransport = "labgrid"\n[labgrid]\nenvironment = "{path.name}"\nfolder = "{tmp_path}/board"\n'
        f'key = "{desk.server.key}"\nknown_hosts = "{desk.server.known_hosts}"\n'
    )
    target = make_target(load_board(tmp_path / "board.toml"), tmp_path / "run")
    target.bring_up()
    os.write(ours, b"booted\n")
    deadline = time.monotonic() + 5
    while b"booted" not in (tmp_path / "run" / "console.log").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    target.close()
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("main:", "other:"), "has no target 'main'"),
        (lambda text: text.replace("/switch on", "/no-such on"), "power on: .*no-such"),
        (lambda text: text[:60], "labgrid environment"),
    ],
)
def test_what_is_wrong_is_reported_on_one_line(desk: Desk, change: Callable[[str], str], words: str) -> None:
    path = desk.environment()
    path.write_text(change(path.read_text()))
    target = desk.target(path)
    with pytest.raises(TargetFailed, match=words) as raised:
        target.bring_up()
    assert "\n" not in str(raised.value)
    target.close()


@pytest.fixture
def coordinator(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    (tmp_path / "coordinator").mkdir()
    with (tmp_path / "coordinator" / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "labgrid.remote.coordinator", "-l", address],
            cwd=tmp_path / "coordinator", stdout=log, stderr=log,
        )  # fmt: skip
    deadline = time.monotonic() + 20
    while at_coordinator(address, "create").returncode != 0:
        assert server.poll() is None and time.monotonic() < deadline
        time.sleep(0.2)
    yield address
    server.terminate()
    server.wait()


def at_coordinator(address: str, *words: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "labgrid.remote.client", "-x", address, "-p", "shelf", *words]
    return subprocess.run(command, capture_output=True, check=False)


def test_the_place_is_reserved_and_given_back(desk: Desk, coordinator: str) -> None:
    target = desk.target(desk.environment(), coordinator=coordinator, place="shelf")
    other = desk.target(desk.environment(), coordinator=coordinator, place="shelf")
    target.bring_up()
    with pytest.raises(TargetFailed, match="labgrid does not acquire place shelf"):
        other.bring_up()
    other.close()
    assert b"acquired: None" not in at_coordinator(coordinator, "show").stdout
    target.close()
    assert b"acquired: None" in at_coordinator(coordinator, "show").stdout

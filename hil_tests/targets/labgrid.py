"""A real board on the desk or in a laboratory: SSH, with reservation, power switch and console by labgrid."""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pexpect
from labgrid import Environment
from labgrid.exceptions import NoDriverFoundError
from typing_extensions import override

from hil_tests.board.board import Seconds
from hil_tests.targets.ssh import SshTarget
from hil_tests.targets.ssh_connection import last_line
from hil_tests.targets.target import TargetFailed

CONSOLE_S = 0.05
"""Between two looks at the console."""


class LabgridTarget(SshTarget):
    """A board of labgrid, whose environment has a role with NetworkService, power driver and, if wanted, a console."""

    def __init__(
        self,
        *,
        name: str,
        environment: Path,
        role: str = "main",
        coordinator: str | None = None,
        place: str | None = None,
        console: Path | None = None,
        folder: str = "linerwkv",
        python: str = "python3",
        key: Path | None = None,
        known_hosts: Path | None = None,
        processors: Sequence[int] = (),
        variables: Mapping[str, str] | None = None,
        sites: Sequence[str] = (),
        connect_seconds: Seconds = 120.0,
    ) -> None:
        """Nothing is reserved or switched yet. `place`: reserved at `coordinator` (host:port), None: labgrid's own.

        `console`: file that what the console prints is added to. Raises BadArgument: no SSH client here.
        """
        super().__init__(
            name=name, host="known-after-bring-up", folder=folder, python=python, key=key, known_hosts=known_hosts,
            processors=processors, variables=variables, sites=sites, connect_seconds=connect_seconds,
        )  # fmt: skip
        self.environment_file, self.role = environment, role
        self.place = place
        self.coordinator = ("-x", coordinator) if coordinator else ()
        self.console = console
        self.is_reserved = False
        self.lab: Environment | None = None
        self.power: Any = None
        self.one_call = threading.RLock()
        """labgrid counts steps of all drivers on one stack: one call of it at a time."""
        self.console_ends = threading.Event()
        self.reader: threading.Thread | None = None

    @override
    def bring_up(self) -> None:
        """The place is ours, the power is on, and SSH answers."""
        if self.lab is None:
            self.open_laboratory()
        with self.labgrid_call("power on"):
            self.power.on()
        super().bring_up()

    def open_laboratory(self) -> None:
        """Reserve the place and find the board's drivers and address. Raises TargetFailed."""
        if self.place is not None and not self.is_reserved:
            self.at_place("acquire")
            self.is_reserved = True
        with self.labgrid_call(f"labgrid environment {self.environment_file}"):
            lab = Environment(str(self.environment_file))
            board = lab.get_target(self.role)
            if board is None:
                raise TargetFailed(f"{self.name}: {self.environment_file} has no target {self.role!r}")
            service = board.get_resource("NetworkService")
            self.power = board.get_driver("PowerProtocol")
            if self.console is not None:
                with contextlib.suppress(NoDriverFoundError):  # a board need not have a console
                    self.read_console(board.get_driver("ConsoleProtocol"), self.console)
        self.connection.host = f"{service.username}@{service.address}" if service.username else service.address
        self.connection.port = service.port
        self.lab = lab

    def read_console(self, driver: Any, path: Path) -> None:
        """Start adding what the console prints to a file, until `console_ends`."""

        def read() -> None:
            with path.open("ab", buffering=0) as file:
                while not self.console_ends.wait(CONSOLE_S):
                    try:
                        with self.one_call:
                            file.write(driver.read(timeout=0.0))
                    except pexpect.TIMEOUT:
                        continue
                    except Exception as error:  # a console that breaks does not end the run
                        file.write(f"\n[console lost: {error!r}]\n".encode())
                        return

        path.parent.mkdir(parents=True, exist_ok=True)
        self.console_ends.clear()
        self.reader = threading.Thread(target=read, daemon=True)
        self.reader.start()

    def at_place(self, verb: str) -> None:
        """Acquire or release our place. Raises TargetFailed."""
        command = [sys.executable, "-m", "labgrid.remote.client", *self.coordinator, "-p", str(self.place), verb]
        try:
            done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            raise TargetFailed(f"{self.name}: labgrid's coordinator did not {verb} {self.place} in 60 s") from None
        if done.returncode != 0:
            words = last_line((done.stdout + done.stderr).decode(errors="replace"))
            raise TargetFailed(f"{self.name}: labgrid does not {verb} place {self.place}: {words}")

    @contextlib.contextmanager
    def labgrid_call(self, what: str) -> Iterator[None]:
        """Whatever labgrid or a driver of it raises in the block, as TargetFailed on one line."""
        try:
            with self.one_call:
                yield
        except TargetFailed:
            raise
        except Exception as error:  # drivers raise what their libraries raise
            words = last_line(str(error)) or type(error).__name__
            raise TargetFailed(f"{self.name}: {what}: {words}") from None

    @override
    def reset(self) -> None:
        """The power is switched off and on, and then the connection is ended."""
        if self.lab is None:
            self.open_laboratory()
        with self.labgrid_call("power cycle"):
            self.power.cycle()
        self.connection.close()

    @override
    def close(self) -> None:
        """The place is free again; the power stays as it is, deployed files too."""
        super().close()
        self.console_ends.set()
        if self.reader is not None:
            self.reader.join()
        try:
            if self.lab is not None:
                with self.labgrid_call("end of labgrid"):
                    self.lab.cleanup()
                self.lab = None
        finally:
            if self.is_reserved:
                self.at_place("release")
                self.is_reserved = False

"""The recorder as a service of its own process: started, watched by its telemetry, commanded, killed, ended."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

START_S = 3600.0
"""Of an emulated processor that compiles every kernel."""
WAIT_S = 600.0
"""Until what telemetry must tell is told; a flight that hangs ends by it."""
ANSWER_S = 120.0
Told = dict[str, Any]


class FlightFailed(Exception):
    """The flight cannot go on."""


class FlownRecorder:
    """`linerwkv record CONFIG.toml`, one process after another."""

    def __init__(self, config: Path, telemetry: Path, commands: Path, log: Path) -> None:
        self.config, self.telemetry, self.commands, self.log = config, telemetry, commands, log
        self.process: subprocess.Popen[bytes] | None = None
        self.events: list[Told] = []  # Of telemetry, as far as it was read
        self.n_read = 0

    def start(self) -> None:
        """Return when it is ready. Raises FlightFailed."""
        n_ready = len(self.told("ready"))
        words = [sys.executable, "-m", "runtime.commands.cli", "record", str(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log)
        self.wait_until(lambda: len(self.told("ready")) > n_ready, "ready", START_S)

    def told(self, key: str) -> list[Told]:
        """The lines of telemetry that have a key, so far."""
        self.read_telemetry()
        return [one for one in self.events if key in one]

    def read_telemetry(self) -> None:
        """Take what was written since the last look: the machine that looks is the one that flies."""
        if not self.telemetry.exists():
            return
        with self.telemetry.open("rb") as file:
            file.seek(self.n_read)
            text, end, _ = file.read().rpartition(b"\n")  # the last line may not be whole yet
        self.n_read += len(text) + len(end)
        for line in text.splitlines():
            with contextlib.suppress(ValueError):  # one that a kill cut
                self.events.append(json.loads(line))

    def wait_until(self, is_so: Callable[[], bool], what: str, seconds: float = WAIT_S) -> None:
        """Return when it is so. Raises FlightFailed: it does not come, or the recorder has ended."""
        deadline = time.monotonic() + seconds
        while not is_so():
            if self.process is None or self.process.poll() is not None:
                raise FlightFailed(f"the recorder ended before {what}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise FlightFailed(f"no {what} within {seconds:g} s: {self.last_words()}")
            time.sleep(0.05)

    def command(self, **values: Any) -> Told:
        """Its answer to a command. Raises FlightFailed."""
        return self.answer(json.dumps(values).encode())

    def answer(self, line: bytes) -> Told:
        """Its answer to a line. Raises FlightFailed."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(ANSWER_S)
                connection.connect(str(self.commands))
                connection.sendall(line + b"\n")
                with connection.makefile("rb") as answers:
                    found: Told = json.loads(answers.readline())
        except (OSError, ValueError) as error:
            raise FlightFailed(f"no answer to {line[:60]!r}: {error}; {self.last_words()}") from None
        return found

    def worker(self) -> int | None:
        """The process of the executor, a child of the recorder; None: there is none now."""
        assert self.process is not None
        for place in Path("/proc").iterdir():
            if not place.name.isdecimal():
                continue
            with contextlib.suppress(OSError):
                parent = int(place.joinpath("stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.process.pid and b"executor_server" in place.joinpath("cmdline").read_bytes():
                    return int(place.name)
        return None

    def kill(self) -> None:
        """End it at once, as a power cut does: nothing that it holds is written any more."""
        assert self.process is not None
        worker = self.worker()
        self.process.kill()
        self.process.wait()
        if worker is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)

    def terminate(self) -> int:
        """Its exit code after TERM. Raises FlightFailed: it does not end."""
        assert self.process is not None
        self.process.terminate()
        try:
            return self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            raise FlightFailed("the recorder does not end after TERM") from None

    def last_words(self) -> str:
        """The last line that it wrote to its log."""
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1] if lines else "it said nothing"

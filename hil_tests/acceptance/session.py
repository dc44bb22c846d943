"""The harness's end of `runtime.target.target_run`: a process on the target, jobs out, events in, with deadlines."""

import contextlib
import json
import os
import selectors
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil_tests.acceptance.job_results import READING, RESULTS, check_answer, is_number
from hil_tests.targets.target import Target, TargetFailed
from runtime.executors.deadline_pipe import DeadlinePipe

MODULE = "runtime.target.target_run"
CLOCK_QUESTIONS = 5
SECONDS_TO_END = 10.0
CHUNK_BYTES = 1 << 16
LARGEST_LINE_BYTES = 64 << 20
Event = dict[str, Any]


@dataclass(frozen=True)
class Done:
    """A job that ended: when, by our clock, and what it found."""

    began: float
    ended: float
    result: dict[str, Any]
    readings: list[Event] = field(default_factory=list)


class Session:
    """A context manager. An error that the target reports leaves it usable; silence, nonsense or death do not."""

    def __init__(self, target: Target, log: Path, *, start_seconds: float) -> None:
        """Start the program there and compare clocks; its standard error is appended to `log`. Raises TargetFailed."""
        self.target = target.name
        self.log = log
        self.buffer = bytearray()
        self.offset = 0.0
        """Our monotonic clock less the target's."""
        self.child: subprocess.Popen[bytes] = target.start(MODULE)
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.to_child, self.from_child = self.child.stdin, self.child.stdout
        self.errors = threading.Thread(target=self.keep_errors, daemon=True)
        self.errors.start()
        try:
            self.do("clock", seconds=start_seconds)
            self.compare_clocks(start_seconds)
        except TargetFailed:
            self.close()
            raise

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def keep_errors(self) -> None:
        """Write to the log what the program prints to standard error, until it ends."""
        assert self.child.stderr is not None
        with self.log.open("ab", buffering=0) as file:
            while piece := os.read(self.child.stderr.fileno(), CHUNK_BYTES):
                file.write(piece)

    def compare_clocks(self, seconds: float) -> None:
        """Set the offset by the quickest of some round trips; right within half of that trip."""
        trips = []
        for _ in range(CLOCK_QUESTIONS):
            sent = time.monotonic()
            done = self.do("clock", seconds=seconds)
            received = time.monotonic()
            trips.append((received - sent, (sent + received) / 2 - (done.ended - self.offset)))
        self.offset = min(trips)[1]

    def do(
        self, kind: str, *, seconds: float, on_reading: Callable[[Event], None] = lambda event: None, **values: Any
    ) -> Done:
        """Send a job and wait for its end; `seconds` is the deadline for each sign of life. Raises TargetFailed."""
        try:
            self.to_child.write(json.dumps({"do": kind, **values}).encode() + b"\n")
            self.to_child.flush()
        except OSError:
            raise TargetFailed(f"{self.target}: {kind}: the program is gone: {self.last_words()}") from None
        began = time.monotonic()
        readings = []
        while True:
            event = self.event(kind, seconds)
            name = event["event"]
            if name == "begin":
                began = event["at"]
            elif name == "reading":
                check_answer(event, READING, f"{self.target}: {kind}: reading")
                readings.append(event)
                on_reading(event)
            elif name == "error":
                raise TargetFailed(f"{self.target}: {kind}: {event.get('text')}")
            elif name == "end":
                check_answer(event.get("result"), RESULTS[kind], f"{self.target}: {kind}")
                return Done(began, event["at"], event["result"], readings)
            else:
                raise TargetFailed(f"{self.target}: {kind}: event {name!r} is not known")

    def event(self, kind: str, seconds: float) -> Event:
        """The next event, its time by our clock."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            try:
                DeadlinePipe.wait(self.from_child.fileno(), selectors.EVENT_READ, deadline)
            except TimeoutError:
                raise TargetFailed(f"{self.target}: {kind}: no sign of life in {seconds:g} s") from None
            piece = os.read(self.from_child.fileno(), CHUNK_BYTES)
            if not piece:
                raise TargetFailed(f"{self.target}: {kind}: {self.end()}: {self.last_words()}")
            self.buffer += piece
            if len(self.buffer) > LARGEST_LINE_BYTES:
                raise TargetFailed(f"{self.target}: {kind}: more than {LARGEST_LINE_BYTES} bytes without a line's end")
        line, _, rest = self.buffer.partition(b"\n")
        self.buffer = bytearray(rest)
        try:
            event: Event = json.loads(line)
            if is_number(event["at"]):
                return {**event, "event": str(event["event"]), "at": float(event["at"]) + self.offset}
        except (ValueError, KeyError, TypeError, RecursionError):
            pass  # reported below
        raise TargetFailed(f"{self.target}: {kind}: no event: {bytes(line[:120])!r}")

    def end(self) -> str:
        """How the program ended, whose output did."""
        try:
            return f"ended with exit code {self.child.wait(SECONDS_TO_END)}"
        except subprocess.TimeoutExpired:
            return "closed its output and does not end"

    def last_words(self) -> str:
        """The last line that the program printed to standard error."""
        self.errors.join(SECONDS_TO_END if self.child.poll() is not None else 0.2)
        lines = self.log.read_text(errors="replace").split("\n") if self.log.exists() else []
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "it printed nothing")

    def close(self) -> None:
        """Close the program's input, on which it ends, and kill it where it does not."""
        with contextlib.suppress(OSError):  # it is gone, and with it what was to be flushed
            self.to_child.close()
        try:
            self.child.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.errors.join(SECONDS_TO_END)
        self.from_child.close()
        if self.child.stderr is not None:
            self.child.stderr.close()

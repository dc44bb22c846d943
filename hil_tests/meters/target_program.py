"""A small program of ours on a target, spoken to by lines."""

import math
import queue
import subprocess
import threading
import time
from pathlib import Path

from hil_tests.meters.clocks import RoundTrip
from hil_tests.meters.meter import MeterFailed
from hil_tests.targets.target import Target, TargetFailed

N_ROUND_TRIPS = 16


class TargetProgram:
    """A file of this folder, copied to the target and running there; it answers a line `?` by `C time` of its clock."""

    def __init__(self, target: Target, source: Path, *arguments: str, deadline_s: float = 60.0) -> None:
        """Copy and start it. deadline_s: for each answer, a slow start of Python included. Raises MeterFailed."""
        self.name = source.stem
        self.deadline_s = deadline_s
        self.others: list[str] = []
        """Lines that came while an answer was waited for, in order."""
        self.lines: queue.Queue[tuple[float, str]] = queue.Queue()
        try:
            target.put(source, source.name)
            self.process = target.start(self.name, *arguments)
        except TargetFailed as error:
            raise MeterFailed(f"{self.name} does not start on the target: {error}") from None
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put((time.monotonic(), line.decode(errors="replace").rstrip()))
        self.lines.put((time.monotonic(), ""))  # the end

    def next_line(self) -> str:
        """The next line. Raises MeterFailed (ended, or none in time)."""
        return self._next_line()[1]

    def _next_line(self) -> tuple[float, str]:
        """When the next line came, and the line."""
        try:
            came, line = self.lines.get(timeout=self.deadline_s)
        except queue.Empty:
            raise MeterFailed(f"{self.name} on the target did not answer within {self.deadline_s:g} s") from None
        if not line:
            raise MeterFailed(f"{self.name} on the target ended: {self._last_words()}")
        return came, line

    def ask(self, question: str, answer: str) -> tuple[float, float, list[str]]:
        """Times sent and received, and the words after `answer` in the first line that begins with it."""
        assert self.process.stdin is not None
        sent = time.monotonic()
        try:
            self.process.stdin.write(question.encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise MeterFailed(f"{self.name} on the target ended: {self._last_words()}") from None
        while True:
            received, line = self._next_line()
            if line.startswith(answer + " "):
                return sent, received, line.split()[1:]
            self.others.append(line)

    def round_trips(self) -> list[RoundTrip]:
        """Some questions about the time. Raises MeterFailed."""
        trips = []
        for _ in range(N_ROUND_TRIPS):
            sent, received, words = self.ask("?", "C")
            trips.append(RoundTrip(sent, numbers_of(self.name, words, 1)[0], received))
        return trips

    def close(self) -> list[str]:
        """End the program; every line that was no answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.close()
            self.process.wait(self.deadline_s)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.reader.join(self.deadline_s)
        self.process.stdout.close()
        if self.process.stderr is not None:
            self.process.stderr.close()
        while not self.lines.empty():
            line = self.lines.get()[1]
            self.others += [line] if line else []
        return self.others

    def _last_words(self) -> str:
        """What it said before it ended, one line."""
        self.process.kill()
        self.process.wait()
        error = self.process.stderr.read() if self.process.stderr is not None else b""
        lines = error.decode(errors="replace").split("\n") if error else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")[:300]


def numbers_of(name: str, words: list[str], count: int) -> list[float]:
    """So many finite numbers. Raises MeterFailed."""
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise MeterFailed(f"{name} on the target said {' '.join(words)[:80]!r}; {count} numbers are expected")
    return numbers

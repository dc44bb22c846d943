"""A recorder that runs on the target, fed from here line by line, with a deadline for each of its answers."""

import contextlib
import json
import subprocess
import time
from types import TracebackType
from typing import Any, Self

from hil_tests.faults.camera import Camera
from hil_tests.faults.fault_failed import FaultFailed
from hil_tests.targets.target import Target
from runtime.executors.deadline_pipe import DeadlinePipe

START_S = 900.0
"""Kernels may be compiled by an emulated processor."""
ANSWER_S = 120.0
END_S = 60.0


class RemoteRecorder:
    """`python -m runtime.target.recorder` on a target. `file` and `process` are what it says of itself."""

    def __init__(self, target: Target, camera: Camera, folder: str, *options: str) -> None:
        """Returns when it takes lines. Raises FaultFailed where it does not start."""
        self.target = target
        self.process = target.start("runtime.target.recorder", *camera.arguments(folder), *options)
        assert self.process.stdin is not None and self.process.stdout is not None and self.process.stderr is not None
        self.pipe = DeadlinePipe(self.process.stdin, self.process.stdout)
        self.n_segments = 0
        self.rest = b""
        self.words: list[str] = []
        """Its standard error, once it has ended."""
        try:
            first = self.answer(START_S, file=str, process=int)
        except FaultFailed:
            self.end()
            raise
        self.file = f"{folder}/{first['file']}"
        self.process_number = first["process"]

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing running."""
        self.end()

    def answer(self, seconds: float, **kinds: type) -> dict[str, Any]:
        """Its next line, which has these keys. Raises FaultFailed: none in time, another one, or it has ended."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.rest:
            try:
                piece = self.pipe.take(1, deadline)
            except TimeoutError:
                raise FaultFailed(f"the recorder says nothing for {seconds:g} s") from None
            if not piece:
                raise FaultFailed(f"the recorder ended: {self.last_words()}")
            self.rest += piece
        line, _, self.rest = self.rest.partition(b"\n")
        try:
            answer: dict[str, Any] = json.loads(line)
            if all(type(answer[key]) is kind for key, kind in kinds.items()):
                return answer
        except (ValueError, KeyError, TypeError, RecursionError):
            pass  # reported below
        raise FaultFailed(f"the recorder says {line[:120]!r}, allowed an object with {', '.join(kinds)}")

    def feed(self, data: bytes) -> None:
        """Send raw lines. Raises FaultFailed."""
        try:
            self.pipe.send(data, time.monotonic() + ANSWER_S)
        except (TimeoutError, BrokenPipeError):
            raise FaultFailed("the recorder takes no lines") from None

    def await_segments(self, n_segments: int) -> None:
        """Return when so many segments are on the target's disk. Raises FaultFailed."""
        while self.n_segments < n_segments:
            self.n_segments = self.answer(ANSWER_S, segment=int)["segment"]

    def finish(self) -> int:
        """Its exit code after the end of the lines. Raises FaultFailed."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.wait()

    def wait(self) -> int:
        """Its exit code once it ended by itself. Raises FaultFailed."""
        try:
            return self.process.wait(ANSWER_S)
        except subprocess.TimeoutExpired:
            raise FaultFailed("the recorder does not end") from None

    def kill(self) -> None:
        """End it on the target at once. Raises TargetFailed or FaultFailed: it is not there, or does not end."""
        self.target.shell(["sh", "-c", "kill -9 $1", "sh", str(self.process_number)])
        self.wait()

    def last_words(self) -> str:
        """The last line of its standard error. Raises FaultFailed where it does not end."""
        assert self.process.stderr is not None
        self.wait()
        self.words += self.process.stderr.read().decode(errors="replace").strip().splitlines()
        return self.words[-1] if self.words else f"exit code {self.process.returncode}"

    def end(self) -> None:
        """Kill it if it runs, and close its pipes."""
        self.process.kill()
        self.process.wait(END_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):  # lines that it did not take any more
                stream.close()

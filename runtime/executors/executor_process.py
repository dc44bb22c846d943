"""An executor in a process of another environment, machine or emulator, behind its standard input and output."""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from typing_extensions import override

from runtime import errors
from runtime.errors import ExecutorFailed, LineRwkvError
from runtime.executors.array_executor import AnyArray, ArrayExecutor
from runtime.executors.deadline_pipe import DeadlinePipe
from runtime.executors.executor_frames import Kind, Message, read_message

SECONDS_TO_END = 2.0
KEPT_OF_STDERR = 500  # characters at the end, in messages


class ExecutorProcess(ArrayExecutor, contextlib.AbstractContextManager["ExecutorProcess"]):
    """An `ArrayExecutor` that lives in a child process; a context manager.

    command: what starts the server, for example `[python, "-m", "runtime.executors.executor_server", PACKAGE]`. A child
    that fails once (dead, late, or breaking the protocol) is ended, and every later step is refused: there is no retry,
    because an executor that failed is not trusted. Errors that the server itself reports keep their class and do not
    end it.
    """

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str] | None = None, folder: Path | None = None,
        start_deadline_s: float = 60.0, step_deadline_s: float = 30.0,
    ) -> None:  # fmt: skip
        """Start the child and read its `hello`; `environment` None: as here; `folder`: its working folder."""
        self.step_deadline_s = step_deadline_s
        self.failure: str | None = None
        self.executor = Path(command[0]).name
        self.stderr_file = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `close`
        try:
            self.child = subprocess.Popen(
                list(command), bufsize=0, env=environment, cwd=folder,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr_file,
            )  # fmt: skip
        except OSError as error:
            self.stderr_file.close()
            raise ExecutorFailed(f"executor {command[0]} does not start: {error.strerror}") from None
        self.executor = self.greeted(start_deadline_s)

    def greeted(self, seconds: float) -> str:
        """The name that the child gives its executor in its `hello`. Raises what the server reports, ExecutorFailed."""
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.pipe = DeadlinePipe(self.child.stdin, self.child.stdout)
        try:
            words = self.exchange(None, Kind.HELLO, seconds).words
        except LineRwkvError:
            self.close()
            raise
        self.provider, self.sha256 = words["provider"], words["sha256"]
        return words["executor"]

    @override
    def run(self, inputs: dict[str, AnyArray]) -> dict[str, AnyArray]:
        """Raises ExecutorFailed, or what the server reports."""
        return self.exchange(Message(Kind.STEP, {}, inputs), Kind.ANSWER, self.step_deadline_s).arrays

    def exchange(self, request: Message | None, expected: Kind, seconds: float) -> Message:
        """Send a request and read a message of the expected kind."""
        if self.failure is not None:
            raise ExecutorFailed(self.failure)
        data = b"" if request is None else request.to_bytes()
        deadline = time.monotonic() + seconds
        try:
            self.pipe.send(data, deadline)
            message = read_message(lambda n_bytes: self.pipe.take(n_bytes, deadline))
        except TimeoutError:
            raise self.failed(f"gave no {expected} within {seconds:g} s") from None
        except BrokenPipeError:
            raise self.failed("ended") from None
        except LineRwkvError as error:
            raise self.failed(f"does not speak the protocol: {error}") from None
        if message is None:
            raise self.failed("ended")
        if message.kind is Kind.ERROR:
            raise self.reported(message)
        if message.kind is not expected:
            raise self.failed(f"sent {message.kind} in place of {expected}")
        return message

    @staticmethod
    def reported(message: Message) -> LineRwkvError:
        """The error that the server reports, under its own class where this release has it."""
        named = getattr(errors, message.words["error"], None)
        kind = named if isinstance(named, type) and issubclass(named, LineRwkvError) else ExecutorFailed
        return kind(" ".join(message.words["text"].split()))

    def failed(self, what: str) -> ExecutorFailed:
        """End the child, remember why, and return the error to raise."""
        code = self.end(0.2 if what == "ended" or "protocol" in what else 0.0)
        last = " ".join(self.stderr_text().split())[-KEPT_OF_STDERR:]
        self.failure = f"executor {self.executor} {what} (exit code {code})" + (f"; it said: {last}" if last else "")
        return ExecutorFailed(self.failure)

    def end(self, seconds: float) -> int:
        """The child's exit code; it is killed where it does not end by itself within so many seconds."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait()

    def stderr_text(self) -> str:
        """Everything that the child wrote to standard error so far; empty after `close`."""
        if self.stderr_file.closed:
            return ""
        # not seek and read: the child writes at the same file offset
        n_bytes = os.fstat(self.stderr_file.fileno()).st_size
        return os.pread(self.stderr_file.fileno(), n_bytes, 0).decode(errors="replace")

    def close(self) -> None:
        """End the child; further steps are refused."""
        self.failure = self.failure or f"executor {self.executor} is closed"
        for stream in (self.child.stdin, self.child.stdout):
            if stream is not None:
                stream.close()
        self.end(SECONDS_TO_END)
        self.stderr_file.close()

    @override
    def __exit__(self, *error: object) -> None:
        self.close()

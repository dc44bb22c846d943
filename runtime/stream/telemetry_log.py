"""Telemetry to a file, a FIFO or a standard stream, whose reader never holds up the encoder."""

import contextlib
import io
import os
import select
import stat
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from runtime.errors import BadArgument, Notice
from runtime.stream.telemetry import SegmentTelemetry

ATOMIC_BYTES = select.PIPE_BUF
"""A pipe that is ready takes so many without waiting."""


@contextlib.contextmanager
def telemetry_log(path: Path, pipe: TextIO) -> Iterator[Callable[[SegmentTelemetry], None]]:
    """What writes a line for each segment at once, to a file, or for `-` to `pipe`. Raises BadArgument.

    The file is not whole at its end only: of a log the part before a crash is worth the most. Where it cannot be
    written any more, or its reader takes nothing and its pipe is full, a Notice says so once and the segments go on;
    a line that does not fit is left out, and the next one that fits follows.
    """
    if path == Path("-"):
        yield Log(pipe, path).write
        return
    try:
        file = opened(path)
    except OSError as error:
        raise BadArgument(f"telemetry {path}: {error.strerror}") from error
    yield Log(file, path).write
    with contextlib.suppress(OSError):  # what a full disk left in its buffer
        file.close()


def opened(path: Path) -> TextIO:
    """A file or FIFO to write to, which need not have a reader yet."""
    if path.exists() and stat.S_ISFIFO(path.stat().st_mode):
        number = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        os.set_blocking(number, True)  # for the file object: it is asked before whether it is ready
        return os.fdopen(number, "w", encoding="ascii")
    return path.open("w", encoding="ascii")


class Log:
    """Writes lines to a file, none where they would have to wait."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self.file, self.path = file, path
        self.is_over = False
        self.is_told = False
        self.is_torn = False
        """The last line did not fit whole."""

    def write(self, segment: SegmentTelemetry) -> None:
        """Write one line, or say once why not."""
        if self.is_over:
            return
        text = "\n" * self.is_torn + segment.to_json() + "\n"  # ASCII
        try:
            for start in range(0, len(text), ATOMIC_BYTES):
                if not is_ready(self.file):
                    self.is_torn = self.is_torn or start > 0
                    self.tell("leaves lines out: its reader does not take them")
                    return
                self.file.write(text[start : start + ATOMIC_BYTES])
                self.file.flush()
            self.is_torn = False
        except OSError as error:
            self.is_over = True
            self.tell(f"cannot be written any more: {error.strerror}")

    def tell(self, what: str) -> None:
        """Say it, the first time."""
        if not self.is_told:
            warnings.warn(Notice(f"telemetry {self.path} {what}"), stacklevel=2)
        self.is_told = True


def is_ready(file: TextIO) -> bool:
    """Whether a write does not wait, or fails at once; so it is with regular files, and with text in memory."""
    poll = select.poll()
    try:
        poll.register(file.fileno(), select.POLLOUT)
    except io.UnsupportedOperation:
        return True
    return bool(poll.poll(0))

"""Standard streams of a program: text that cannot be printed costs no work, and what is needed and closed is refused.

A descriptor that is closed at the start is taken here, so that no file of the work gets its number, and with it what
libraries print there.
"""

import contextlib
import io
import os
import sys
from typing import BinaryIO

import click
from typing_extensions import override

from runtime.errors import BadArgument

OUTPUTS = {"output", "folder"}
"""Parameters of commands that write somewhere else; of the others the printed text is the result."""


class PrintedText(io.TextIOWrapper):
    """Text of standard output or error, which never raises OSError; `buffer`, for samples and streams, does."""

    def __init__(self, binary: BinaryIO, encoding: str | None, *, is_closed: bool) -> None:
        known = encoding if encoding and encoding.lower() not in ("ascii", "us-ascii", "ansi_x3.4-1968") else "utf-8"
        super().__init__(binary, known, errors="backslashreplace", line_buffering=True)
        self.is_closed = is_closed
        self.lost: OSError | None = None
        """Why something was not printed, the first time."""
        self.is_result = False
        """Whether what was lost is all that the command was called for."""

    @override
    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self.lose(error)
        return len(text)

    @override
    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self.lose(error)

    def lose(self, error: OSError) -> None:
        """Let what is in the buffers, and what follows, go nowhere."""
        context = click.get_current_context(silent=True)
        self.lost = self.lost or error
        self.is_result = context is not None and not OUTPUTS & set(context.params)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        with contextlib.suppress(OSError):
            super().flush()


def prepare_standard_streams() -> None:
    """Make them what this module says; those that a caller has put in place of the process's own stay."""
    for number, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):  # 0 and 1 fail when they are used
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, mode), True)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is getattr(sys, f"__{name}__"):
            binary = stream.buffer if stream else io.FileIO(number, "w", closefd=False)
            made = PrintedText(binary, stream and stream.encoding, is_closed=stream is None)
            setattr(sys, name, made)


def standard_input() -> BinaryIO:
    """Standard input as bytes. Raises BadArgument where it is closed."""
    if sys.stdin is None:
        raise BadArgument("standard input is closed, allowed a pipe or a file")
    return sys.stdin.buffer


def standard_output() -> BinaryIO:
    """Standard output as bytes. Raises BadArgument where it is closed."""
    if sys.stdout is None or (isinstance(sys.stdout, PrintedText) and sys.stdout.is_closed):
        raise BadArgument("standard output is closed, allowed a pipe or a file")
    return sys.stdout.buffer

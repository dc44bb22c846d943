"""Commands while recording: JSON lines over a socket of the file system, each answered by a line, none fatal."""

import contextlib
import json
import os
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.checked_table import AtLeast0, Text, checked_table, checked_value, json_table
from runtime.errors import BadArgument

LONGEST_COMMAND = 4096
SILENT_S = 60.0
"""After which a connection that says nothing is closed."""
"""Bytes of its line, the end included."""
TOO_LONG = {"ok": False, "error": f"command: found a line of more bytes, allowed {LONGEST_COMMAND}"}


@dataclass(frozen=True)
class Command:
    """Of any name."""

    until: float | None = None
    """Seconds since 1970; a command that comes later is answered and not done."""


@dataclass(frozen=True)
class FormCommand(Command):
    """The form of the next segment and those after it, or `auto`."""

    form: Text = "auto"


@dataclass(frozen=True)
class MaxErrorCommand(Command):
    """The largest error of the next segment and those after it."""

    max_error: AtLeast0 = 0


@dataclass(frozen=True, kw_only=True)
class PackageCommand(Command):
    """A signed package that is tried in a form's place."""

    form: Text
    file: Text


COMMANDS: Mapping[str, Callable[..., Command]] = {
    "form": FormCommand, "max_error": MaxErrorCommand, "start": Command, "stop": Command, "status": Command,
    "package": PackageCommand,
}  # fmt: skip
Do = Callable[[str, Command], dict[str, Any]]
"""Does a command by its name; what is added to the answer. Raises BadArgument."""


def read_command(line: str) -> tuple[str, Command]:
    """A command and its name. Raises BadArgument: it is none, or it is late."""
    values = json_table(line, "command")
    name = checked_value(str, values.pop("do", None), "command", "do")
    if name not in COMMANDS:
        raise BadArgument(f"command: key do: found {json.dumps(name)[:60]}, allowed {', '.join(COMMANDS)}")
    command = checked_table(COMMANDS[name], values, f"command {name}")
    if command.until is not None and time.time() > command.until:
        raise BadArgument(f"command {name}: late, allowed until {command.until:.3f}, it is {time.time():.3f}")
    return name, command


def answer(line: bytes, do: Do) -> dict[str, Any]:
    """The answer to a line, whatever it is."""
    try:
        name, command = read_command(line.decode(errors="replace"))
        return {"ok": True, **do(name, command)}
    except BadArgument as error:
        return {"ok": False, "error": str(error)}


def answers(read_line: Callable[[int], bytes], do: Do) -> Iterator[bytes]:
    """The answer to each line until there is none, one JSON object a line; a line that is too long is none in pieces.

    read_line: at most that many bytes of a line, its end included; none at the end.
    """
    while line := read_line(LONGEST_COMMAND):
        is_too_long = len(line) == LONGEST_COMMAND and not line.endswith(b"\n")
        rest = line
        while is_too_long and rest and not rest.endswith(b"\n"):
            rest = read_line(LONGEST_COMMAND)
        found = TOO_LONG if is_too_long else answer(line, do)
        yield json.dumps(found).encode() + b"\n"


@contextlib.contextmanager
def listening(path: Path, do: Do) -> Iterator[None]:
    """Answer commands at a socket until the end of the block. Raises BadArgument.

    Whoever may write to the socket commands: it is the user's who runs the recorder.
    """

    class Handler(socketserver.StreamRequestHandler):
        timeout = SILENT_S

        def handle(self) -> None:
            with contextlib.suppress(OSError):  # who asked has gone
                for one in answers(self.rfile.readline, do):
                    self.wfile.write(one)

    mask = os.umask(0o177)
    try:
        if path.is_socket():
            path.unlink()
        server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
    except OSError as error:
        raise BadArgument(f"commands socket {path}: {error.strerror or error}") from error
    finally:
        os.umask(mask)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        path.unlink(missing_ok=True)

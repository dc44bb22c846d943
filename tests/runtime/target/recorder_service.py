"""The recorder as a process of its own, and a client of its commands."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.target.flight_config import FlightConfig

WAIT_S = 300  # a first start compiles


@contextlib.contextmanager
def service(config: FlightConfig | str, folder: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program, ended by TERM, which must leave with 0."""
    (folder / "config.toml").write_text(str(config))
    program = "from runtime.commands.cli import guarded; from runtime.target.flight_command import record; "
    words = [sys.executable, "-c", program + "guarded(lambda: record)", str(folder / "config.toml")]
    with subprocess.Popen(words, env={**os.environ, **environment}, stderr=subprocess.PIPE) as process:
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(WAIT_S) == 0, process.stderr and process.stderr.read()
        finally:
            process.kill()


def wait_for(is_there: Any) -> None:
    end = time.monotonic() + WAIT_S
    while not is_there():
        assert time.monotonic() < end
        time.sleep(0.02)


def ask(path: Path, *lines: bytes) -> list[dict[str, Any]]:
    """The answers to commands, of one connection."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"".join(line + b"\n" for line in lines))
        client.shutdown(socket.SHUT_WR)
        return [json.loads(line) for line in client.makefile("rb")]


def status(path: Path) -> dict[str, Any]:
    return ask(path, b'{"do": "status"}')[0]

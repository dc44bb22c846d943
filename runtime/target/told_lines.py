"""Telemetry of the recorder: objects as JSON lines with their time, in a file or on standard output."""

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runtime.errors import BadArgument

Tell = Callable[[dict[str, Any]], None]
"""Writes one object of telemetry."""


@contextlib.contextmanager
def opened_telemetry(file: Path | None) -> Iterator[Tell]:
    """What writes to the end of a file, or to standard output, until the end of the block. Raises BadArgument."""
    if file is None:
        yield told_lines(sys.stdout.write)
        return
    try:
        opened = file.open("ab", buffering=0)
    except OSError as error:
        raise BadArgument(f"telemetry {file}: {error.strerror}") from error
    with opened:
        yield told_lines(lambda text: opened.write(text.encode()))


def told_lines(write: Callable[[str], object]) -> Tell:
    """Telemetry as JSON lines; what cannot be written any more costs no line of the imager."""
    lock = threading.Lock()

    def tell(values: dict[str, Any]) -> None:
        with lock:
            try:
                write(json.dumps({"time": round(time.time(), 3), **values}) + "\n")
            except (OSError, ValueError):  # a full disk; a thread that outlives the recording
                return

    return tell

"""What work over an archive has finished, as lines of JSON in a file: a run that was stopped goes on from it."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from runtime.errors import BadArgument
from runtime.whole_output import writing

Outcome = dict[str, Any]
FIRST = {"linerwkv ledger": 1}
"""The first line, by which a file is known to be a ledger."""


class Ledger:
    """Outcomes by key; each one is on the disk when `add` returns."""

    def __init__(self, finished: dict[str, Outcome], file: BinaryIO | None = None) -> None:
        self.finished, self.file = finished, file

    def add(self, key: str, outcome: Outcome) -> None:
        """A file is finished. Raises OSError where the disk does not take it."""
        self.finished[key] = outcome
        if self.file is not None:
            append(self.file, {"key": key, "outcome": outcome})


@contextlib.contextmanager
def open_ledger(path: Path | None) -> Iterator[Ledger]:
    """The ledger of a file, which is made where it is not there; None: one in memory alone.

    Raises BadArgument for a file that is no ledger, or cannot be written.
    """
    if path is None:
        yield Ledger({})
        return
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    with file:
        file.seek(0)
        data = file.read()
        lines = data.split(b"\n")
        if data and read_line(lines[0]) != FIRST:
            raise BadArgument(f"ledger {path}: another file, allowed a new name or an older ledger")
        if not data:
            append(file, FIRST)
        elif lines[-1]:  # a line that was cut ends here
            file.write(b"\n")
        found = (read_line(line) for line in lines[1:])
        yield Ledger({one["key"]: one["outcome"] for one in found if is_entry(one)}, file)


def append(file: BinaryIO, value: Any) -> None:
    """Write a line, and return when it is on the disk."""
    file.write(json.dumps(value).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


def read_line(line: bytes) -> Any:
    """The value of a line; None where it is cut or no JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def is_entry(value: Any) -> bool:
    """Whether a line says that a file is finished."""
    return isinstance(value, dict) and isinstance(value.get("key"), str) and isinstance(value.get("outcome"), dict)

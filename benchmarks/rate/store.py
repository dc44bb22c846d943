"""The results file: each measurement is kept as soon as it is made, so that a stopped run can continue.

`{"runs": [machine and commit], "measurements": [one a line]}`. Several processes may write to one file.
"""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from runtime.whole_output import replacing

Measurement = dict[str, Any]


class Key(NamedTuple):
    """What was measured."""

    row: str
    scene: str
    max_error: int


class Results(NamedTuple):
    """All that was measured so far."""

    runs: list[dict[str, Any]]
    measurements: dict[Key, Measurement]


def key_of(measurement: Measurement) -> Key:
    """The key of a measurement."""
    return Key(measurement["row"], measurement["scene"], measurement["max_error"])


def load(path: Path) -> Results:
    """The results of a file, none where there is none."""
    if not path.exists():
        return Results([], {})
    found = json.loads(path.read_text())
    return Results(found["runs"], {key_of(measurement): measurement for measurement in found["measurements"]})


def find(results: Results, key: Key, identity: str) -> Measurement | None:
    """The measurement of a key if it was made with this very package."""
    found = results.measurements.get(key)
    return found if found is not None and found["identity"] == identity else None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes from the file as long as the block runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def add(path: Path, key: Key, identity: str, run: dict[str, Any], values: Measurement) -> None:
    """Keep a measurement; those of the same row with another package go, so that no row is of two packages."""
    with locked(path):
        runs, measurements = load(path)
        for old, measurement in list(measurements.items()):
            if old.row == key.row and measurement["identity"] != identity:
                del measurements[old]
        if run not in runs:
            runs.append(run)
        measurements[key] = {**key._asdict(), "identity": identity, "run": runs.index(run), **values}
        write(path, Results(runs, measurements))


def write(path: Path, results: Results) -> None:
    """The file, sorted, one measurement a line."""
    lines = ",\n".join(json.dumps(results.measurements[key]) for key in sorted(results.measurements))
    with replacing(path) as unfinished:
        unfinished.write_text(f'{{"runs": {json.dumps(results.runs, indent=1)},\n"measurements": [\n{lines}\n]}}\n')

"""What becomes of each property of each kind of file: the cells of docs/formats/images.md, found by doing it.

A row is a file with one property, and what shows that a restored file has it. To add a kind of file, write a file like
`matrix_npy.py` whose ROWS are a list of `Row`, and add it to `ROWS` in test_matrix.py; `python -m
tests.runtime.images.test_matrix` then writes the page again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

from runtime.commands.stream_commands import compress, decompress
from runtime.errors import LineRwkvError
from tests.runtime.images.envi_files import by_gdal

OUTPUTS = {"GeoTIFF": "back.tif", "ENVI": "back.hdr", "npy": "back.npy"}
CARRIED, NOTED, REFUSED, KEPT, OWN = "carried", "noted", "refused", "kept", "own"


@dataclass(frozen=True)
class Row:
    """One property of one kind of file."""

    kind: str
    name: str
    make: Callable[[Path], Path]
    """Writes a file with the property into a folder."""
    looks: dict[str, Callable[[Path], bool]] = field(default_factory=dict)
    """By output: whether the restored file has the property. Absent: it can show none."""
    note: str = ""
    """A word of the note or error where it has it not."""
    own: tuple[str, ...] = ()
    """Outputs that lie in a way of their own, so that there the property is none of the image."""
    words: tuple[str, ...] = ()
    """Options of `compress`."""
    is_pipe: bool = False
    """Whether what `make` writes goes in by a pipe."""
    cube: np.ndarray[Any, np.dtype[Any]] | None = None
    """Samples (Y, Z, X) that every restored file must have bit for bit, in their type; None: any."""


def run(command: object, *words: str | Path, data: bytes = b"") -> tuple[str, LineRwkvError | None]:
    """Standard error of a command with standard input, and the error that ended it."""
    done = CliRunner().invoke(command, [str(word) for word in words], input=data)  # type: ignore[arg-type]  # a command
    if done.exception is not None and not isinstance(done.exception, LineRwkvError):
        raise done.exception
    return done.stderr, done.exception


def has_samples(path: Path, cube: np.ndarray[Any, np.dtype[Any]]) -> bool:
    """Whether a restored file has these samples (Y, Z, X), bit for bit and in their type."""
    if path.suffix == ".npy":
        found = np.load(path)
        found = found if found.ndim == 3 else found[:, None]
    else:
        found = by_gdal(path.with_suffix(".bil") if path.suffix == ".hdr" else path)
    same_type = found.dtype.newbyteorder("=") == cube.dtype.newbyteorder("=")
    return bool(same_type and found.shape == cube.shape and found.tobytes() == cube.astype(found.dtype).tobytes())


def holds(cube: np.ndarray[Any, np.dtype[Any]]) -> Callable[[Path], bool]:
    """Whether a restored file has these samples."""
    return lambda path: has_samples(path, cube)


def outcomes(row: Row, folder: Path) -> dict[str, str]:
    """What becomes of the property in each output. Raises AssertionError where it is lost without a word."""
    stream, source = folder / "s.lrwk", row.make(folder)
    data, name = (source.read_bytes(), "-") if row.is_pipe else (b"", source)
    said, error = run(compress, name, stream, "--predictor", "dpcm", *row.words, data=data)
    if error is not None:
        assert row.note and row.note in str(error) and "\n" not in str(error), f"{row.name}: {error}"
        if not stream.exists():
            return dict.fromkeys(OUTPUTS, REFUSED)
    found = {}
    for output, file in OUTPUTS.items():
        restored = folder / output / file
        restored.parent.mkdir()
        more, failure = run(decompress, stream, restored)
        assert failure is None, f"{row.name} to {output}: {failure}"
        assert row.cube is None or has_samples(restored, row.cube), f"{row.name} to {output}: other samples"
        found[output] = KEPT if error is not None else outcome(row, output, restored, said + more)
    return found


def outcome(row: Row, output: str, restored: Path, said: str) -> str:
    """As in `outcomes`, of one file that was restored."""
    look = row.looks.get(output)
    if look is not None and look(restored):
        assert not row.note or row.note not in said, f"{row.name} to {output}: carried, but {said}"
        return CARRIED
    notes = [line for line in said.splitlines() if "note: " in line and "not carried" in line]
    if output in row.own:
        assert not notes, f"{row.name} to {output}: {notes}"
        return OWN
    assert row.note and any(row.note in line for line in notes), f"{row.name} to {output}: lost; notes: {notes}"
    return NOTED


def table(kind: str, rows: list[Row], cells: dict[tuple[str, str, str], str]) -> str:
    """The Markdown table of one kind of file."""
    lines = [f"| {kind} | to {' | to '.join(OUTPUTS)} |", f"|{'---|' * (len(OUTPUTS) + 1)}"]
    for row in rows:
        if row.kind == kind:
            lines.append(f"| {row.name} | {' | '.join(cells[kind, row.name, output] for output in OUTPUTS)} |")
    return "\n".join(lines) + "\n"

"""Folders that are made once and kept: whole or not there, made again when their recipe changes."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from runtime.whole_output import replacing_folder

STAMP = ".recipe"


def is_prepared(folder: Path, recipe: str) -> bool:
    """Whether the folder was made whole from this recipe."""
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text() == recipe


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one process at a time makes what belongs into a folder; the others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def replaced(folder: Path, recipe: str) -> Iterator[Path]:
    """An empty folder to fill; it takes the name only when the block ends, in place of one that was made so before."""
    with replacing_folder(folder, lambda old: (old / STAMP).is_file()) as unfinished:
        yield unfinished
        (unfinished / STAMP).write_text(recipe)


def megabytes(folder: Path) -> int:
    """Size of the files in a folder, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() or path.is_symlink()) >> 20

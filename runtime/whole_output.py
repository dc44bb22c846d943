"""Outputs that have their name only when they are whole: files, pairs of data and header, folders."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from runtime.errors import BadArgument


def unfinished_name(path: Path) -> Path:
    """Where an output lies until it is whole: hidden, beside its name."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def sync(path: Path) -> None:
    """Return when a file, or the names in a folder, are on the disk and outlive a power cut. Raises OSError."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into BadArgument, which names the output."""
    try:
        yield
    except OSError as error:
        raise BadArgument(f"output {path} cannot be written: {error.strerror or error}") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path that becomes `path` when the block ends without an error, and vanishes otherwise.

    Behind a link the file that it names is replaced; a device or FIFO has no other name and is written through. Raises
    BadArgument where it cannot be written.
    """
    with writing(path):
        there = path.resolve()
        if there.exists() and not (there.is_file() or there.is_dir()):
            yield there
            return
        unfinished = unfinished_name(there)
        try:
            yield unfinished
            sync(unfinished)
            unfinished.replace(there)
        finally:
            unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_pair(data: Path, header: Path) -> Iterator[tuple[Path, Path]]:
    """Temporary paths of a data file and its header, which take their names together, as in `replacing`.

    The old header is removed first and the new one comes last, so that no header ever stands beside other data.
    """
    with writing(header), replacing(header) as new_header, replacing(data) as new_data:
        yield new_data, new_header
        sync(new_data)
        sync(new_header)
        header.resolve().unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """An empty folder that becomes `path` when the block ends without an error, in place of the folder that is there.

    Raises BadArgument where it cannot be written.
    """
    with writing(path):
        there = path.resolve()
        unfinished = unfinished_name(there)
        old = unfinished.with_suffix(".old")
        if there.exists() and not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "a file has this name")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        try:
            yield unfinished
            if there.exists():
                there.replace(old)
            unfinished.replace(there)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

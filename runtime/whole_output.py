"""Outputs that have their name only when they are whole: files, pairs of data and header, folders."""

import contextlib
import ctypes
import errno
import fcntl
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from runtime.errors import BadArgument
from runtime.output_checks import check_folder

KEPT_OF_NAME = 60
"""Characters at the end of a name that stay in its unfinished name, which no file system finds too long then."""
CURRENT_FOLDER, EXCHANGE = -100, 2  # of Linux, renameat2(2)


def unfinished_name(path: Path) -> Path:
    """Where an output that this thread writes lies until it is whole: hidden, beside its name."""
    return path.with_name(f".{path.name[-KEPT_OF_NAME:]}.{os.getpid()}-{threading.get_native_id()}.part")


def sync(path: Path) -> None:
    """Return when a file, or the names in a folder, are on the disk and outlive a power cut. Raises OSError."""
    with opened(path, os.O_RDONLY) as fd:
        os.fsync(fd)


@contextlib.contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    """A descriptor, closed at the end of the block. Raises OSError."""
    fd = os.open(path, flags, 0o666)
    try:
        yield fd
    finally:
        os.close(fd)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all in it, where it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into BadArgument, which names the output."""
    try:
        yield
    except OSError as error:
        raise BadArgument(f"output {path} cannot be written: {error.strerror or error}") from error


def lock(fd: int, path: Path, *, wait: bool) -> bool:
    """Whether this descriptor has the lock of what bears this name now; with `wait`, after others have let go of it.

    Where the file system knows no locks, one who waits has it.
    """
    with contextlib.suppress(OSError):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            if not wait:
                return False
        return os.path.samestat(os.fstat(fd), path.lstat())
    return False


def remove_left(there: Path) -> None:
    """Remove what programs that died left beside `there`: no program holds its lock."""
    left = re.compile(re.escape(f".{there.name[-KEPT_OF_NAME:]}.") + r"[0-9]+(-[0-9]+)?\.part")
    for old in [one for one in there.parent.iterdir() if left.fullmatch(one.name)]:
        with contextlib.suppress(OSError), opened(old, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK) as fd:
            if lock(fd, old, wait=False):
                remove(old)


@contextlib.contextmanager
def locked_part(path: Path, *, is_folder: bool) -> Iterator[bool]:
    """Make and lock a file or folder; False where a program that removes what others left took it before the lock."""
    if is_folder:
        path.mkdir()
    try:
        fd = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    except FileNotFoundError:
        if not is_folder:
            raise
        yield False
        return
    try:
        yield lock(fd, path, wait=True)
    finally:
        os.close(fd)


@contextlib.contextmanager
def unfinished(there: Path, *, is_folder: bool = False) -> Iterator[Path]:
    """An empty file or folder beside `there`, removed at the end of the block if it has no other name by then.

    It is locked, so that others tell it from what a program that died left; that is removed first. Raises OSError.
    """
    remove_left(there)
    path = unfinished_name(there)
    while True:
        with locked_part(path, is_folder=is_folder) as is_there:
            if is_there:
                try:
                    yield path
                finally:
                    remove(path)
                return


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path that becomes `path` when the block ends without an error, and vanishes otherwise.

    Behind a link the file that it names is replaced; a device or FIFO has no other name and is written through. Raises
    BadArgument where it cannot be written.
    """
    with writing(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            yield path
            return
        there = path.resolve()
        with unfinished(there) as part:
            yield part
            sync(part)
            part.replace(there)


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
def replacing_folder(path: Path, is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """An empty folder that becomes `path` when the block ends without an error, in place of an older one.

    Raises BadArgument where it cannot be written, or the older one is not ours (`check_folder`); then nothing changes.
    """
    with writing(path):
        there = path.resolve()
        check_folder(path, is_ours)
        there.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(there, is_folder=True) as part:
            yield part
            for one in part.rglob("*"):
                sync(one)
            check_folder(path, is_ours)
            try:
                part.replace(there)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                exchange(part, there)


def exchange(part: Path, there: Path) -> None:
    """Swap the names of two folders: at once, or where the system cannot, by a third name. Raises OSError."""
    swap = getattr(ctypes.CDLL(None), "renameat2", None)
    names = os.fsencode(part), os.fsencode(there)
    if swap is None or swap(CURRENT_FOLDER, names[0], CURRENT_FOLDER, names[1], EXCHANGE) != 0:
        old = part.with_suffix(".old")
        there.replace(old)
        part.replace(there)
        old.replace(part)

"""A stream file that grows by whole segments, each on the disk before the next is coded."""

import contextlib
import os
from pathlib import Path

from runtime.errors import BadArgument
from runtime.whole_output import lock, sync

LARGEST_NUMBER = 9999


def next_free(folder: Path) -> Path:
    """The name of the next stream of a folder: one number above the largest there, whatever the time of the clock.

    Raises BadArgument where the folder cannot be made or is full of numbers.
    """
    try:
        new = [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for one in new:
            sync(one.parent)
        numbers = [int(path.stem) for path in folder.glob("*.lrwk") if path.stem.isdecimal()]
    except OSError as error:
        raise BadArgument(f"recordings folder {folder}: {error.strerror}") from error
    number = max(numbers, default=0) + 1
    if number > LARGEST_NUMBER:
        raise BadArgument(f"recordings folder {folder} has {LARGEST_NUMBER}.lrwk, no larger number is allowed")
    return folder / f"{number:04d}.lrwk"


class Recording:
    """One stream file. What `append` returned from is on the disk and stays, whatever happens after it."""

    def __init__(self, path: Path) -> None:
        """Make the file, which must not be there. Raises BadArgument."""
        self.path = path
        self.n_bytes = 0
        try:
            self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise BadArgument(f"recording {path}: {error.strerror}") from error
        try:
            lock(self.fd, path, wait=True)  # who finds it locked knows that it is open
            sync(path.parent)
        except OSError as error:
            self.close()
            raise BadArgument(f"recording {path}: {error.strerror}") from error

    def append(self, data: bytes) -> None:
        """Write and sync the bytes, all or none of them. Raises BadArgument: no space, no disk."""
        if not data:
            return
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self.fd, rest) :]
            os.fsync(self.fd)
        except OSError as error:
            with contextlib.suppress(OSError):  # a disk that takes nothing any more keeps a part, which salvage skips
                os.ftruncate(self.fd, self.n_bytes)
            found = f"{error.strerror} after {self.n_bytes} bytes"
            raise BadArgument(f"recording {self.path}: {found}, which are kept") from error
        self.n_bytes += len(data)

    def close(self) -> None:
        """Close the file; one without content is removed."""
        with contextlib.suppress(OSError):  # each append was synced
            os.close(self.fd)
        if self.n_bytes == 0:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)

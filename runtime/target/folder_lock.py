"""Who changes which streams of a folder there are: one at a time, whether it records or compresses."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from runtime.errors import BadArgument
from runtime.whole_output import opened

LONGEST_WAIT_S = 2.0


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Nobody else removes or replaces a stream of the folder until the end of the block, which is short.

    Where the folder cannot be locked the block runs all the same: recording goes on. Raises BadArgument where another
    program has locked it for LONGEST_WAIT_S.
    """
    deadline = time.monotonic() + LONGEST_WAIT_S
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            fd = stack.enter_context(opened(folder, os.O_RDONLY))
            while not is_locked(fd):
                if time.monotonic() > deadline:
                    raise BadArgument(f"recordings folder {folder}: another program has locked it")
                time.sleep(0.01)
        yield


def is_locked(fd: int) -> bool:
    """Whether this descriptor has the lock now. Raises OSError: there are no locks."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

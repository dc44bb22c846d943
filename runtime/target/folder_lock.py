"""Who changes which streams of a folder there are: one at a time, whether it records or compresses."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from runtime.whole_output import lock, opened


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Nobody else removes or replaces a stream of the folder until the end of the block, which is short.

    Where the folder cannot be locked the block runs all the same: recording goes on.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            lock(stack.enter_context(opened(folder, os.O_RDONLY)), folder, wait=True)
        yield

"""What a terminal shows while kernels are compiled, for the first time on a machine: a line, and a count that grows."""

import functools
import sys
from typing import Any

from tqdm import tqdm

LINE = "linerwkv: note: compiling for this processor, once; `linerwkv prepare` does it when a machine is set up"


@functools.cache
def count() -> Any:
    """Begun with the first kernel; nothing where standard error is no terminal."""
    shown = tqdm(desc="compile", unit=" kernels", disable=None, leave=False)
    if not shown.disable:
        shown.write(LINE, file=sys.stderr)
    return shown


def compiling() -> None:
    """A kernel is compiled from now on."""
    count().refresh()


def compiled() -> None:
    """One more is."""
    count().update()

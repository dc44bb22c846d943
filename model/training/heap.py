"""The C library's habit of giving freed memory back, switched off for training.

A step frees and takes the same hundreds of megabytes again. Given back, every page of them is cleared by the kernel
anew: 5 to 15 % of the step (docs/training.md).
"""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of mallopt in glibc
ONE_GIB = 1 << 30


def keep_freed_memory() -> bool:
    """Ask glibc to keep blocks below 1 GiB for later; False where the C library is another one."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(MMAP_THRESHOLD, ONE_GIB)) and bool(mallopt(TRIM_THRESHOLD, ONE_GIB))

"""Memory of a soak as it goes on, and how much of it is growth; of Linux with glibc 2.33 or later."""

import ctypes
import sys

import numpy as np

from runtime.process_memory import memory_mib

ALLOWED = {"objects": 2000.0, "allocated_mib": 1.0, "rss_mib": 8.0}
"""Growth in the whole time. Of Python's objects: the notes are hundreds; thousands of images or lines leave none. Of
what native code has allocated, arrays included: 20 bytes of a line. Of the process: heaps in pieces, which threads
leave otherwise each time."""
MOST_HEAPS = -8
"""`M_ARENA_MAX` of mallopt(3)."""
MOST_INTERNED = 1 << 19
"""More strings than Python's table of them has places for."""


class AllocatorState(ctypes.Structure):
    """`struct mallinfo2` of mallinfo(3), in bytes."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "n_free", "n_fast", "n_mapped", "mapped", "most", "fast", "allocated", "free", "trimmable",
        )
    ]  # fmt: skip


LIBC = ctypes.CDLL(None)
LIBC.mallinfo2.restype = AllocatorState


def use_one_heap() -> None:
    """Let all threads that begin from here on allocate from one heap.

    A thread's own heap keeps the free end of its largest use so far, which malloc_trim(3) leaves, so that a process
    grows from one chance schedule of its threads to the next and holds no more.
    """
    LIBC.mallopt(MOST_HEAPS, 1)


def renew_interned() -> None:
    """Let Python make its table of interned strings anew, with the places that it needs while strings come and go.

    It does so by itself from time to time; the first time, megabytes would look like growth.
    """
    for number in range(MOST_INTERNED):
        sys.intern(f"string {number} of the table")


def memory_now() -> dict[str, float]:
    """Blocks that Python's objects have, MiB that native code has allocated, MiB of the process.

    Nothing is traced: a tracer's own notes, one for each object, keep pages of the heap in use. Whole pages that are
    free are given back first (malloc_trim(3)): a process keeps more or fewer of them by chance.
    """
    LIBC.malloc_trim(0)
    state = LIBC.mallinfo2()
    allocated = (state.allocated + state.mapped) / (1 << 20)
    return {
        "objects": sys.getallocatedblocks(), "allocated_mib": round(allocated, 3),
        "rss_mib": round(memory_mib() or 0.0, 2),
    }  # fmt: skip


def growth(notes: list[dict[str, float]], name: str, settled_after: float) -> float:
    """How much more in the whole time, by a straight line through the notes after a share of their `seconds`."""
    seconds = np.array([one["seconds"] for one in notes])
    settled = seconds >= settled_after * seconds[-1]
    if settled.sum() < 2:
        return 0.0
    values = np.array([one[name] for one in notes])
    return round(float(np.polyfit(seconds[settled], values[settled], 1)[0] * seconds[-1]), 3)

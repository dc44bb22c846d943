"""Memory of a soak as it goes on, and how much of it is growth; of Linux with glibc 2.33 or later."""

import ctypes
import sys
import tracemalloc

import numpy as np

from runtime.process_memory import memory_mib

ALLOWED = {"traced_mib": 1.0, "allocated_mib": 1.0, "rss_mib": 8.0}
"""MiB of growth in the whole time. Of what Python and NumPy hold, and of all that native code has allocated: 20 bytes
of a line, no object that stays. Of the process: heaps in pieces, which threads leave otherwise each time."""
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


def start_tracing() -> None:
    """Trace what Python and NumPy hold from here on.

    Python's table of interned strings is made anew from time to time, as strings come and go. One made before tracing
    and replaced after would be a growth of megabytes that is none, so it is replaced now.
    """
    tracemalloc.start()
    for number in range(MOST_INTERNED):
        sys.intern(f"string {number} of the table")


def memory_now() -> dict[str, float]:
    """What Python and NumPy hold since tracing began, what native code has allocated, and the process.

    Whole pages of the heap that are free are given back first (malloc_trim(3)): a process keeps more or fewer of them
    by chance.
    """
    LIBC.malloc_trim(0)
    state = LIBC.mallinfo2()
    found = {
        "traced_mib": tracemalloc.get_traced_memory()[0], "allocated_mib": state.allocated + state.mapped,
    }  # fmt: skip
    return {name: round(n / (1 << 20), 3) for name, n in found.items()} | {"rss_mib": round(memory_mib() or 0.0, 2)}


def growth(notes: list[dict[str, float]], name: str, settled_after: float) -> float:
    """MiB in the whole time, by a straight line through the notes after a share of their `seconds`."""
    seconds = np.array([one["seconds"] for one in notes])
    settled = seconds >= settled_after * seconds[-1]
    if settled.sum() < 2:
        return 0.0
    values = np.array([one[name] for one in notes])
    return round(float(np.polyfit(seconds[settled], values[settled], 1)[0] * seconds[-1]), 3)

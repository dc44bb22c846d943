"""Memory of a soak as it goes on, and how much of it is growth."""

import tracemalloc

import numpy as np

from runtime.process_memory import memory_mib

ALLOWED = {"traced_mib": 1.0, "rss_mib": 8.0}
"""MiB of growth in the whole time. Of what Python and NumPy hold: 20 bytes of a line, no object that stays. Of the
process: heaps in pieces, which threads leave otherwise each time."""


def memory_now() -> dict[str, float]:
    """What Python and NumPy hold since `tracemalloc` was started, and the process."""
    traced = tracemalloc.get_traced_memory()[0] / (1 << 20)
    return {"traced_mib": round(traced, 3), "rss_mib": round(memory_mib() or 0.0, 2)}


def growth(notes: list[dict[str, float]], name: str, settled_after: float) -> float:
    """MiB in the whole time, by a straight line through the notes after a share of their `seconds`."""
    seconds = np.array([one["seconds"] for one in notes])
    settled = seconds >= settled_after * seconds[-1]
    if settled.sum() < 2:
        return 0.0
    values = np.array([one[name] for one in notes])
    return round(float(np.polyfit(seconds[settled], values[settled], 1)[0] * seconds[-1]), 3)

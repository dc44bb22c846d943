"""Loads every processor of a machine for given spans; copied to the target, it needs nothing but Python there.

    python -m load_pulses

A line `load SECONDS` is answered by `L began ended` when the load is over, a line `?` by `C time`, by the monotonic
clock. The end of the input ends the program.
"""

import os
import sys
import time


def load(seconds: float) -> tuple[float, float]:
    """When a load of every processor, this process among them, began and ended."""
    began = time.monotonic()
    ended = began + seconds
    children = [fork_busy(ended) for _ in range(len(os.sched_getaffinity(0)) - 1)]
    busy_until(ended)
    for child in children:
        os.waitpid(child, 0)
    return began, ended


def fork_busy(ended: float) -> int:
    """The number of a child process that computes until then."""
    child = os.fork()
    if child == 0:
        busy_until(ended)
        os._exit(0)
    return child


def busy_until(ended: float) -> None:
    """Compute until then."""
    while time.monotonic() < ended:
        sum(range(1000))


def main() -> None:
    """Answer lines until the input ends."""
    for line in sys.stdin:
        words = line.split()
        if words[:1] == ["load"]:
            print("L", *map(repr, load(float(words[1]))), flush=True)
        else:
            print("C", repr(time.monotonic()), flush=True)


if __name__ == "__main__":
    main()

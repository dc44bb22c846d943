"""How much of the cores that this process may use it has used: what the rule of forms holds against its budget."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds."""


class ShareMeter:
    """From one call to the next, all threads together; worker processes of `isolate` are not in it."""

    def __init__(self, n_cores: int, processor: Clock = time.process_time, wall: Clock = time.monotonic) -> None:
        """n_cores: 1 or more."""
        self.n_cores, self.processor, self.wall = n_cores, processor, wall
        self.since = self.now()

    def now(self) -> tuple[float, float]:
        """Both clocks."""
        return self.processor(), self.wall()

    def take(self) -> float:
        """Processor time over wall time of all cores since the last call, 0..1."""
        before, self.since = self.since, self.now()
        used, passed = (late - early for early, late in zip(before, self.since, strict=True))
        return min(1.0, used / (passed * self.n_cores)) if passed > 0 else 0.0

"""What is said of the times of single lines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_OF_P99 = 100
"""Lines; of fewer the 99th percentile is the largest one."""


@dataclass(frozen=True)
class LineTimes:
    """Milliseconds; every line of a job counts in every figure, the first one too."""

    n_lines: int
    first: float
    median: float
    p99: float
    """The smallest measured time that 99 % of the lines do not exceed; of fewer than LEAST_OF_P99 lines the largest."""
    largest: float
    jitter: float
    """Standard deviation."""

    @property
    def has_p99(self) -> bool:
        """Whether `p99` says anything that `largest` does not."""
        return self.n_lines >= LEAST_OF_P99


def line_times(lines_ms: Sequence[float]) -> LineTimes:
    """The figures of one line or more."""
    values = np.sort(np.asarray(lines_ms, np.float64))
    n_within = (99 * len(values) + 99) // 100
    return LineTimes(
        n_lines=len(values),
        first=float(lines_ms[0]),
        median=float(np.median(values)),
        p99=float(values[n_within - 1]),
        largest=float(values[-1]),
        jitter=float(values.std()),
    )

"""What is said of the times of single lines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LineTimes:
    """Milliseconds."""

    first: float
    median: float
    p99: float
    """Of so many lines that there is one above it, else the largest."""
    largest: float
    jitter: float
    """Standard deviation."""


def line_times(lines_ms: Sequence[float]) -> LineTimes:
    """The figures of one line or more."""
    values = np.asarray(lines_ms, np.float64)
    p99 = float(np.quantile(values, 0.99, method="higher"))
    return LineTimes(float(values[0]), float(np.median(values)), p99, float(values.max()), float(values.std()))

"""Whether a meter is quick enough for the windows that it measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hil_tests.meters.integral import joules_until
from hil_tests.meters.meter import PowerTrace

Span = tuple[float, float]

LEAST_VALUES = 10
"""New values of the meter in each window."""
LEAST_HZ = 5.0
"""New values a second of a meter that does not integrate: at 1 Hz errors of 80 % were found (arXiv 2206.10377)."""
LARGEST_CHANGE = 0.01
"""Share of a window: of its energy when every second sample is left out, of its length for the clock at its ends."""


@dataclass(frozen=True)
class Adequacy:
    """What the sampling of one trace is worth for some windows."""

    values_per_window: float
    """New values of the meter in the shortest window; values that only repeat do not count."""
    change: float
    """Largest change of a window's energy with every second sample left out, by the largest energy of a window."""
    rate_share: float
    """New values a second by the LEAST_HZ that are needed; infinite for a meter that integrates."""
    edge_share: float
    """What the uncertainty of the clock at both ends of the shortest window is of it."""

    @property
    def is_adequate(self) -> bool:
        """Enough values, and neither the rate nor the clock decides the result."""
        is_quick = self.values_per_window >= LEAST_VALUES and self.rate_share >= 1
        return is_quick and max(self.change, self.edge_share) <= LARGEST_CHANGE

    def __str__(self) -> str:
        """One line for the report."""
        slow = "" if self.rate_share >= 1 else f", {self.rate_share * LEAST_HZ:.2g} a second ({LEAST_HZ:g} needed)"
        return (
            f"sampling {'adequate' if self.is_adequate else 'NOT adequate'}: {self.values_per_window:.0f} new values "
            f"in a window ({LEAST_VALUES} needed){slow}, half the rate changes its energy by {self.change:.2%}, the "
            f"clock's uncertainty is {self.edge_share:.2%} of it ({LARGEST_CHANGE:.0%} allowed)"
        )


def adequacy(trace: PowerTrace, windows: Sequence[Span]) -> Adequacy:
    """What the trace is worth for these windows, all within it."""
    shortest = min(ended - began for began, ended in windows)
    times = np.array(windows)
    energy = np.diff(joules_until(trace.seconds, trace.watts, trace.is_integrating, times))[:, 0]
    changes = []
    for first in (0, 1):
        kept = np.unique(np.concatenate(([0], np.arange(first, len(trace.seconds), 2), [len(trace.seconds) - 1])))
        seconds = trace.seconds[kept]
        watts = trace.watts[kept]
        if trace.is_integrating:  # a slower meter of this kind gives the means over its own, longer times
            counted = joules_until(trace.seconds, trace.watts, True, seconds)
            watts = np.concatenate((watts[:1], np.diff(counted) / np.diff(seconds)))
        fewer = np.diff(joules_until(seconds, watts, trace.is_integrating, times))[:, 0]
        changes.append(np.abs(fewer - energy).max() / max(float(np.abs(energy).max()), 1e-30))
    interval = interval_of_values(trace)
    return Adequacy(
        values_per_window=shortest / interval,
        rate_share=math.inf if trace.is_integrating else 1 / (interval * LEAST_HZ),
        change=float(max(changes)),
        edge_share=2 * trace.clock_uncertainty_s / shortest,
    )


def interval_of_values(trace: PowerTrace) -> float:
    """Seconds between new values: the meter's own interval where it is known, and never less than between samples.

    Where the meter does not say it, a value that repeats counts as old.
    """
    length = float(trace.seconds[-1] - trace.seconds[0])
    n_new = len(trace.seconds) - 1
    if trace.update_s is None:
        n_new = int(np.count_nonzero(np.diff(trace.watts)))
    return max(length / max(n_new, 1), trace.update_s or 0.0)

"""95 % intervals of means, by Student's t distribution."""

import math
from collections.abc import Sequence

import numpy as np

CONFIDENCE = 0.95


def t_quantile(degrees: int) -> float:
    """The t that |T| stays below with probability 0.95, for this many degrees of freedom, 1 or more."""
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if probability_within(middle, degrees) < CONFIDENCE else (low, middle)
    return math.sqrt(degrees) * math.tan(low)


def probability_within(angle: float, degrees: int) -> float:
    """P(|T| < t) with tan(angle) = t / sqrt(degrees): M. Abramowitz, I. Stegun, eqs. 26.7.3 and 26.7.4."""
    is_odd = degrees % 2
    term, total = (math.cos(angle), 0.0) if is_odd else (1.0, 0.0)
    for power in range(1 + is_odd, degrees, 2):
        total += term
        term *= math.cos(angle) ** 2 * power / (power + 1)
    if is_odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total


def half_width(*groups: Sequence[float]) -> float:
    """Half of the interval of the mean of a group, or of a sum of means of several, each of two or more values.

    Values are taken to be independent; degrees of freedom by Welch's formula, rounded down.
    """
    parts = [float(np.var(group, ddof=1)) / len(group) for group in groups]
    total = sum(parts)
    if total == 0.0:
        return 0.0
    degrees = 1 / sum((part / total) ** 2 / (len(group) - 1) for part, group in zip(parts, groups, strict=True))
    return t_quantile(math.floor(degrees + 1e-9)) * math.sqrt(total)

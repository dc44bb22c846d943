"""What one pass over the samples of a file finds: range, step, how often the ends of the range come."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument
from runtime.images.float_scale import measured_of
from runtime.stream.sample_map import SampleMap
from runtime.stream.special_values import Special


@dataclass
class SampleScan:
    """Of the integers that samples are, special values left out."""

    lowest: int = 0
    highest: int = 0
    n_lowest: int = 0
    n_highest: int = 0
    n_samples: int = 0
    first: int = 0
    divisor: int = 0
    """Greatest common divisor of the differences to the first sample; 0 where all are equal."""

    @property
    def step(self) -> int:
        """Between two values that samples can have."""
        return max(1, self.divisor)

    def add(self, values: npt.NDArray[np.integer[Any]]) -> None:
        """Take in integers (N,)."""
        if values.size == 0:
            return
        lowest, highest = int(values.min()), int(values.max())
        if highest >= 1 << 63:
            raise BadArgument(f"samples reach {highest}, which needs 64 bits and no sign; allowed below 2^63")
        if self.n_samples == 0:
            self.first = self.lowest = lowest
            self.highest = highest
        self.n_lowest = count(values, lowest, self.lowest, self.n_lowest, is_beyond=lowest < self.lowest)
        self.n_highest = count(values, highest, self.highest, self.n_highest, is_beyond=highest > self.highest)
        self.lowest, self.highest = min(self.lowest, lowest), max(self.highest, highest)
        if self.highest - self.lowest >= 1 << 62:
            self.divisor = 1  # no step makes such a range one of 16 bits
        if self.divisor != 1:
            differences = values.astype(np.int64) - self.first
            if self.divisor == 0 or (differences % self.divisor).any():
                self.divisor = math.gcd(self.divisor, *np.unique(differences).tolist())
        self.n_samples += values.size


def count(values: npt.NDArray[Any], end: int, known: int, n: int, *, is_beyond: bool) -> int:
    """How often the end of the range came, after values whose end is `end`; it was `known`, `n` times."""
    if is_beyond or end == known:
        return (0 if is_beyond else n) + int(np.count_nonzero(values == end))
    return n


def scan(lines: Iterable[npt.NDArray[Any]], specials: tuple[Special, ...], values: SampleMap) -> SampleScan:
    """One pass over lines (Z, X)."""
    found = SampleScan()
    for line in lines:
        measured = measured_of(line, specials) if specials else line.reshape(-1)
        found.add(values.integers(measured) if measured.dtype.kind == "f" else measured)
    return found

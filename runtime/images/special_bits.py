"""Floats that are a special value in other bits than the one that a stream gives back: other NaN, and -0.0."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.stream.kinds import SpecialKind
from runtime.stream.special_values import Special


def other_bits(lines: Callable[[], Iterable[npt.NDArray[Any]]], specials: Sequence[Special]) -> int:
    """How many samples of lines (Z, X) they are; one pass where a special value has more than one form, else none."""
    voids = [one for one in specials if one.kind is SpecialKind.VOID and isinstance(one.value, float)]
    several = [one for one in voids if one.value == 0 or math.isnan(one.value)]
    return sum(count(line, special) for line in lines() for special in several) if several else 0


def count(line: npt.NDArray[Any], special: Special) -> int:
    """Of one line and one special value."""
    samples = line[special.found_in(line)]
    bits = f"u{line.dtype.itemsize}"
    return int(np.count_nonzero(samples.view(bits) != np.array(special.value, line.dtype).view(bits)))

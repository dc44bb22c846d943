"""Float samples that are integers times a scale: the scale, found and proved on every sample.

A scale is believed only where every sample comes back bit for bit from its integer, by the one operation that a decoder
does (runtime/stream/sample_map.py).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument
from runtime.stream.sample_map import LARGEST_FLOAT_INTEGER, SampleMap, is_same
from runtime.stream.special_values import Special

Floats = npt.NDArray[np.floating[Any]]

DECIMALS = 10
"""Decimal places that are tried."""
POWERS = 24
"""Negative powers of two that are tried."""


NOT_SCALED = (
    "not integers of 16 bits times one scale; allowed integers, and these: "
    "divide by the smallest difference that counts, round, and give integers"
)


def candidates(measured: Floats) -> Iterator[SampleMap]:
    """Scales from the likeliest on: decimals, powers of two, the smallest size and the smallest difference."""
    yield SampleMap()
    for decimals in range(1, DECIMALS):
        yield SampleMap(scale=float(10**decimals), divides=True)
        yield SampleMap(scale=float(f"1e-{decimals}"))
        yield SampleMap(scale=float(np.float32(f"1e-{decimals}")))
    for power in range(1, POWERS):
        yield SampleMap(scale=2.0**-power)
    sizes = np.unique(np.abs(measured.astype(np.float64)))
    for step in (sizes[sizes > 0][:1], np.diff(sizes)[:1], np.sort(np.diff(sizes))[:1]):
        if step.size and np.isfinite(step[0]) and step[0] > 0:
            inverse = round(1 / float(step[0])) if step[0] > 1e-12 else 0
            if inverse > 1:
                yield SampleMap(scale=float(inverse), divides=True)
            yield SampleMap(scale=float(step[0]))
            yield SampleMap(scale=float(measured.dtype.type(step[0])))


def is_exact(values: SampleMap, line: npt.NDArray[Any], specials: Iterable[Special]) -> bool:
    """Whether every sample of a line that is no special value is an integer times the scale."""
    measured = measured_of(line, specials)
    integers = values.integers(measured)
    if measured.size and np.abs(integers).max() >= LARGEST_FLOAT_INTEGER:
        return False
    return bool(is_same(values.values_of(integers, line.dtype), measured).all())


def measured_of(line: npt.NDArray[Any], specials: Iterable[Special]) -> npt.NDArray[Any]:
    """The samples (N,) of a line that are no special value."""
    is_measured = np.ones(line.shape, np.bool_)
    for special in specials:
        is_measured &= ~special.found_in(line)
    return line[is_measured]


def float_scale(lines: Callable[[], Iterable[npt.NDArray[Any]]], specials: tuple[Special, ...]) -> SampleMap:
    """The first scale that gives every sample of lines (Z, X); one pass. Raises BadArgument where there is none."""
    measured = (measured_of(line, specials) for line in lines())
    telling = next((line for line in measured if np.unique(np.abs(line)).size > 2), np.zeros(0))
    left = list(candidates(telling))
    for line in lines():
        left = [values for values in left if is_exact(values, line, specials)]
        if not left:
            raise BadArgument(why_not(lines(), specials))
    return left[0]


def why_not(lines: Iterable[npt.NDArray[Any]], specials: tuple[Special, ...]) -> str:
    """What is wrong with floats that no scale gives, and what to do."""
    n_nan, kind = 0, ""
    for line in lines:
        measured, kind = measured_of(line, specials), line.dtype.name
        n_nan += int(np.isnan(measured).sum())
    if n_nan:
        return f"samples are {kind}, {n_nan} of them NaN; allowed with --nodata nan"
    return f"samples are {kind} and {NOT_SCALED}"

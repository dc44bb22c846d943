"""A line of a file as the codes that are predicted, and back (runtime/stream/special_values.py shows their form)."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.errors import Corrupt
from runtime.stream.image_description import ImageDescription
from runtime.stream.sample_map import is_same
from runtime.stream.special_values import VOID

Values = npt.NDArray[Any]
"""(Z, X), one line of a file."""
Codes = npt.NDArray[np.integer[Any]]
"""(Z, X)."""


class CodedLine(NamedTuple):
    """What a line becomes, before its samples are held against the range."""

    codes: Codes
    n_outside: int  # Samples that no code gives: beyond the depth, between two steps
    first: str
    """The first of them, in words."""
    has_nan: bool = False
    """Whether some of them are no number, which is nearest to nothing."""


def coded_line(image: ImageDescription, line: Values, y: int) -> CodedLine:
    """The codes of line `y`; samples outside have the nearest code."""
    if image.is_as_it_is:
        smallest, largest = image.range
        if smallest <= line.min() and line.max() <= largest:
            return CodedLine(line, 0, "")
    codes = image.values.codes(line)
    is_outside = (codes < image.range[0]) | (codes > image.range[1])
    if not image.values.is_plain or image.file_type.is_float:
        is_outside |= ~is_same(image.values.values_of(codes, line.dtype), line)
    voids = [(j, special.found_in(line)) for j, special in image.voids]
    for _, found in voids:
        is_outside &= ~found
    places = np.argwhere(is_outside)
    words = ""
    if len(places):
        z, x = (int(i) for i in places[0])
        words = f"sample {line[z, x]} at line {y}, band {z}, column {x}"
        codes = np.clip(codes, *image.range)
        codes[is_outside] = free_codes(codes[is_outside], image)
    for j, found in voids:
        codes[found] = VOID - j
    return CodedLine(codes, len(places), words, line.dtype.kind == "f" and bool(np.isnan(line[is_outside]).any()))


def free_codes(codes: Codes, image: ImageDescription) -> Codes:
    """The nearest codes (N,) that are of no void: what is clipped was measured."""
    taken = [code for _, special in image.voids if (code := image.code_of(special)) is not None]
    if not taken:
        return codes
    smallest, largest = image.range
    free = np.setdiff1d(np.arange(smallest, largest + 1), taken)
    above = np.clip(np.searchsorted(free, codes), 0, free.size - 1)
    below = np.maximum(above - 1, 0)
    return np.where(np.abs(free[above] - codes) <= np.abs(free[below] - codes), free[above], free[below])


def file_line(image: ImageDescription, codes: Codes, dtype: np.dtype[Any]) -> Values:
    """The values of a line of codes. Raises Corrupt for a code whose value the sample type does not hold."""
    if image.is_as_it_is:
        return codes
    smallest, largest = image.range
    voids = [(special.value, codes == VOID - j) for j, special in image.voids]
    inside = codes
    if any(found.any() for _, found in voids):
        inside = np.where(codes <= VOID, smallest, codes)
    if inside.min() < smallest or inside.max() > largest:
        raise Corrupt(f"a code of {int(inside.min())}..{int(inside.max())}, allowed {smallest}..{largest}")
    values = image.values.values_of(inside, dtype)
    for value, found in voids:
        values[found] = value
    return values

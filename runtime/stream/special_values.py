"""Values that are no measurements: what an image declares, and how a line of codes shows its samples.

A line of codes has `VOID - j` for a sample of special value j of kind VOID, in the order of the header; one of kind
LIMIT has its own code. So a line of codes is one array of integers, whatever it shows.
"""

import math
import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.stream.kinds import SpecialKind

IGNORED = "data ignore value"
"""The entry of the metadata that declares samples which are no measurements."""
LARGEST_SPECIAL = 16
"""Values that an image may declare."""
VOID = -(1 << 20)
"""Below every code, which have 17 bits."""


class Special(NamedTuple):
    """One declared value."""

    value: int | float  # Of the file; -2**63..2**63 - 1, of float types any float64, NaN included
    kind: SpecialKind = SpecialKind.VOID

    def found_in(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Where values are this one."""
        if isinstance(self.value, float) and math.isnan(self.value):
            nan: npt.NDArray[np.bool_] = np.isnan(values)
            return nan
        found: npt.NDArray[np.bool_] = values == self.value
        return found

    def __str__(self) -> str:
        """For people."""
        return f"{self.value} ({self.kind.name.lower()})"


def number_of(text: str) -> int | float | None:
    """What a word of a header or command says: integers exactly, whatever their size; None where it is no number."""
    word = text.strip()
    if re.fullmatch(r"[+-]?[0-9]{1,30}(\.0*)?", word):
        return int(word.partition(".")[0])
    if re.fullmatch(r"[+-]?([0-9.]{1,30}([eE][+-]?[0-9]{1,4})?|nan|inf)", word, re.IGNORECASE):
        try:
            return float(word)
        except ValueError:
            return None
    return None


def is_void(codes: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.bool_]:
    """Where nothing was measured."""
    found: npt.NDArray[np.bool_] = codes <= VOID
    return found

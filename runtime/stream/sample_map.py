"""How the values of a file follow from the codes that are predicted: an offset, a step, and of floats a scale.

    value = (offset + step * code) * scale      or, of a scale that divides,      (offset + step * code) / scale

In integers, but for the last operation, which is one of IEEE float64, rounded to the file's type: the same everywhere.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
Codes = npt.NDArray[np.integer[Any]]

LARGEST_STEP = (1 << 32) - 1
LARGEST_CODE = 1 << 18
LARGEST_FLOAT_INTEGER = 1 << 53  # Integers up to here are exact in float64


class SampleMap(NamedTuple):
    """The map of a whole image."""

    offset: int = 0  # -2**63..2**63 - 1
    step: int = 1  # 1..LARGEST_STEP
    scale: float = 1.0  # Of float types only: finite, above 0
    divides: bool = False  # Whether integers are divided by the scale, not multiplied

    @property
    def is_plain(self) -> bool:
        """Whether values are the codes."""
        return self == PLAIN

    def integers(self, values: Numbers) -> npt.NDArray[np.int64]:
        """The integers nearest to offset + step * code, of values of any shape and type."""
        if values.dtype == np.uint64:
            return np.minimum(values, np.uint64((1 << 63) - 1)).astype(np.int64)
        if values.dtype.kind != "f":
            return values.astype(np.int64)
        scaled = values.astype(np.float64)
        with np.errstate(over="ignore"):  # what is too large is clipped next
            scaled = scaled * self.scale if self.divides else scaled / self.scale
        inside = np.nan_to_num(np.clip(scaled, -LARGEST_FLOAT_INTEGER, LARGEST_FLOAT_INTEGER))
        return np.rint(inside).astype(np.int64)

    def codes(self, values: Numbers) -> npt.NDArray[np.int64]:
        """The nearest codes; `values_of` tells whether they are exact."""
        reach = LARGEST_CODE * self.step  # what is farther has no code, and may not wrap
        least, most = max(self.offset - reach, -(1 << 63)), min(self.offset + reach, (1 << 63) - 1)
        below = np.clip(self.integers(values), least, most) - self.offset
        return below if self.step == 1 else (below + self.step // 2) // self.step

    def values_of(self, codes: Codes, dtype: np.dtype[Any]) -> Numbers:
        """The values of codes of 17 bits or less, as a type that holds them."""
        integers = self.offset + self.step * codes.astype(np.int64)
        if dtype.kind != "f":
            return integers.astype(dtype)
        scaled = integers.astype(np.float64)
        return (scaled / self.scale if self.divides else scaled * self.scale).astype(dtype)


PLAIN = SampleMap()


def is_same(found: Numbers, values: Numbers) -> npt.NDArray[np.bool_]:
    """Where values came back bit for bit: a negative zero is no zero."""
    same: npt.NDArray[np.bool_] = found == values
    return same & (np.signbit(found) == np.signbit(values)) if values.dtype.kind == "f" else same

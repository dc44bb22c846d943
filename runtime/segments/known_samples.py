"""What both sides take for samples that are special values, before they predict the others of a line.

A sample at a limit of the range is at that limit. A void has what its place last had: the sample of its column in the
line before, or where that was void too, the last one west in its row. So nothing depends on what value voids have.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.kernels.kernel_cache import njit
from runtime.kernels.marks import Marks
from runtime.segments.segment_codec import Samples
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import SpecialKind
from runtime.stream.special_values import VOID

Line = npt.NDArray[np.int32]


@njit(cache=True)
def remember(codes: Any, out_last: Any) -> None:
    """Move `out_last` (Z, X) to a line of codes; a void has the last west in its row, else the first east, if any."""
    for z in range(codes.shape[0]):
        first = -1
        for x in range(codes.shape[1]):
            if codes[z, x] > VOID:
                if first < 0:
                    first = x
                out_last[z, x] = codes[z, x]
            elif first >= 0:
                out_last[z, x] = out_last[z, x - 1]
        for x in range(first):
            out_last[z, x] = codes[z, first]


class SpecialCodes:
    """The special values of an image, by the numbers that a line of codes and its marks have for them."""

    def __init__(self, image: ImageDescription) -> None:
        self.n = len(image.specials)
        self.limits: list[tuple[int, int]] = []
        """Mark and code."""
        self.voids: list[int] = []
        taken = set()
        for mark, special in enumerate(image.specials, start=1):
            code = image.code_of(special)
            if special.kind is SpecialKind.VOID:
                self.voids.append(mark)
            elif code is not None:
                self.limits.append((mark, code))
            taken |= set() if code is None else {code}
        self.taken = sorted(taken)
        """Codes that only special samples have."""

    def marks(self, codes: Samples, *, has_limits: bool) -> Marks | None:
        """Of a line of codes; None where no sample is special. has_limits: whether limits count."""
        if not self.voids and not has_limits:
            return None
        marks = np.zeros(codes.shape, np.uint8)
        if self.voids:
            is_void = codes <= VOID
            marks[is_void] = VOID + 1 - codes[is_void]
        for mark, code in self.limits if has_limits else []:
            marks[codes == code] = mark
        return marks if marks.any() else None

    def codes(self, restored: Samples, marks: Marks) -> Samples:
        """A line as both sides know it (Z, X), voids shown as such."""
        shown = restored.astype(np.int32)
        for mark in self.voids:
            shown[marks == mark] = VOID + 1 - mark
        return shown


class KnownSamples:
    """Of one segment; both sides show it each finished line."""

    def __init__(self, specials: SpecialCodes, shape: tuple[int, int], first: int) -> None:
        """first: the code of voids that nothing came before."""
        self.specials = specials
        self.last = np.full(shape, first, np.int32)

    def fill(self, marks: Marks, out_codes: Line) -> None:
        """Fill the marked samples (Z, X) of a line."""
        for mark in self.specials.voids:
            is_void = marks == mark
            out_codes[is_void] = self.last[is_void]
        for mark, code in self.specials.limits:
            out_codes[marks == mark] = code

    def remember(self, codes: Samples) -> None:
        """Take in a finished line of codes, voids shown as such."""
        if self.specials.voids:
            remember(codes.astype(np.int32, copy=False), self.last)

"""With a maximum error: a restored sample that is no special value never has the code of one (docs/formats/stream.md).

The bin whose middle is such a code is split by one more bit, which says on which side of it the sample is; its restored
value is the nearest on that side that is no special value. Where one side alone is possible no bit is needed.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from runtime.errors import Corrupt, Truncated
from runtime.kernels.marks import Marks
from runtime.segments.segment_codec import Samples

Places = npt.NDArray[np.intp]
"""(N,), of samples in the flat line."""
Sides = Callable[[int, Places], npt.NDArray[np.bool_]]
"""Of a special value's code and the samples restored to it: which of them are above."""


class Mover:
    """For one way to code an image; it keeps nothing."""

    def __init__(self, taken: list[int], limits: tuple[int, int], max_error: int) -> None:
        """taken: codes of special values. limits: smallest and largest code."""
        self.sides = {code: self.sides_of(code, set(taken), limits, max_error) for code in taken if max_error > 0}

    @staticmethod
    def sides_of(code: int, taken: set[int], limits: tuple[int, int], max_error: int) -> tuple[int | None, int | None]:
        """The nearest code below and above that is not taken, None where the error or the range does not allow it."""
        found: list[int | None] = []
        for step in (-1, 1):
            near = code + step
            while near in taken:
                near += step
            found.append(near if abs(near - code) <= max_error and limits[0] <= near <= limits[1] else None)
        return found[0], found[1]

    def off(self, restored: Samples, marks: Marks | None, sides: Sides) -> Samples:
        """Restored samples (Z, X) off the special values. Raises Corrupt, and what `sides` raises."""
        out = restored
        is_free = True if marks is None else marks == 0
        for code, (below, above) in self.sides.items():
            places = np.flatnonzero((restored == code) & is_free)
            if places.size == 0:
                continue
            out = restored.copy() if out is restored else out
            if below is not None and above is not None:
                out.reshape(-1)[places] = np.where(sides(code, places), above, below)
            elif (side := below if above is None else above) is not None:
                out.reshape(-1)[places] = side
            else:  # not of a sample that is no special value: it is within the error
                raise Corrupt(f"a sample has code {code}, which is a special value alone")
        return out

    def moved(self, restored: Samples, codes: Samples, marks: Marks | None) -> tuple[Samples, npt.NDArray[np.bool_]]:
        """Restored samples (Z, X) of the codes off the special values, and the bits that a decoder needs."""
        bits = [np.zeros(0, np.bool_)]

        def sides(code: int, places: Places) -> npt.NDArray[np.bool_]:
            bits.append(codes.reshape(-1)[places] > code)
            return bits[-1]

        out = self.off(restored, marks, sides)
        return out, np.concatenate(bits)

    def moved_back(self, restored: Samples, marks: Marks | None, bits: "SideBits") -> Samples:
        """The same by the bits. Raises Corrupt or Truncated."""
        return self.off(restored, marks, lambda _, places: bits.take(places.size))


class SideBits:
    """Bits being read."""

    def __init__(self, data: bytes) -> None:
        self.data = np.frombuffer(data, np.uint8)
        self.position = 0

    def take(self, n: int) -> npt.NDArray[np.bool_]:
        """The next `n`. Raises Truncated."""
        first, self.position = self.position, self.position + n
        if self.position > 8 * self.data.size:
            raise Truncated(f"{8 * self.data.size} bits on the side of special values, more are needed")
        near = np.unpackbits(self.data[first // 8 : (self.position + 7) // 8])
        return near[first % 8 : first % 8 + n].astype(np.bool_)

    def end(self) -> None:
        """Nothing more is needed. Raises Corrupt where whole bytes are left."""
        if (self.position + 7) // 8 != self.data.size:
            raise Corrupt(f"{8 * self.data.size} bits on the side of special values, {self.position} are needed")

"""What turns lines into mapped residuals and back, and the predictor that needs neither network nor memory.

A predictor works on one line at a time and takes and returns its state; it never sees how many lines follow.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from runtime.errors import Corrupt
from runtime.kernels.marks import Marks, kernel_marks
from runtime.prediction import dpcm

Line = npt.NDArray[np.int32]
"""(Z, X) samples of one line, quantised where the segment is prequantised."""


class Predictor(Protocol):
    """Lines to mapped residuals and back; None is the state before the first line of a segment.

    The state is the predictor's own: its caller passes in what the line before returned.
    """

    def encode_line(self, line: Line, state: Any, out_mapped: Line, marks: Marks | None = None) -> Any:
        """Fill the mapped residuals of `line`, which becomes what a decoder restores; returns the state after it.

        marks: (Z, X), samples that a decoder knows already: their residuals are 0, and nothing is learned from them.
        """

    def decode_line(self, mapped: Line, state: Any, out_line: Line, marks: Marks | None = None) -> Any:
        """Fill the line whose mapped residuals these are, and return the state after it; raises Corrupt.

        Of marked samples the line has the values already.
        """


class DpcmPredictor(Predictor):
    """Every line by itself: over columns in band 0, from the band before in the others. Its state is None."""

    def __init__(self, smallest: int, largest: int, max_error: int = 0) -> None:
        self.limits = (max_error, smallest, largest)

    @override
    def encode_line(self, line: Line, state: None, out_mapped: Line, marks: Marks | None = None) -> None:
        dpcm.map_line(line, kernel_marks(marks, len(line)), *self.limits, out_mapped)

    @override
    def decode_line(self, mapped: Line, state: None, out_line: Line, marks: Marks | None = None) -> None:
        if not dpcm.unmap_line(mapped, kernel_marks(marks, len(mapped)), *self.limits, out_line):
            raise Corrupt("a decoded residual leads outside the sample range")

"""Samples that both sides know before a line is predicted and coded, as kernels take them."""

import numpy as np
import numpy.typing as npt

Marks = npt.NDArray[np.uint8]
"""(Z, X): 0, or 1 + the index of the special value in the stream's header."""


def kernel_marks(marks: Marks | None, n_bands: int) -> Marks:
    """The marks of a line, (Z, 0) where it has none: kernels are compiled for one type."""
    return np.zeros((n_bands, 0), np.uint8) if marks is None else marks

"""The lines that an encoder takes: held against the image, turned into codes, what is clipped counted."""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument
from runtime.images.sample_file import DTYPES
from runtime.stream.coded_line import Codes, coded_line
from runtime.stream.depth import OutOfRange
from runtime.stream.image_description import ImageDescription


class LineCodes:
    """Of one stream."""

    def __init__(self, image: ImageDescription, beyond: OutOfRange) -> None:
        """beyond: what becomes of samples that have no code."""
        self.image, self.beyond = image, beyond
        self.n_clipped = 0
        self.first_clipped = ""
        """In words."""

    def of(self, line: npt.NDArray[Any], y: int) -> Codes:
        """The codes of line `y` (Z, X). Raises BadArgument for a wrong shape or type, or what may not be clipped."""
        shape, is_float = (self.image.n_bands, self.image.n_columns), self.image.file_type.is_float
        dtype = DTYPES[self.image.file_type]
        is_right = line.dtype.newbyteorder("<") == dtype if is_float else np.issubdtype(line.dtype, np.integer)
        if line.shape != shape or not is_right:
            allowed = f"{dtype.name if is_float else 'integers'} of shape {shape}"
            raise BadArgument(f"line {y}: {line.dtype} of shape {line.shape}, allowed {allowed}")
        found = coded_line(self.image, line, y)
        if found.n_outside and (self.beyond is OutOfRange.STOP or found.has_nan):
            raise BadArgument(f"{found.first}; {self.image.allowed}")
        self.first_clipped = self.first_clipped or found.first
        self.n_clipped += found.n_outside
        return found.codes

"""Lines of samples to lines of mapped quantizer indices, and back."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.ccsds123.order import Uint32Array
from runtime.ccsds123.parameters import Ccsds123Parameters
from runtime.ccsds123.predictor import code_line
from runtime.ccsds123.predictor_state import error_limits, initial_state, predictor_constants
from runtime.errors import BadArgument, Corrupt

IntArray = npt.NDArray[np.integer[Any]]
Int32Array = npt.NDArray[np.int32]


class LinePredictor:
    """Predictor of one image, line by line in either direction; a new image needs a new one."""

    def __init__(self, parameters: Ccsds123Parameters) -> None:
        self.parameters, self.image = parameters, parameters.image
        self.constants = predictor_constants(parameters)
        self.state = initial_state(parameters)
        self.set_limits([limit.values or (0,) for limit in parameters.quantization.limits])
        self.next_line = 0

    def set_limits(self, values: Sequence[Sequence[int]]) -> None:
        """Put new error limits in force (4.8.2.4). values: of each limit in use, one for all bands or one per band."""
        self.limits = error_limits(self.parameters, values)

    def encode(self, line: IntArray) -> Uint32Array:
        """Mapped quantizer indices of the next line. line: (Z, X) integers; BadArgument where out of range."""
        image = self.image
        if line.shape != (image.n_bands, image.n_columns) or line.dtype.kind not in "iu":
            expected = f"({image.n_bands}, {image.n_columns}) integers"
            raise BadArgument(f"line {self.next_line} is {line.shape} {line.dtype}, must be {expected}")
        lowest, highest = int(line.min()), int(line.max())
        if lowest < image.smallest or highest > image.largest:
            allowed = f"{image.smallest}..{image.largest}"
            raise BadArgument(f"line {self.next_line} holds {lowest}..{highest}, allowed {allowed} (D = {image.depth})")
        # s - s_mid in 32 bits: the difference fits, whatever the wrap on the way
        samples = (line.astype(np.uint32, order="C") - np.uint32(image.middle)).view(np.int32)
        mapped: Uint32Array = np.empty(line.shape, np.uint32)
        code_line(self.constants, self.state, self.limits, self.next_line, False, samples, mapped)
        self.next_line += 1
        return mapped

    def decode(self, mapped: Uint32Array) -> Int32Array:
        """The next line, (Z, X) int32 relative to s_mid. mapped: (Z, X) uint32, untrusted; Corrupt where impossible."""
        samples = np.empty(mapped.shape, np.int32)
        if not code_line(self.constants, self.state, self.limits, self.next_line, True, samples, mapped):
            raise Corrupt(f"line {self.next_line} holds a mapped quantizer index outside the sample range")
        self.next_line += 1
        return samples

"""The checksum of restored samples: what a decoder gives back is held against what the encoder knew it would.

By zlib, not by a compiled kernel of this project: it is to find errors of kernels.
"""

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt


def samples_crc(line: npt.NDArray[np.integer[Any]], before: int = 0) -> int:
    """CRC-32 (of zlib) of samples (Z, X) as little-endian 16 bits, band after band; `before`: of the lines before."""
    return zlib.crc32(line.astype("<i2", order="C").data, before)

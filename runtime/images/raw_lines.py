"""Lines without a header from a pipe."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from runtime.errors import BadArgument
from runtime.exact_read import read_fully
from runtime.images.sample_file import DTYPES, Samples
from runtime.stream.image_description import ImageDescription

SAMPLE_TYPES = {dtype.name: sample_type for sample_type, dtype in DTYPES.items()}


@dataclass(frozen=True)
class RawLayout:
    """How lines follow one another in a pipe."""

    n_bands: int
    n_columns: int
    dtype: str  # NumPy name with byte order: uint16, <i2, >u2
    interleave: str

    def __post_init__(self) -> None:
        """Refuse what cannot be read line by line."""
        if self.interleave not in ("bil", "bip"):
            why = "its first line is whole only at the end"
            raise BadArgument(f"interleave {self.interleave} from a pipe: {why}; allowed bil, bip")
        try:
            dtype = np.dtype(self.dtype)
        except TypeError:
            allowed = "uint8, int16, uint16 and byte orders of them"
            raise BadArgument(f"sample type {self.dtype!r}, allowed {allowed}") from None
        if dtype.name not in SAMPLE_TYPES:
            raise BadArgument(f"sample type {dtype.name}, allowed {', '.join(SAMPLE_TYPES)}")
        if self.n_bands < 1 or self.n_columns < 1:
            raise BadArgument(f"{self.n_bands} bands x {self.n_columns} columns, allowed at least 1 each")


def describe_pipe(layout: RawLayout, depth: int) -> ImageDescription:
    """What the encoder must know of lines from a pipe; signed where the sample type is."""
    dtype = np.dtype(layout.dtype)
    sample_type = SAMPLE_TYPES[dtype.name]
    return ImageDescription(layout.n_bands, layout.n_columns, depth, dtype.kind == "i", sample_type=sample_type)


def raw_lines(file: BinaryIO, layout: RawLayout) -> Iterator[Samples]:
    """Each line (Z, X) of a pipe until it ends. Raises BadArgument where it ends within a line."""
    dtype = np.dtype(layout.dtype)
    shape = (layout.n_bands, layout.n_columns)
    n_bytes = math.prod(shape) * dtype.itemsize
    y = 0
    while data := read_fully(file.read, n_bytes):
        if len(data) < n_bytes:
            raise BadArgument(f"input ends within line {y}: {len(data)} of {n_bytes} bytes")
        line = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
        yield line.reshape(shape) if layout.interleave == "bil" else line.reshape(shape[::-1]).T
        y += 1

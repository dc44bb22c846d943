"""Lines without a header from a pipe."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from runtime.errors import BadArgument
from runtime.exact_read import read_fully
from runtime.images.sample_file import DTYPES, Samples
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import SpecialKind
from runtime.stream.sample_map import PLAIN, SampleMap
from runtime.stream.special_values import Special

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
        types = [name for name, kind in SAMPLE_TYPES.items() if not kind.is_float]
        if dtype.name not in types:
            raise BadArgument(f"sample type {dtype.name}, allowed {', '.join(types)}")
        if self.n_bands < 1 or self.n_columns < 1:
            raise BadArgument(f"{self.n_bands} bands x {self.n_columns} columns, allowed at least 1 each")


def describe_pipe(
    layout: RawLayout, depth: int, specials: Sequence[float] = (), values: SampleMap = PLAIN
) -> ImageDescription:
    """What the encoder must know of lines from a pipe; signed where the sample type is.

    depth: bits per sample, after offset and step of `values`. specials: values that are no measurements; the ends of
    the depth are limits, unless they are among these. Raises BadArgument.
    """
    dtype = np.dtype(layout.dtype)
    sizes = (layout.n_bands, layout.n_columns, depth, dtype.kind == "i", 0, SAMPLE_TYPES[dtype.name])
    if any(value != round(value) for value in specials):
        raise BadArgument(f"special values {', '.join(map(str, specials))}, allowed integers")
    voids = tuple(Special(int(value)) for value in dict.fromkeys(specials))
    ends = values.values_of(np.array(ImageDescription(*sizes, {}, values).range), np.dtype(np.int64)).tolist()
    limits = tuple(Special(end, SpecialKind.LIMIT) for end in dict.fromkeys(ends) if end not in specials)
    return ImageDescription(*sizes, {}, values, voids + limits)


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

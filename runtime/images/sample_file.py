"""Samples in a file without a header, in any interleave: mapped to read, appended line by line to write."""

import math
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument, one_line
from runtime.stream.kinds import SampleType

Samples = npt.NDArray[np.integer[Any]]
AXES = {"bil": (0, 1, 2), "bip": (0, 2, 1), "bsq": (1, 0, 2)}
"""Order of the axes in the file, as a transposition of (Y, Z, X); each undoes itself."""
DTYPES: dict[SampleType, np.dtype[Any]] = {
    SampleType.UINT8: np.dtype("u1"), SampleType.INT16: np.dtype("<i2"), SampleType.UINT16: np.dtype("<u2"),
}  # fmt: skip


def mapped_samples(
    path: Path, shape: tuple[int, int, int], dtype: str, interleave: str, offset: int = 0
) -> npt.NDArray[Any]:
    """A (Y, Z, X) view of a file, read when touched. Raises BadArgument: not there, or another size.

    offset: bytes before the first sample.
    """
    try:
        kind = np.dtype(dtype)
        expected = offset + math.prod(shape) * kind.itemsize
        found = path.stat().st_size
        if found != expected or 0 in shape:
            sizes = " x ".join(map(str, shape))
            after = f" after {offset} bytes" if offset else ""
            raise BadArgument(f"{path}: {found} bytes found, {sizes} of {kind}{after} are {expected}")
        axes = AXES[interleave]
        return np.memmap(path, kind, "r", offset, tuple(shape[axis] for axis in axes)).transpose(axes)
    except (OSError, TypeError, ValueError, OverflowError) as error:
        raise BadArgument(f"{path}: {one_line(error)}") from None


def raw_line(line: Samples, sample_type: SampleType) -> bytes:
    """One line (Z, X) as little-endian bytes, band after band."""
    return line.astype(DTYPES[sample_type]).tobytes()


class SampleFile:
    """An open binary file that lines are appended to; memory is one line."""

    def __init__(self, file: BinaryIO, dtype: np.dtype[Any], interleave: str = "bil", n_lines: int = 0) -> None:
        """n_lines: that will come, which bsq must know."""
        self.file, self.dtype, self.interleave, self.total = file, dtype, interleave, n_lines
        self.n_lines = 0

    def append(self, line: Samples) -> None:
        """Write one line (Z, X)."""
        stored = line.astype(self.dtype)
        if self.interleave == "bsq":
            for z, row in enumerate(stored):
                self.file.seek((z * self.total + self.n_lines) * row.nbytes)
                self.file.write(row.tobytes())
        else:
            self.file.write((stored if self.interleave == "bil" else stored.T).tobytes())
        self.n_lines += 1

    def skip(self, n_lines: int, n_samples: int) -> bool:
        """Leave out lines of `n_samples` zeros as a hole, which takes no space; False where the file takes none."""
        if self.interleave == "bsq" or not stat.S_ISREG(os.fstat(self.file.fileno()).st_mode):
            return False
        self.file.truncate(self.file.seek(n_lines * n_samples * self.dtype.itemsize, os.SEEK_CUR))
        self.n_lines += n_lines
        return True

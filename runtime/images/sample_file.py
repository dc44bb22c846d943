"""Samples in a file without a header, in any interleave: read in blocks of lines, appended line by line."""

import math
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument, one_line
from runtime.stream.kinds import SampleType

Samples = npt.NDArray[np.integer[Any]]
AXES = {"bil": (0, 1, 2), "bip": (0, 2, 1), "bsq": (1, 0, 2), "fortran": (2, 1, 0)}
"""Order of the axes in the file, as a transposition of (Y, Z, X); each undoes itself."""
BLOCK_BYTES = 1 << 24
"""Of a block of lines, or one line where that is more."""
DTYPES: dict[SampleType, np.dtype[Any]] = {
    SampleType.UINT8: np.dtype("u1"), SampleType.INT16: np.dtype("<i2"), SampleType.UINT16: np.dtype("<u2"),
    SampleType.INT8: np.dtype("i1"), SampleType.INT32: np.dtype("<i4"), SampleType.UINT32: np.dtype("<u4"),
    SampleType.INT64: np.dtype("<i8"), SampleType.UINT64: np.dtype("<u8"), SampleType.FLOAT32: np.dtype("<f4"),
    SampleType.FLOAT64: np.dtype("<f8"),
}  # fmt: skip


@dataclass(frozen=True)
class StoredSamples:
    """Samples (Y, Z, X) in a file: read in blocks of lines, or mapped. Raises BadArgument where they do not fill it."""

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    axes: tuple[int, int, int]
    """Their order in the file, one of `AXES`."""
    offset: int
    """Bytes before the first sample."""

    def __post_init__(self) -> None:
        """Hold the sizes against the file's."""
        expected = self.offset + math.prod(self.shape) * self.dtype.itemsize
        try:
            found = self.path.stat().st_size
        except OSError as error:
            raise BadArgument(f"{self.path}: {error.strerror}") from None
        if found != expected or 0 in self.shape:
            sizes = " x ".join(map(str, self.shape))
            after = f" after {self.offset} bytes" if self.offset else ""
            raise BadArgument(f"{self.path}: {found} bytes found, {sizes} of {self.dtype}{after} are {expected}")

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        """Each line (Z, X). Raises BadArgument: the file is gone, fails, or got shorter."""
        n_lines, n_bands, n_columns = self.shape
        step = max(1, BLOCK_BYTES // (n_bands * n_columns * self.dtype.itemsize))
        try:
            with self.path.open("rb") as file:
                for y in range(0, n_lines, step):
                    yield from self.block(file, y, min(step, n_lines - y))
        except OSError as error:
            raise BadArgument(f"{self.path}: {error.strerror}") from None

    def block(self, file: BufferedReader, y: int, n: int) -> npt.NDArray[Any]:
        """`n` lines from `y` on, (n, Z, X). Raises BadArgument: the file got shorter; OSError."""
        stored = [n if axis == 0 else self.shape[axis] for axis in self.axes]
        samples = np.empty(stored, self.dtype)
        n_runs = math.prod(stored[: self.axes.index(0)])
        run = samples.nbytes // n_runs
        data = samples.reshape(-1).view(np.uint8).data
        for i in range(n_runs):
            file.seek(self.offset + i * (run // n * self.shape[0]) + run // n * y)
            if file.readinto(data[i * run : (i + 1) * run]) < run:
                raise BadArgument(f"{self.path}: got shorter while it was read, lines from {y} on are missing")
        return samples.transpose(self.axes)

    def mapped(self) -> npt.NDArray[Any]:
        """A (Y, Z, X) view, read when touched; a file that gets shorter then ends the process. Raises BadArgument."""
        stored = tuple(self.shape[axis] for axis in self.axes)
        try:
            return np.memmap(self.path, self.dtype, "r", self.offset, stored).transpose(self.axes)
        except (OSError, ValueError, OverflowError) as error:
            raise BadArgument(f"{self.path}: {one_line(error)}") from None


def stored_samples(
    path: Path, shape: tuple[int, int, int], dtype: str, interleave: str, offset: int = 0
) -> StoredSamples:
    """Samples of a file by the words of a header or command. Raises BadArgument: no such type, or another size."""
    try:
        return StoredSamples(path, shape, np.dtype(dtype), AXES[interleave], offset)
    except (TypeError, ValueError) as error:
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
        self.not_carried: tuple[str, ...] = ()
        """What of an image's metadata the finished file does not have, in words."""

    def line_bytes(self, n_samples: int) -> int:
        """That a line of so many samples takes."""
        return n_samples * self.dtype.itemsize

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

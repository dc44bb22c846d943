"""A file of raw lines without a header, in any interleave, read in blocks of lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument
from runtime.images.packed_samples import Bytes
from runtime.images.raw_lines import RawLayout
from runtime.images.sample_file import BLOCK_BYTES


@dataclass(frozen=True)
class RawFile:
    """Its lines (Y, Z, X); nothing is read yet. Raises BadArgument where it does not hold whole lines."""

    path: Path
    layout: RawLayout
    n_bytes: int
    """Of the file."""

    def __post_init__(self) -> None:
        """Hold the sizes against the file's."""
        offset, line = self.layout.form.offset, self.line_bytes
        n_lines, rest = divmod(self.n_bytes - offset, line)
        if n_lines < 1 or rest:
            after = f" after {offset} bytes" if offset else ""
            left = f"{n_lines} lines and {rest} bytes more" if n_lines > 0 else "not one line"
            raise BadArgument(f"{self.path}: {self.n_bytes} bytes found, lines of {line} bytes{after}: {left}")

    @property
    def line_bytes(self) -> int:
        """Of a line of all bands."""
        return self.layout.n_bytes * (self.layout.n_bands if self.layout.interleave == "bsq" else 1)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Lines, bands, columns."""
        n_lines = (self.n_bytes - self.layout.form.offset) // self.line_bytes
        return n_lines, self.layout.n_bands, self.layout.n_columns

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the samples, in native byte order."""
        return np.dtype(self.layout.dtype).newbyteorder("=")

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        """Each line (Z, X). Raises BadArgument: the file is gone, fails, or got shorter."""
        for data in self.blocks():
            yield from self.layout.lines(data)

    def records(self) -> Iterator[bytes]:
        """What lies around the samples of each line. Raises BadArgument as in `__iter__`."""
        for data in self.blocks():
            yield from self.layout.records(data)

    def blocks(self) -> Iterator[Bytes]:
        """Bytes of blocks of lines as `RawLayout.lines` takes them."""
        n_lines, step = self.shape[0], max(1, BLOCK_BYTES // self.line_bytes)
        try:
            with self.path.open("rb") as file:
                for y in range(0, n_lines, step):
                    yield self.block(file, y, min(step, n_lines - y))
        except OSError as error:
            raise BadArgument(f"{self.path}: {error.strerror}") from None

    def block(self, file: BufferedReader, y: int, n: int) -> Bytes:
        """Bytes of `n` lines from `y` on, (planes, n, bytes). Raises BadArgument: the file got shorter; OSError."""
        n_planes, run = self.line_bytes // self.layout.n_bytes, self.layout.n_bytes
        data = np.empty((n_planes, n, run), np.uint8)
        for z in range(n_planes):
            file.seek(self.layout.form.offset + (z * self.shape[0] + y) * run)
            if file.readinto(data[z].data) < n * run:
                raise BadArgument(f"{self.path}: got shorter while it was read, lines from {y} on are missing")
        return data


def open_raw_file(path: Path, layout: RawLayout) -> RawFile:
    """A file by the words of a command. Raises BadArgument: not there, no file, or no whole lines."""
    try:
        if not path.is_file():
            found = "no regular file; a pipe is read by -" if path.exists() else "not found"
            raise BadArgument(f"{path}: {found}")
        return RawFile(path, layout, path.stat().st_size)
    except OSError as error:
        raise BadArgument(f"{path}: {error.strerror}") from None

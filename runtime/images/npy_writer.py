"""Decoded lines as a NumPy array in a .npy file, whose number of lines may be known at the end only."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from runtime.images.sample_file import SampleFile
from runtime.whole_output import replacing


@contextlib.contextmanager
def writing_npy(
    path: Path, sizes: tuple[int, int], dtype: np.dtype[Any], n_lines: int = 0, *, is_flat: bool = False
) -> Iterator[SampleFile]:
    """Append lines to an array (Y, Z, X), little-endian, that has its name only when the block ends without an error.

    sizes: bands, columns. n_lines: as announced; the header is written again where others came. is_flat: of one band,
    whose array is (Y, X). Raises BadArgument where it cannot be written.
    """
    axes = sizes[1:] if is_flat and sizes[0] == 1 else sizes
    stored = dtype.newbyteorder("<")
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        file.write(npy_header(stored, (n_lines, *axes)))
        yield (samples := SampleFile(file, stored))
        if samples.n_lines != n_lines:
            file.seek(0)
            file.write(npy_header(stored, (samples.n_lines, *axes)))


def npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """All before the samples; NumPy leaves room in it, so that its size is the same for any number of lines."""
    header = io.BytesIO()
    values = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, values)
    return header.getvalue()

"""An HDF5 file by h5py, an optional library: opened to read, and what is wrong with it in one line."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.errors import BadArgument, one_line
from runtime.extras import needed_for

SIGNATURE = b"\x89HDF\r\n\x1a\n"
USER_BLOCKS = (0, 512, 1024, 2048, 4096)
"""Bytes that a file may have before its signature; MATLAB's have 512."""
OF_LIBRARY = (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, OverflowError, MemoryError)
"""What h5py raises for files that are broken, or of a kind that it does not know."""


def is_hdf5(path: Path) -> bool:
    """Whether a file has the signature of HDF5, whatever its name. Raises BadArgument."""
    try:
        with path.open("rb") as file:
            for offset in USER_BLOCKS:
                file.seek(offset)
                if file.read(len(SIGNATURE)) == SIGNATURE:
                    return True
    except OSError as error:
        raise BadArgument(f"{path}: {error.strerror}") from None
    return False


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file as h5py has it. Raises BadArgument, for errors of h5py within the block, too."""
    with needed_for(f"{path}: HDF5 or NetCDF", "hdf"):
        import h5py
    try:
        with h5py.File(path, "r", locking="best-effort") as file:
            yield file
    except OF_LIBRARY as error:
        raise BadArgument(f"{path}: {one_line(error)[:300]}; allowed .hdr, .npy, .tif, HDF5 that is whole") from error


def missing_filters(dataset: Any) -> list[str]:
    """Names of what the chunks were compressed by, and this HDF5 has not."""
    import h5py

    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(i) for i in range(plan.get_nfilters())]
    return [
        f"{code} {name.decode(errors='replace')}".strip()
        for code, _, _, name in filters
        if not h5py.h5z.filter_avail(code)
    ]


def state(path: Path) -> tuple[int, int]:
    """Size and time of the last change, by which a file that is written to is known. Raises BadArgument."""
    try:
        found = path.stat()
    except OSError as error:
        raise BadArgument(f"{path}: {error.strerror}") from None
    return found.st_size, found.st_mtime_ns

"""Which dataset of an HDF5 file is meant: by its path, the end of it, a product's short name, or as the only cube."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runtime.errors import BadArgument
from runtime.images.hdf5.products import short_name

MOST_LISTED = 12
"""Datasets that an error or a note names."""


@dataclass(frozen=True)
class Entry:
    """A dataset: its path from the root, with the leading slash, and the type of its numbers, if they are any."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None

    @property
    def is_cube(self) -> bool:
        """Whether it can be an image of several bands."""
        return self.is_image(3)

    def is_image(self, n_axes: int) -> bool:
        """Whether it has numbers in so many axes."""
        return self.dtype is not None and len(self.shape) - self.n_alone == n_axes and 0 not in self.shape

    @property
    def n_alone(self) -> int:
        """Axes of one item before the last three, such as the one time of a cube; they are passed over."""
        n = max(0, len(self.shape) - 3)
        return n if set(self.shape[:n]) <= {1} else 0

    def __str__(self) -> str:
        """Name, shape and type for messages."""
        sizes = " x ".join(map(str, self.shape)) or "one"
        return f"{self.name} ({sizes} {'no numbers' if self.dtype is None else self.dtype.name})"


def sample_type(dataset: Any) -> np.dtype[Any] | None:
    """Type of the samples, truth values as uint8; None for what are no integers or floats that NumPy has."""
    try:
        dtype = np.dtype(dataset.dtype.str)
    except (TypeError, ValueError):
        return None
    if dtype.kind == "b":
        return np.dtype("u1")
    return dtype if dtype.kind in "iuf" and dtype.itemsize <= 8 else None


def entries_of(file: Any) -> list[Entry]:
    """The datasets that lie in the file itself, in the order of their names; no names of dimensions alone."""
    import h5py

    found = []

    def visit(name: str, thing: Any) -> None:
        if isinstance(thing, h5py.Dataset) and not is_dimension(thing):
            found.append(Entry(f"/{name}", thing.shape or (), sample_type(thing)))

    file.visititems(visit)
    return found


def is_dimension(dataset: Any) -> bool:
    """Whether it stands for a dimension of NetCDF and holds nothing."""
    name = dataset.attrs.get("NAME", b"") if len(dataset.shape or ()) == 1 else b""
    return bytes(name if isinstance(name, bytes) else str(name).encode()).startswith(b"This is a netCDF dimension")


def chosen(path: Path, file: Any, entries: Sequence[Entry], part: str) -> Entry:
    """The dataset that `part` names, or the only cube where it is empty. Raises BadArgument that lists the others."""
    if not part:
        cubes = [entry for entry in entries if entry.is_cube]
        if len(cubes) != 1:
            what = f"{len(cubes) or 'no'} datasets of three axes"
            raise BadArgument(f"{path}: {what}, name one as {listed(path, cubes or layers(entries))}")
        return cubes[0]
    full = "/" + part.strip("/")
    ends = [entry for entry in entries if part in (short_name(entry.name), entry.name.rsplit("/", 1)[-1])]
    for named in (at_path(file, full), ends):
        if len(named) == 1:
            return allowed(path, named[0])
    cubes = [entry for entry in entries if entry.is_cube] or layers(entries)
    raise BadArgument(f"{path}: {len(ends) or 'no'} datasets {part[:80]}, allowed {listed(path, ends or cubes)}")


def at_path(file: Any, name: str) -> list[Entry]:
    """The dataset at a path, which may lead over links, if there is one."""
    import h5py

    thing = file.get(name)
    return [Entry(name, thing.shape or (), sample_type(thing))] if isinstance(thing, h5py.Dataset) else []


def allowed(path: Path, entry: Entry) -> Entry:
    """The dataset, if it has the axes of an image. Raises BadArgument."""
    if not entry.is_image(2) and not entry.is_cube:
        raise BadArgument(f"{path}: {entry}, allowed integers or floats in two or three axes, of at least 1 each")
    return entry


def layers(entries: Sequence[Entry]) -> list[Entry]:
    """Images of one band."""
    return [entry for entry in entries if entry.is_image(2)]


def listed(path: Path, entries: Sequence[Entry]) -> str:
    """How to name each of some datasets, with shapes and types, for an error."""
    if not entries:
        return f"{path}:/PATH of numbers in two or three axes, of which it has none"
    names = []
    for entry in entries[:MOST_LISTED]:
        short = short_name(entry.name)
        names.append(f"{path.name}:{entry}" + (f", in short {path.name}:{short}" if short else ""))
    more = len(entries) - MOST_LISTED
    return "; ".join(names) + (f"; and {more} more" if more > 0 else "")

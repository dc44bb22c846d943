"""A dataset of an HDF5 file as an image, read in blocks of lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument
from runtime.images.hdf5.axes import axes_of, dimension_names
from runtime.images.hdf5.entries import Entry, chosen, entries_of
from runtime.images.hdf5.metadata import PER_BAND, Described, plain
from runtime.images.hdf5.opening import missing_filters, opened, state
from runtime.images.hdf5.products import product_of
from runtime.stream.image_description import LARGEST_LINE_SAMPLES

BLOCK_BYTES = 1 << 25
"""Of a block of lines, or one line where that is more."""
LARGEST_BLOCK_BYTES = 1 << 28
"""Of a block of lines of chunks that are more than a block: each block decompresses all chunks that it touches."""
LARGEST_CHUNK_BYTES = 1 << 28
"""Of samples that are compressed together."""
PASSED_OVER = "-"
WORDS = {"Y": "lines", "Z": "bands", "X": "columns"}


@dataclass(frozen=True)
class Hdf5Cube:
    """The samples (Y, Z, X) of a dataset; the file is opened when they are read."""

    files: tuple[Path, ...]
    """The file, and others that samples lie in."""
    name: str
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    letters: str
    """Of the axes in the file's order: Y, X and, but for a layer, Z; before them - for axes that are passed over."""
    chunk_lines: int
    """That are stored together; 1 where nothing is."""
    states: tuple[tuple[int, int], ...]
    """Of the files when they were opened first."""

    @property
    def step(self) -> int:
        """Lines of a block, whole chunks where memory allows it."""
        line_bytes = self.shape[1] * self.shape[2] * self.dtype.itemsize
        step = max(1, BLOCK_BYTES // line_bytes)
        if step >= self.chunk_lines:
            return step - step % self.chunk_lines
        return max(1, min(self.chunk_lines, LARGEST_BLOCK_BYTES // line_bytes))

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        """Each line (Z, X). Raises BadArgument: the file is gone, broken or changed."""
        with opened(self.files[0]) as file:
            dataset = file[self.name]
            for y in range(0, self.shape[0], self.step):
                yield from self.block(dataset, y)

    def block(self, dataset: Any, y: int) -> npt.NDArray[Any]:
        """The lines of the block from `y` on, (n, Z, X). Raises BadArgument: the file was changed."""
        lines = slice(y, min(y + self.step, self.shape[0]))
        parts = {"Y": lines, PASSED_OVER: 0}
        samples: npt.NDArray[Any] = dataset[tuple(parts.get(letter, slice(None)) for letter in self.letters)]
        samples = samples.view(np.uint8) if samples.dtype.kind == "b" else samples
        if tuple(map(state, self.files)) != self.states:  # what is cut off would be read as zeros
            raise BadArgument(f"{self.files[0]}: changed while it was read, lines from {y} on are not what they were")
        if "Z" not in self.letters:
            return (samples if self.letters == "YX" else samples.T)[:, None]
        letters = self.letters.lstrip(PASSED_OVER)
        return samples.transpose([letters.index(letter) for letter in "YZX"])


def open_hdf5(
    path: Path, part: str, axes: str | None
) -> tuple[Hdf5Cube, dict[str, Any], tuple[Path, ...], tuple[str, ...], tuple[str, ...]]:
    """Samples, metadata in the words of an ENVI header, files, what is in none of them, and notes on what was taken.

    part: a path, the end of one, or a short name of a product; empty: the only cube. axes: letters in the file's
    order, where it does not say it. Raises BadArgument.
    """
    first = state(path)
    with opened(path) as file:
        entries = entries_of(file)
        entry = chosen(path, file, entries, part)
        dataset, n = file[entry.name], entry.n_alone
        product = product_of(entry.name)
        lists = {one.shape[0] for one in entries if len(one.shape) == 1 and plain(one.name) in PER_BAND["wavelength"]}
        letters, by = axes_of(
            entry.shape[n:], dimension_names(dataset)[n:], axes, product and (product[0].maker, product[0].axes),
            "MATLAB_class" in dataset.attrs, lists,
        )  # fmt: skip
        letters = PASSED_OVER * n + letters
        sizes = dict(zip(letters, entry.shape, strict=True))
        shape = sizes["Y"], sizes.get("Z", 1), sizes["X"]
        if shape[1] * shape[2] > LARGEST_LINE_SAMPLES:
            line = f"a line of {shape[1]} bands x {shape[2]} columns"
            raise BadArgument(f"{path}: {entry} has {line}, allowed at most {LARGEST_LINE_SAMPLES} samples; see --axes")
        assert entry.dtype is not None
        check_chunks(path, dataset, entry)
        chunk_lines = dataset.chunks[letters.index("Y")] if dataset.chunks else 1
        files = files_of(path, dataset)
        states = (first, *(state(one) for one in files[1:]))
        cube = Hdf5Cube(files, entry.name, shape, entry.dtype, letters, chunk_lines, states)
        words, not_carried = Described(file, dataset, entry, entries, letters, product).say()
        return cube, words, files, not_carried, notes_of(entry, letters, part, by)


def check_chunks(path: Path, dataset: Any, entry: Entry) -> None:
    """Raise BadArgument where what is read at once would take too much memory, or cannot be decompressed."""
    if missing := missing_filters(dataset):
        what = f"{entry} needs HDF5's filter {', '.join(missing)}, which is not installed"
        raise BadArgument(f"{path}: {what}; name its folder in HDF5_PLUGIN_PATH, or write it by h5repack -f GZIP=4")
    n_bytes = np.prod(dataset.chunks or (1,), dtype=object) * dataset.dtype.itemsize
    if n_bytes > LARGEST_CHUNK_BYTES:
        raise BadArgument(
            f"{path}: {entry} has chunks of {n_bytes} bytes, allowed {LARGEST_CHUNK_BYTES}; write it by h5repack -l"
        )


def files_of(path: Path, dataset: Any) -> tuple[Path, ...]:
    """The files that samples come from: links, and storage outside, may lead to others. Raises BadArgument."""
    holder = Path(dataset.file.filename)
    others = [Path(name) for name, _, _ in dataset.external or ()]
    if dataset.is_virtual:
        names = dict.fromkeys(source.file_name for source in dataset.virtual_sources())
        others = [holder.parent / name for name in names if name != "."]
    for other in others:
        if not other.is_file():
            raise BadArgument(f"{path}: {dataset.name} has samples in {other.name}, which is not there")
    return tuple(dict.fromkeys((path, holder, *others)))


def notes_of(entry: Entry, letters: str, part: str, by: str) -> tuple[str, ...]:
    """What was taken without being named, and what was assumed."""
    if part and by:
        return ()
    taken = "read" if part else "taken, the only one of three axes,"
    order = ", ".join(WORDS[letter] for letter in letters.lstrip(PASSED_OVER))
    told = f", told by {by}" if by else "; nothing in the file says so, --axes changes it"
    return (f"dataset {entry} {taken} as {order}{told}",)

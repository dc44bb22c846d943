"""GeoTIFF with one band per spectral band, or equal pages of bands, read by rasterio in blocks of lines."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument, one_line
from runtime.extras import needed_for
from runtime.images.carried_keys import GEOTIFF
from runtime.images.geotiff_facts import lost, page_of
from runtime.images.geotiff_page import Page, checked_pages, table_of_pages
from runtime.images.geotiff_words import envi_words

BLOCK_BYTES = 1 << 25
"""Of a block of lines, or one line where that is more; two blocks are in memory, and as much in GDAL's cache."""
MOST_SHOWN = 8
"""Pages that an error lists."""


@dataclass(frozen=True)
class GeoTiff:
    """The samples (Y, Z, X) of a file, which is opened when they are read, in blocks of lines as they are stored."""

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    block_lines: int
    names: tuple[str, ...] = ()
    """Of its pages, as GDAL names them, whose bands follow one another; empty: one page."""

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        """Each line (Z, X). Raises BadArgument."""
        n_lines, n_bands, n_columns = self.shape
        step = max(1, BLOCK_BYTES // (n_bands * n_columns * self.dtype.itemsize))
        import rasterio

        try:
            with rasterio.Env(GDAL_CACHEMAX=2 * BLOCK_BYTES):
                if len(self.names) > 1:
                    yield from self.lines_of_pages(step)
                    return
                step = min(self.block_lines, step)
                with opened(self.path) as dataset:
                    for y in range(0, n_lines, step):
                        window = ((y, min(n_lines, y + step)), (0, n_columns))
                        yield from np.moveaxis(dataset.read(window=window), 0, 1)
        except rasterio.errors.RasterioError as error:
            raise BadArgument(f"{self.path}: {one_line(error)}") from error

    def lines_of_pages(self, step: int) -> Iterator[npt.NDArray[Any]]:
        """Each line (Z, X); for each block of lines the pages are opened one after another, however many there are."""
        n_lines, n_bands, n_columns = self.shape
        n_of_page = n_bands // len(self.names)
        for y in range(0, n_lines, step):
            block = np.empty((min(step, n_lines - y), n_bands, n_columns), self.dtype)
            window = ((y, y + len(block)), (0, n_columns))
            for index, name in enumerate(self.names):
                with opened(self.path, name) as page:
                    found = page.read(window=window)
                block[:, index * n_of_page : (index + 1) * n_of_page] = np.moveaxis(found, 0, 1)
            yield from block


def opened(path: Path, name: str | None = None) -> Any:
    """The file, or a page of it by GDAL's name, as rasterio has it. Raises BadArgument."""
    with needed_for(f"{path}: GeoTIFF", "geotiff"):
        import rasterio
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            return rasterio.open(path if name is None else name)
    except rasterio.errors.RasterioError as error:
        raise BadArgument(f"{path}: {one_line(error)}") from error


def open_geotiff(path: Path) -> tuple[GeoTiff, dict[str, Any], tuple[Path, ...], tuple[str, ...]]:
    """Samples, metadata, files, and what is in none of them. Raises BadArgument.

    The metadata are in the words of an ENVI header, and all that GDAL knows in `carried_keys.GEOTIFF`.
    """
    with opened(path) as dataset:
        files, names = tuple(map(Path, dataset.files)), tuple(sorted(dataset.subdatasets, key=place_of))
        layout = layout_of(path, dataset)
        block_lines = dataset.block_shapes[0][0]
        if len(names) < 2:
            pages, words = [page_of(dataset)], lost(dataset)
    if len(names) > 1:
        pages, layout, words = read_pages(path, names)
    n_lines, n_bands, n_columns, dtype = layout
    pages, refused = checked_pages(pages)
    source = GeoTiff(path, (n_lines, n_bands, n_columns), np.dtype(dtype), block_lines, names)
    return source, {**envi_words(pages), GEOTIFF: table_of_pages(pages)}, files, (*words, *refused)


def place_of(name: str) -> int:
    """The number of a page in GDAL's name of it, GTIFF_DIR:NUMBER:PATH; rasterio gives them in the order of letters."""
    _, number, *_ = name.split(":")
    return int(number)


def read_pages(path: Path, names: tuple[str, ...]) -> tuple[list[Page], tuple[int, int, int, str], tuple[str, ...]]:
    """Pages, their sizes with the bands of all, and what is not carried of them. Raises BadArgument: they differ."""
    pages, layouts, words = [], [], dict[str, None]()
    for name in names:
        with opened(path, name) as dataset:
            layouts.append(layout_of(path, dataset))
            pages.append(page_of(dataset))
            words |= dict.fromkeys(lost(dataset))
    if len(set(layouts)) > 1:
        sizes = [f"{one[0]} x {one[2]} x {one[1]} {one[3]}" for one in layouts]
        shown = ", ".join(f"page {index} of {size}" for index, size in enumerate(sizes[:MOST_SHOWN], start=1))
        more = f" and {len(sizes) - MOST_SHOWN} more" if len(sizes) > MOST_SHOWN else ""
        what = f"{len(names)} pages that differ: {shown}{more} (lines x columns x bands)"
        raise BadArgument(f"{path}: {what}, allowed equal pages; write the page that is meant to a file of its own")
    n_lines, n_bands, n_columns, dtype = layouts[0]
    return pages, (n_lines, n_bands * len(names), n_columns, dtype), tuple(words)


def layout_of(path: Path, dataset: Any) -> tuple[int, int, int, str]:
    """Lines, bands, columns, type. Raises BadArgument for bands of several types."""
    kinds = set(dataset.dtypes)
    if len(kinds) > 1:
        raise BadArgument(f"{path}: bands of types {', '.join(sorted(kinds))}, allowed one type")
    return dataset.height, dataset.count, dataset.width, kinds.pop()

"""Decoded lines as a GeoTIFF with everything that a page has a place for.

Lines wait in a file without a name beside the output, because how many there are is known at the end only; then GDAL
gets them block by block, and what it has written is read again.
"""

import contextlib
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument, one_line
from runtime.extras import needed_for
from runtime.images.envi_pair import GDAL_SUFFIXES, refuse_beside
from runtime.images.geotiff import opened
from runtime.images.geotiff_comparison import differences
from runtime.images.geotiff_facts import page_of
from runtime.images.geotiff_layout import created
from runtime.images.geotiff_page import Page
from runtime.images.geotiff_tags import tag
from runtime.images.sample_file import SampleFile
from runtime.whole_output import replacing

BLOCK_BYTES = 1 << 25
"""Of samples that GDAL gets at once, or one block of the file where that is more."""
WORLD_SUFFIXES = (".tfw", ".tifw", ".tiffw", ".wld", ".rpb", ".imd", "_rpc.txt")
"""In place of the suffix, of files that GDAL would take for a part of the new one."""


class WaitingLines(SampleFile):
    """Lines in a file without a name; of missing ones none is left out, because GDAL writes them all."""

    def skip(self, n_lines: int, n_samples: int) -> bool:
        """Never."""
        return False


@contextlib.contextmanager
def writing_geotiff(
    path: Path, sizes: tuple[int, int], dtype: np.dtype[Any], pages: list[Page]
) -> Iterator[SampleFile]:
    """Append lines to a GeoTIFF that has its name only when the block ends without an error.

    sizes: bands of all pages, columns. What the file cannot hold is in `not_carried` of the lines then. Raises
    BadArgument where it cannot be written, or other files beside it would be taken for its parts.
    """
    opened_module(path)
    if path.exists() and not path.is_file():
        raise BadArgument(
            f"output {path} is no regular file, which a GeoTIFF needs; allowed a file, or - for raw lines"
        )
    refuse_beside(path, [(path.name, GDAL_SUFFIXES), (path.stem, WORLD_SUFFIXES)])
    with replacing(path) as unfinished, tempfile.TemporaryFile(dir=unfinished.parent) as file:
        yield (lines := WaitingLines(file, dtype.newbyteorder("<")))
        file.flush()
        samples = np.memmap(file, lines.dtype, "r", shape=(lines.n_lines, *sizes))
        lines.not_carried = write_geotiff(path, unfinished, samples, pages)


def opened_module(path: Path) -> Any:
    """The library rasterio. Raises BadArgument where it is not installed."""
    with needed_for(f"output {path}: GeoTIFF", "geotiff"):
        import rasterio
    return rasterio


def write_geotiff(path: Path, unfinished: Path, samples: npt.NDArray[Any], pages: list[Page]) -> tuple[str, ...]:
    """Write samples (Y, Z, X) to a file that will be named `path`; what of the pages it does not hold, in words."""
    rasterio = opened_module(path)
    n_of_page = samples.shape[1] // len(pages)
    parts = [samples[:, index * n_of_page : (index + 1) * n_of_page] for index in range(len(pages))]
    lacks: dict[str, None] = {}
    settings = {"GDAL_CACHEMAX": 2 * BLOCK_BYTES, "GDAL_PAM_ENABLED": "NO"}
    try:
        with warnings.catch_warnings(), rasterio.Env(**settings):
            warnings.simplefilter("ignore")
            for index, (page, part) in enumerate(zip(pages, parts, strict=True)):
                with created(unfinished, page, part.shape, part.dtype, is_next=index > 0) as dataset:
                    tag(dataset, page)
                    for window in windows(dataset):
                        dataset.write(window.of(part), window.numbers, window=window.places)
            for index, (page, part) in enumerate(zip(pages, parts, strict=True)):
                name = f"GTIFF_DIR:{index + 1}:{unfinished}" if len(pages) > 1 else None
                with opened(unfinished, name) as dataset:
                    if not all(one.read_from(dataset).tobytes() == one.of(part).tobytes() for one in windows(dataset)):
                        raise BadArgument(f"output {path} cannot be written: GDAL gives back other samples")
                    lacks |= dict.fromkeys(differences(page, page_of(dataset)))
    except (rasterio.errors.RasterioError, rasterio.errors.RasterioIOError, ValueError) as error:
        raise BadArgument(f"output {path} cannot be written: {one_line(error.__cause__ or error)}") from error
    return tuple(lacks)


@dataclass(frozen=True)
class Window:
    """A part of an image: lines, bands, columns."""

    y: slice
    z: slice
    x: slice

    def of(self, samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The part (Z, Y, X) of an image (Y, Z, X)."""
        return np.ascontiguousarray(samples[self.y, self.z, self.x].transpose(1, 0, 2))

    def read_from(self, dataset: Any) -> npt.NDArray[Any]:
        """The part (Z, Y, X) of a dataset."""
        found: npt.NDArray[Any] = dataset.read(self.numbers, window=self.places)
        return found

    @property
    def numbers(self) -> list[int]:
        """Of its bands, from 1."""
        return list(range(self.z.start + 1, self.z.stop + 1))

    @property
    def places(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Lines and columns as rasterio takes them."""
        return (self.y.start, self.y.stop), (self.x.start, self.x.stop)


def windows(dataset: Any) -> Iterator[Window]:
    """The parts of a dataset, of whole blocks of the file and of about `BLOCK_BYTES`; each block is in one of them."""
    (height, width), n_bands = dataset.block_shapes[0], dataset.count
    n_bytes = np.dtype(dataset.dtypes[0]).itemsize
    is_pixel = str(dataset.profile.get("interleave")).lower() == "pixel"
    n_z = n_bands if is_pixel else min(n_bands, max(1, BLOCK_BYTES // (height * width * n_bytes)))
    n_x = fitting(width, dataset.width, BLOCK_BYTES // (height * n_z * n_bytes))
    n_y = fitting(height, dataset.height, BLOCK_BYTES // (n_x * n_z * n_bytes)) if n_x >= dataset.width else height
    for z in range(0, n_bands, n_z):
        for y in range(0, dataset.height, n_y):
            for x in range(0, dataset.width, n_x):
                ends = min(y + n_y, dataset.height), min(z + n_z, n_bands), min(x + n_x, dataset.width)
                yield Window(slice(y, ends[0]), slice(z, ends[1]), slice(x, ends[2]))


def fitting(block: int, whole: int, most: int) -> int:
    """The largest multiple of a block that is at most `most`, at least one block; the whole where that fits."""
    return max(block, whole if whole <= most else most // block * block)

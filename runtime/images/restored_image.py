"""A restored image as a file of the kind that its name asks for, and what of its metadata that kind cannot hold."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from runtime.errors import BadArgument, Corrupt
from runtime.images.carried_keys import GEOTIFF, NUMPY, entries_of, table_of
from runtime.images.envi_entries import one_line_of
from runtime.images.envi_page import page_of_entries, with_entries
from runtime.images.envi_pair import HEADER_SUFFIX
from runtime.images.geotiff_page import Page, pages_of_table
from runtime.images.geotiff_words import without_words
from runtime.images.geotiff_writer import opened_module, writing_geotiff
from runtime.images.npy_writer import writing_npy
from runtime.images.sample_file import DTYPES, SampleFile
from runtime.images.scene_reader import TIFF_SUFFIXES
from runtime.images.scene_writer import writing_envi
from runtime.images.zarr_writer import writing_zarr
from runtime.stream.image_description import ImageDescription

NPY_SUFFIX = ".npy"
ZARR_SUFFIX = ".zarr"


@contextlib.contextmanager
def restoring(output: Path, image: ImageDescription) -> Iterator[SampleFile]:
    """Append the lines of an image to a file that has its name only when the block ends without an error.

    Its suffix says what it is: .hdr of an ENVI pair, .tif or .tiff, .npy, or .zarr, which is a folder. What of the
    metadata it cannot hold is in `not_carried` of the lines then. Raises BadArgument: no such kind, or it
    cannot be written; Corrupt.
    """
    suffix, dtype, sizes = output.suffix.lower(), DTYPES[image.file_type], (image.n_bands, image.n_columns)
    if suffix in TIFF_SUFFIXES:
        with writing_geotiff(output, sizes, dtype, pages_of(output, image)) as lines:
            yield lines
    elif suffix == NPY_SUFFIX:
        is_flat = table_of(image.metadata, NUMPY) == {"axes": 2}
        with writing_npy(output, sizes, dtype, image.n_lines, is_flat=is_flat) as lines:
            lines.not_carried = beside_samples(image)
            yield lines
    elif suffix == ZARR_SUFFIX:
        with writing_zarr(output, image) as lines:
            lines.not_carried = beyond_entries(image)
            yield lines
    elif suffix == HEADER_SUFFIX:
        with writing_envi(output, sizes, dtype, image.metadata) as lines:
            other = () if lines.dtype == dtype else (f"type {dtype.name} (written as {lines.dtype.name})",)
            lines.not_carried = (*other, *beyond_entries(image))
            yield lines
    else:
        kinds = f".hdr (the data is written beside it), {', '.join(TIFF_SUFFIXES)}, {NPY_SUFFIX} or {ZARR_SUFFIX}"
        raise BadArgument(f"output {output}: allowed a name ending in {kinds}")


def pages_of(output: Path, image: ImageDescription) -> list[Page]:
    """The pages of a GeoTIFF to be: those that the image had, or what its ENVI header says. Raises Corrupt."""
    opened_module(output)
    table, dtype = table_of(image.metadata, GEOTIFF), DTYPES[image.file_type]
    if table:
        return with_entries(pages_of_table(table, image.n_bands), image.metadata, dtype)
    return [page_of_entries(image.metadata, image.n_bands, dtype)]


def beyond_entries(image: ImageDescription) -> tuple[str, ...]:
    """What of a GeoTIFF the entries of an ENVI header do not say."""
    table = table_of(image.metadata, GEOTIFF)
    try:
        return without_words(pages_of_table(table, image.n_bands)) if table else ()
    except Corrupt:
        return ("metadata that no GeoTIFF has",)


def beside_samples(image: ImageDescription) -> tuple[str, ...]:
    """All metadata, in words."""
    return (*map(one_line_of, entries_of(image.metadata)), *beyond_entries(image))

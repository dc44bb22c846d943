"""Decoded lines as a group of Zarr, format 2, which versions 2.18 and 3 of the library read, and xarray opens.

Lines wait in a file without a name beside the output, because how many there are is known at the end only; then the
library gets them chunk by chunk, and what it has written is read again.
"""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument, one_line
from runtime.extras import needed_for
from runtime.images.carried_keys import entries_of
from runtime.images.image_facts import NUMBERS_OF_BANDS, band_numbers, nodata_of
from runtime.images.sample_file import DTYPES, SampleFile
from runtime.stream.image_description import ImageDescription
from runtime.whole_output import replacing_folder

SAMPLES = "samples"
AXES = ("line", "band", "column")
DIMENSIONS = "_ARRAY_DIMENSIONS"
"""Attribute in which xarray looks for names of axes."""
WRITTEN_BY = "written_by"
"""Attribute of a group that may be replaced by another one."""
PRODUCT = "linerwkv decompress"
PARTS = {".zgroup", ".zattrs", ".zmetadata", SAMPLES, *NUMBERS_OF_BANDS}
CHUNK_BYTES = 1 << 23
"""Of a chunk of whole lines, or one line where that is more."""


@contextlib.contextmanager
def writing_zarr(path: Path, image: ImageDescription) -> Iterator[SampleFile]:
    """Append lines to a group that has its name only when the block ends without an error.

    Its array `samples` is (Y, Z, X), with `wavelength` and `fwhm` (Z,) beside it where they are known; entries of an
    ENVI header are attributes. Raises BadArgument where it cannot be written, or a folder of that name holds anything
    else.
    """
    opened_module(path)
    with replacing_folder(path, is_ours) as unfinished, tempfile.TemporaryFile(dir=unfinished.parent) as file:
        yield (lines := SampleFile(file, DTYPES[image.file_type]))
        file.flush()
        samples = np.memmap(file, lines.dtype, "r", shape=(lines.n_lines, image.n_bands, image.n_columns))
        try:
            write_group(unfinished, samples, image)
        except (TypeError, ValueError) as error:
            raise BadArgument(f"output {path} cannot be written: {one_line(error)}") from error


def opened_module(path: Path) -> Any:
    """The library zarr. Raises BadArgument where it is not installed."""
    with needed_for(f"output {path}: Zarr", "ground"):
        import zarr
    return zarr


def is_ours(folder: Path) -> bool:
    """Whether a folder is a group that `writing_zarr` wrote, and nothing else."""
    try:
        attributes = json.loads((folder / ".zattrs").read_bytes())
    except (OSError, ValueError):
        return False
    is_marked = isinstance(attributes, dict) and attributes.get(WRITTEN_BY) == PRODUCT
    return is_marked and PARTS.issuperset(one.name for one in folder.iterdir())


def write_group(folder: Path, samples: npt.NDArray[Any], image: ImageDescription) -> None:
    """Write samples (Y, Z, X) and what is known of them. Raises ValueError where other samples are read."""
    zarr = opened_module(folder)
    entries = entries_of(image.metadata)
    form = {"zarr_format": 2} if int(zarr.__version__.split(".")[0]) >= 3 else {}
    zarr.open_group(str(folder), mode="w", **form).attrs.update({WRITTEN_BY: PRODUCT, "metadata": entries})
    n_chunk = max(1, CHUNK_BYTES // samples[0].nbytes)
    # xarray masks what Zarr calls the fill value: samples that are no measurements, and no others
    nodata = nodata_of(image)
    array = zarr.create(
        samples.shape, chunks=(n_chunk, *samples.shape[1:]), dtype=samples.dtype, store=str(folder), path=SAMPLES,
        fill_value=None if nodata is None else samples.dtype.type(nodata).item(), **form,
    )  # fmt: skip
    array.attrs.update({DIMENSIONS: list(AXES)})
    for first in range(0, len(samples), n_chunk):
        part = samples[first : first + n_chunk]
        array[first : first + n_chunk] = part
        if array[first : first + n_chunk].tobytes() != part.tobytes():
            raise ValueError(f"zarr gives back other samples from line {first} on")
    for name in NUMBERS_OF_BANDS:
        if (numbers := band_numbers(entries.get(name), image.n_bands)) is not None:
            row = zarr.create(
                (image.n_bands,), dtype="<f8", store=str(folder), path=name, fill_value=None, **form
            )  # fmt: skip
            row[:] = np.array(numbers)
            units = entries.get("wavelength units")
            row.attrs.update({DIMENSIONS: ["band"]} | ({} if units is None else {"units": units}))
    zarr.consolidate_metadata(str(folder))

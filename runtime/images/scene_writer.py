"""Decoded lines as a file: an ENVI pair, or samples alone."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from runtime.errors import BadArgument
from runtime.images.envi_header_writer import CODES, envi_header
from runtime.images.envi_pair import is_header, new_pair
from runtime.images.sample_file import SampleFile
from runtime.whole_output import replacing, replacing_pair


@contextlib.contextmanager
def writing_samples(path: Path, dtype: np.dtype[Any], interleave: str, n_lines: int) -> Iterator[SampleFile]:
    """Append lines to raw little-endian samples; the file has its name only when the block ends without an error."""
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        yield SampleFile(file, dtype.newbyteorder("<"), interleave, n_lines)


@contextlib.contextmanager
def writing_envi(
    header: Path,
    sizes: tuple[int, int],
    dtype: np.dtype[Any],
    metadata: dict[str, Any],
    interleave: str = "bil",
    n_lines: int = 0,
) -> Iterator[SampleFile]:
    """Append lines to an ENVI pair, which has its names only when the block ends without an error.

    header: a name ending in .hdr; the data file beside it is named by the interleave. sizes: bands, columns. n_lines:
    of bsq. Raises BadArgument where it cannot be written, or other files beside it would be taken for its parts.
    """
    if not is_header(header):
        raise BadArgument(f"output {header}: allowed a name ending in .hdr (the data is written beside it)")
    kind = np.dtype("i2") if dtype.name not in CODES else dtype  # ENVI has no signed bytes
    with replacing_pair(new_pair(header, interleave), header) as (new_data, new_header):
        with new_data.open("wb") as file:
            yield (samples := SampleFile(file, kind.newbyteorder("<"), interleave, n_lines))
        new_header.write_bytes(envi_header((samples.n_lines, *sizes), kind, interleave, metadata))

"""Scenes that cannot be mapped from their file, once converted to .npy in a cache folder.

GeoTIFF and streams are compressed; some whole-number scenes are stored as floats. Everything else is mapped where it
lies.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model.scenes.stream_scene import is_stream, open_stream_scene, write_stream_scene
from runtime.codec.compression import atomic_file
from runtime.errors import BadArgument
from runtime.images.scene_reader import TIFF_SUFFIXES, open_numbers

HYSPECNET_BANDS = 224  # of an EnMAP patch as distributed
HYSPECNET_INVALID = (*range(126, 141), *range(160, 167))  # 0-based: water vapour; 202 bands are left


def mappable(path: Path, cache: Path, packages: Sequence[str] = (), *, is_hyspecnet: bool = False) -> Path:
    """The file itself, or its converted copy in `cache`, which is made if the file is newer or unknown.

    packages: flight packages that a stream may need beside the shipped ones. `is_hyspecnet` leaves the invalid bands of
    an EnMAP patch out. Raises LineRwkvError.
    """
    if not path.is_file():
        raise BadArgument(f"{path} not found")
    is_mapped = not is_stream(path) and path.suffix.lower() not in TIFF_SUFFIXES
    if is_mapped and not is_hyspecnet and np.issubdtype(read_samples(path).dtype, np.integer):
        return path
    status = path.stat()
    key = f"{path.resolve()} {status.st_size} {status.st_mtime_ns} {is_hyspecnet}"
    converted = cache / f"{path.stem}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"
    if converted.is_file():
        return converted
    if is_stream(path):
        write_stream_scene(path, converted, packages)
    else:
        samples = whole_numbers(path, read_samples(path))
        if is_hyspecnet:
            samples = valid_bands(path, samples)
        cache.mkdir(parents=True, exist_ok=True)
        with atomic_file(converted) as file:
            np.save(file, samples, allow_pickle=False)
    return converted


def read_samples(path: Path, packages: Sequence[str] = ()) -> npt.NDArray[Any]:
    """(Y, Z, X) of any format that training takes, of any type of number. packages: as in `mappable`."""
    if is_stream(path):
        with open_stream_scene(path, packages) as found:
            return np.stack(list(found.lines))
    return open_numbers(path).samples


def whole_numbers(path: Path, samples: npt.NDArray[Any]) -> npt.NDArray[np.integer[Any]]:
    """The samples as integers of 16 bits. Raises BadArgument for NaN, fractions, and what 16 bits cannot hold."""
    if samples.ndim != 3 or 0 in samples.shape:
        raise BadArgument(f"{path}: shape {samples.shape}, allowed (lines, bands, columns) of at least 1 each")
    if not (np.issubdtype(samples.dtype, np.floating) or np.issubdtype(samples.dtype, np.integer)):
        raise BadArgument(f"{path}: samples are {samples.dtype}, allowed integers or whole numbers")
    is_whole = np.equal(samples, np.floor(samples))  # False for NaN
    if not is_whole.all():
        y, z, x = (int(i) for i in np.argwhere(~is_whole)[0])
        raise BadArgument(
            f"{path}: {int((~is_whole).sum())} samples are not whole numbers, "
            f"the first is {samples[y, z, x]} at line {y}, band {z}, column {x}"
        )
    lowest, highest = float(samples.min()), float(samples.max())
    for dtype in (np.int16, np.uint16):
        limits = np.iinfo(dtype)
        if limits.min <= lowest and highest <= limits.max:
            return np.ascontiguousarray(samples, dtype)
    raise BadArgument(f"{path}: samples reach {lowest:.0f}..{highest:.0f}, allowed what 16 bits hold")


def valid_bands(path: Path, samples: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.integer[Any]]:
    """The 202 bands of an EnMAP patch that HySpecNet-11k calls valid."""
    n_bands = samples.shape[1]
    n_valid = HYSPECNET_BANDS - len(HYSPECNET_INVALID)
    if n_bands == n_valid:
        return samples
    if n_bands != HYSPECNET_BANDS:
        raise BadArgument(f"{path}: {n_bands} bands, allowed {HYSPECNET_BANDS}, or {n_valid} without the invalid ones")
    return np.ascontiguousarray(np.delete(samples, HYSPECNET_INVALID, axis=1))

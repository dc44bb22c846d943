"""ENVI pairs for tests, and what other readers make of one."""

from pathlib import Path
from typing import Any

import numpy as np
import spectral

Cube = np.ndarray[Any, np.dtype[np.uint16]]
CUBE: Cube = (np.arange(4 * 3 * 5).reshape(4, 3, 5) * 7 + 300).astype("<u2")  # (Y, Z, X)
AXES = {"bil": (0, 1, 2), "bip": (0, 2, 1), "bsq": (1, 0, 2)}


def header_text(cube: Cube = CUBE, **changes: Any) -> str:
    """A header in BIL; None leaves a key out, _ stands for a blank."""
    entries: dict[str, Any] = {
        "samples": cube.shape[2], "lines": cube.shape[0], "bands": cube.shape[1], "header offset": 0,
        "file type": "ENVI Standard", "data type": 12, "interleave": "bil", "byte order": 0,
    }  # fmt: skip
    entries |= {key.replace("_", " "): value for key, value in changes.items()}
    return "ENVI\n" + "".join(f"{key} = {value}\n" for key, value in entries.items() if value is not None)


def write_pair(folder: Path, header: str, data: str, cube: Cube = CUBE, **changes: Any) -> Path:
    """Write both files; the path of the header."""
    interleave = str(changes.get("interleave", "bil")).lower()
    (folder / data).write_bytes(cube.transpose(AXES[interleave]).tobytes())
    (folder / header).write_text(header_text(cube, **changes), "utf-8")
    return folder / header


def by_spectral(header: Path) -> Cube:
    """Samples (Y, Z, X) as the library spectral finds and reads them."""
    return np.array(spectral.envi.open(str(header)).open_memmap(interleave="bil"))


def by_gdal(data: Path) -> Cube:
    """Samples (Y, Z, X) as GDAL reads them."""
    import rasterio

    with rasterio.open(data) as file:
        return np.moveaxis(file.read(), 0, 1)

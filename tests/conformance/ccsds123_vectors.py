"""The shared CCSDS 123.0-B-2 vectors, and the reason for a skip where they are absent."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

SHARED = Path(__file__).parents[2].parent / "shared" / "ccsds123"
NAMES = sorted(path.parent.name for path in SHARED.glob("vectors/*/params.json"))
needs_shared = pytest.mark.skipif(not NAMES, reason="../shared/ccsds123 is absent")

IntArray = npt.NDArray[np.integer[Any]]


class Vector(NamedTuple):
    parameters: dict[str, Any]
    samples: IntArray
    """(Z, Y, X) int64."""
    reconstruction: IntArray
    """(Z, Y, X) int64: what a decoder must give."""
    indices: IntArray | None
    """(Z, Y, X) int64: mapped quantizer indices, where the vector holds them."""
    stream: bytes


@cache
def vector(name: str) -> Vector:
    folder = SHARED / "vectors" / name
    parameters = json.loads((folder / "params.json").read_text())["parameters"]
    shape = (parameters["Nz"], parameters["Ny"], parameters["Nx"])
    width = 1 if parameters["D"] <= 8 else 2 if parameters["D"] <= 16 else 4

    def read(path: Path, dtype: str) -> IntArray:
        return np.fromfile(path, dtype).reshape(shape).astype(np.int64)

    samples = read(folder / "input.raw", f">{'i' if parameters['signed'] else 'u'}{width}")
    reconstruction = samples
    for dtype, file_name in ((">i4", "reconstruction_zyx_i32be.raw"), (">i8", "reconstruction_zyx_i64be.raw")):
        if (folder / file_name).exists():
            reconstruction = read(folder / file_name, dtype)
    index_file = folder / "mapped_indices_zyx_u32be.raw"
    indices = read(index_file, ">u4") if index_file.exists() else None
    return Vector(parameters, samples, reconstruction, indices, (folder / "compressed.bin").read_bytes())

"""A stream with gaps in nothing, and ways to damage it."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import linerwkv

N_LINES, N_BANDS, N_COLUMNS, SEGMENT_LINES = 50, 5, 7, 8
WAVELENGTHS = [450.0, 550.0, 650.0, 860.0, 1600.0]
Cube = npt.NDArray[Any]


@pytest.fixture(scope="session")
def cube() -> Cube:
    """(Y, Z, X) uint16."""
    return np.random.default_rng(3).integers(0, 4096, (N_LINES, N_BANDS, N_COLUMNS)).astype(np.uint16)


@pytest.fixture(scope="session")
def stream(cube: Cube, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound stream of seven segments, the last one of two lines."""
    path = tmp_path_factory.mktemp("stream") / "scene.lrwk"
    metadata = {
        "wavelength": WAVELENGTHS, "wavelength units": "Nanometers", "fwhm": [10.0] * N_BANDS,
        "map info": ["UTM", "1", "1", "500000", "5800000", "30", "30", "33", "North", "WGS-84", "units=Meters"],
        "data ignore value": 65535,
    }  # fmt: skip
    linerwkv.compress(cube, path, metadata=metadata, nodata=65535, predictor="dpcm", segment_lines=SEGMENT_LINES)
    return path


class CountedFile(io.BytesIO):
    """Counts the bytes that are read."""

    n_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """As of a file."""
        data = super().read(size)
        self.n_read += len(data)
        return data

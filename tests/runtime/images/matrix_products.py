"""Rows of products by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.runtime.images.hdf5_files import AS_TEXT, CUBE, write_emit, write_hypso, write_prisma
from tests.runtime.images.matrix import OUTPUTS, Row, holds
from tests.runtime.images.matrix_hdf5 import says
from tests.runtime.images.product_files import L1B, write_desis, write_enmap, write_enmap_l2a

KIND = "products"
PRISMA = "PRS_L1_STD_20200101000000_20200101000004_0001.he5"
EMIT = "EMIT_L1B_RAD_001_20220101T000000_2200101_001.nc"
Make = Callable[[Path], Path]


def prisma(part: str) -> Make:
    """A cube of PRISMA by its short name."""
    return lambda folder: Path(f"{write_prisma(folder / PRISMA)}{part}")


def enmap(part: str) -> Make:
    """A cube of EnMAP L1B by its short name."""
    return lambda folder: Path(f"{write_enmap(folder / L1B)}{part}")


def hypso(folder: Path) -> Path:
    """HYPSO-1."""
    return write_hypso(folder / "place_2022-07-05T10-00-00Z-l1a.nc")


def emit(folder: Path) -> Path:
    """EMIT, whose samples are a hundredth of integers."""
    return write_emit(folder / EMIT)


def product(maker: str, make: Make, entries: dict[str, str | list[str]], notes: dict[str, str]) -> list[Row]:
    """Samples and entries that come back, and what has a note."""
    cube = CUBE / np.float32(100) if maker == "EMIT" else CUBE
    return [
        Row(KIND, f"{maker}: samples", make, dict.fromkeys(OUTPUTS, holds(cube))),
        *(Row(KIND, f"{maker}: {key}", make, says(key.lower(), value), key) for key, value in entries.items()),
        *(Row(KIND, f"{maker}: {name}", make, note=note) for name, note in notes.items()),
    ]


NM = {"wavelength units": "Nanometers"}
ENMAP_NUMBERS: dict[str, str | list[str]] = {
    "wavelength": ["400.5", "401.5", "402.5", "403.5"], **NM, "fwhm": ["6", "7", "8", "9"],
    "data gain values": ["0.0001"] * 4, "data offset values": ["0"] * 4,
}  # fmt: skip
DESIS_NUMBERS: dict[str, str | list[str]] = {
    "wavelength": ["401", "402", "403", "404"], **NM, "fwhm": ["3.5"] * 4, "data gain values": ["0.01"] * 4,
    "data offset values": ["0"] * 4, "dead pixels": ["0", "1", "2", "3"], "suspicious pixels": ["0"] * 4,
}  # fmt: skip
ROWS = [
    *product(
        "PRISMA",
        prisma(":vnir"),
        {"wavelength": AS_TEXT[::-1], **NM, "fwhm": ["9.5"] * 4, "bbl": ["0", "1", "1", "1"],
         "ScaleFactor_Vnir": "100.0", "L2ScaleVnirMax": "1.5"},
        {"quality of pixels": "VNIR_PIXEL_SAT_ERR_MATRIX", "other attributes of the file": "Sun_zenith_angle"},
    ),
    Row(KIND, "PRISMA: no cube named", prisma(""), note=f"{PRISMA}:vnir"),
    *product(
        "EMIT",
        emit,
        {"wavelength": AS_TEXT, **NM, "fwhm": ["7.4"] * 4, "bbl": ["1", "0", "1", "1"],
         "data ignore value": "-9999.0", "data units": "uW/cm^2/SR/nm"},
        {"places of pixels": "/location/lon", "attributes of the file": "attributes of the file (title)"},
    ),
    *product(
        "HYPSO-1",
        hypso,
        {"wavelength": ["401.5", "500.2", "600.1", "700.0"], **NM, "fwhm": ["5.5"] * 4,
         "long_name": "Top of Atmosphere Measured Radiance"},
        {"places of pixels": "/navigation/latitude", "times and attitudes": "/metadata/adcs/timestamps"},
    ),
    *product(
        "EnMAP L1B",
        enmap(":vnir"),
        ENMAP_NUMBERS,
        {"quality layers": f"{L1B}-QL_QUALITY_CLOUD.TIF", "other metadata": f"the rest of {L1B}-METADATA.XML"},
    ),
    Row(KIND, "EnMAP L1B: no image named", enmap(""), note=f"{L1B}:swir"),
    *product("EnMAP L2A", write_enmap_l2a, ENMAP_NUMBERS, {"other metadata": "METADATA.XML"}),
    *product("DESIS", write_desis, DESIS_NUMBERS, {"other metadata": "METADATA.xml"}),
]  # fmt: skip

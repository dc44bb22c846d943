"""Rows of ENVI pairs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.runtime.images.envi_files import AXES, CUBE, header_text
from tests.runtime.images.matrix import Row
from tests.runtime.images.matrix_geotiff import look, near

LAYS = ("GeoTIFF", "ENVI", "npy")
UTM = "map info = {UTM, 1.000, 1.000, 370000.000, 5810000.000, 30, 30, 33, North, WGS-84, units=Meters}"
TURNED = UTM.replace("units=Meters", "units=Meters, rotation=20.0")
SYSTEM = (
    'coordinate system string = {PROJCS["ETRS_1989_LAEA",GEOGCS["GCS_ETRS_1989",DATUM["D_ETRS_1989",'
    'SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
    'PROJECTION["Lambert_Azimuthal_Equal_Area"],PARAMETER["False_Easting",4321000.0],PARAMETER["False_Northing",'
    '3210000.0],PARAMETER["Central_Meridian",10.0],PARAMETER["Latitude_Of_Origin",52.0],UNIT["Meter",1.0]]}'
)


def write(folder: Path, *texts: str, data: bytes = b"", **changes: Any) -> Path:
    """A pair whose header has these entries besides."""
    interleave = str(changes.get("interleave", "bil"))
    dtype = ">u2" if changes.get("byte_order") else "<u2"
    (folder / "s.img").write_bytes(data + CUBE.transpose(AXES[interleave]).astype(dtype).tobytes())
    (folder / "s.hdr").write_text(header_text(CUBE, **changes) + "".join(f"{text}\n" for text in texts), "utf-8")
    return folder / "s.hdr"


def stands(text: str) -> Callable[[Path], bool]:
    """Whether a restored header has an entry as it stood."""
    return lambda path: f"\n{text}\n" in path.read_bytes().decode()


def row(name: str, text: str, check: Callable[[Any], bool], note: str, before: str = "") -> Row:
    """An entry, perhaps with another that it needs; in a GeoTIFF GDAL judges."""
    texts = (before, text) if before else (text,)
    return Row("ENVI", name, lambda folder: write(folder, *texts), {"ENVI": stands(text), "GeoTIFF": look(check)}, note)


def entry(name: str, text: str, note: str) -> Row:
    """An entry that GDAL knows nothing of; it is in its domain ENVI."""
    key, _, value = text.partition("=")
    tag, value = key.strip().replace(" ", "_"), " ".join(value.split())
    return row(
        name, text, lambda file: file.tags(ns="ENVI").get(tag, "").replace(" ", "") == value.replace(" ", ""), note
    )


def lay(name: str, **changes: Any) -> Row:
    """How samples lie, which is not the image's."""
    return Row("ENVI", name, lambda folder: write(folder, **changes), own=LAYS)


def lost(name: str, make: Callable[[Path], Path], note: str) -> Row:
    """What no output has."""
    return Row("ENVI", name, make, note=note)


def with_file_beside(folder: Path) -> Path:
    """A pair, and what GDAL wrote beside it."""
    (folder / "s.img.aux.xml").write_text("<PAMDataset/>")
    return write(folder)


ROWS = [
    row(
        "map info",
        UTM,
        lambda file: tuple(file.transform)[:6] == (30, 0, 370000, 0, -30, 5810000) and file.crs.to_epsg() == 32633,
        "map info",
    ),
    row(
        "map info, turned",
        TURNED,
        lambda file: near([np.hypot(file.transform.a, file.transform.b)], [30]) and file.transform.b > 10,
        "map info",
    ),
    row(
        "coordinate system string",
        SYSTEM,
        lambda file: file.crs and file.crs.to_epsg() == 3035,
        "coordinate system string",
    ),
    row("data ignore value", "data ignore value = 7", lambda file: file.nodata == 7, "data ignore value"),
    row(
        "band names", "band names = {\n a b, c,\n d}", lambda file: file.descriptions == ("a b", "c", "d"), "band names"
    ),
    row(
        "wavelength",
        "wavelength = {400.5,\n 500,600}",
        lambda file: [file.tags(z)["wavelength"] for z in (1, 2, 3)] == ["400.5", "500", "600"],
        "wavelength",
    ),
    row(
        "fwhm",
        "fwhm = {5,6,7}",
        lambda file: file.tags(1, ns="IMAGERY").get("FWHM_UM") == "0.005",
        "fwhm",
        "wavelength = {400,500,600}\nwavelength units = Nanometers",
    ),
    row(
        "data gain and offset values",
        "data gain values = {2,3,4}",
        lambda file: file.scales == (2, 3, 4),
        "data gain values",
    ),
    row(
        "default bands",
        "default bands = {3,2,1}",
        lambda file: [one.name for one in file.colorinterp] == ["blue", "green", "red"],
        "default bands",
    ),
    entry("description on many lines", "description = {\n  two lines,\n  one text}", "description"),
    entry("other keys", "Sensor Type = Unknown", "sensor type"),
    entry("commas, quotes and braces", 'processing = {{"a, b", 1}, {c = d}}', "processing"),
    entry("text that is not ASCII", "site = Zürich µ", "site"),
    lay("interleave bil", interleave="bil"),
    lay("interleave bip", interleave="bip"),
    lay("interleave bsq", interleave="bsq"),
    lay("byte order", byte_order=1),
    lost(
        "bytes before the samples",
        lambda folder: write(folder, data=bytes(8), header_offset=8),
        "8 bytes before the samples",
    ),
    lost(
        "file type ENVI Classification",
        lambda folder: write(folder, file_type="ENVI Classification"),
        "file type ENVI Classification",
    ),
    lost(
        "file type ENVI Spectral Library",
        lambda folder: write(folder, file_type="ENVI Spectral Library"),
        "file type is ENVI Spectral Library",
    ),
    lost("file compression", lambda folder: write(folder, file_compression=1), "file compression is 1"),
    lost("comments", lambda folder: write(folder, "; taken at noon"), "comments"),
    lost("a key given twice", lambda folder: write(folder, "gain = 1", "gain = 2"), "first values of gain"),
    lost("lines without a key", lambda folder: write(folder, "nothing"), "lines without a key"),
    lost("text that one reader ends elsewhere", lambda folder: write(folder, "odd = a { b"), "exact text of odd"),
    lost("files that GDAL writes beside it", with_file_beside, "s.img.aux.xml"),
]

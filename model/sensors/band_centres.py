"""Wavelengths of a scene's bands: of its header, or the known range of its sensor spread over its bands."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.sensors.curve import FloatArray
from runtime.errors import BadArgument

SENSOR_RANGES = {
    "aviris": (400.0, 2500.0), "hyperion": (426.0, 2395.0), "neon": (381.0, 2510.0), "enmap": (420.0, 2450.0),
    "samson": (401.0, 889.0), "hydice": (400.0, 2500.0), "casi-1500": (375.0, 1050.0), "prisma": (400.0, 2505.0),
    "emit": (381.0, 2493.0), "hypso": (387.0, 801.0),
}  # fmt: skip
"""First and last wavelength, nm, of sensors by the beginning of their names."""
NANOMETRES = {"nanometers": 1.0, "nm": 1.0, "micrometers": 1000.0, "um": 1000.0, "µm": 1000.0, "microns": 1000.0}
MICROMETRES_END = 100.0
"""Numbers without a unit below it are micrometres."""


@dataclass(frozen=True)
class BandCentres:
    """Ascending centres of the bands of a scene that are used."""

    centres: FloatArray
    """Nm, (Z',)."""
    bands: tuple[int, ...]
    """Where they are in the file, (Z',); bands that the header calls bad are left out."""
    spread: bool = False
    """The centres are an even spread over a range, which is an assumption."""


def band_centres(
    path: Path, metadata: dict[str, Any], n_bands: int, sensor: str, spread: tuple[float, float] | None
) -> BandCentres:
    """The centres of a file's bands. Raises BadArgument where the file does not say them, nor anything else."""
    if "wavelength" in metadata:
        return stated(path, metadata, n_bands)
    known = spread or range_of(str(metadata.get("sensor type", ""))) or range_of(sensor)
    if known is None:
        names = ", ".join(SENSOR_RANGES)
        raise BadArgument(f"{path}: no wavelengths, allowed a header with them, sensor type of {names}, or --range")
    centres = np.linspace(*known, n_bands) if n_bands > 1 else np.array([sum(known) / 2])
    return BandCentres(centres, tuple(range(n_bands)), spread=True)


def range_of(sensor: str) -> tuple[float, float] | None:
    """Of a sensor's name; None: not known."""
    name = sensor.strip().lower()
    return next((ends for known, ends in SENSOR_RANGES.items() if name.startswith(known)), None)


def stated(path: Path, metadata: dict[str, Any], n_bands: int) -> BandCentres:
    """What a header says in `wavelength`, `wavelength units` and `bbl`, by which bands are good."""
    centres = numbers(path, "wavelength", metadata["wavelength"], n_bands)
    unit = str(metadata.get("wavelength units", "")).strip().lower()
    if unit in ("", "unknown"):
        factor = 1.0 if centres.max() > MICROMETRES_END else 1000.0
    elif unit in NANOMETRES:
        factor = NANOMETRES[unit]
    else:
        raise BadArgument(f"{path}: wavelength units are {unit[:40]}, allowed {', '.join(NANOMETRES)}")
    good = numbers(path, "bbl", metadata["bbl"], n_bands) > 0 if "bbl" in metadata else centres > 0
    if not (good & (centres > 0)).any():
        raise BadArgument(f"{path}: bbl calls every band bad, allowed a good one")
    bands = np.flatnonzero(good & (centres > 0))
    ascending, places = np.unique(centres[bands] * factor, return_index=True)
    return BandCentres(ascending, tuple(int(band) for band in bands[places]))


def numbers(path: Path, key: str, value: Any, n_bands: int) -> FloatArray:
    """A number of each band. Raises BadArgument."""
    items = value if isinstance(value, list) else [value]
    try:
        found = np.array([float(item) for item in items])
    except (TypeError, ValueError):
        raise BadArgument(f"{path}: {key} has no numbers, allowed one of each band") from None
    if len(found) != n_bands or not np.isfinite(found).all():
        raise BadArgument(f"{path}: {key} has {len(found)} numbers, allowed a finite one for each of {n_bands} bands")
    return found

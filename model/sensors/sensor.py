"""A sensor as a TOML file: detectors with their bands, counts, stripes, faults, line records.

The meaning of every key is here; how they act on a scene is docs/simulation.md.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta

from model.sensors.curve import FloatArray
from model.sensors.detector import Detector
from model.settings import said_settings, set_value
from model.shipped import file_or_shipped, shipped_names
from runtime.checked_table import AtLeast0, checked_table, read_toml
from runtime.errors import BadArgument
from runtime.stream.image_description import LARGEST_BANDS

SHIPPED = Path(__file__).parent
Amount = Annotated[float, Meta(ge=0)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Name = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]+$", description="letters, digits, _ and -")]
SMALLEST_RECORD = 24
Resampling = Literal["nearest", "bilinear"]


@dataclass(frozen=True)
class Counts:
    """How electrons become integers."""

    depth: Annotated[int, Meta(ge=1, le=16)]
    """Bits of a sample."""
    offset: AtLeast0 = 0
    """Counts of a detector element in the dark."""
    saturation: AtLeast0 = 0
    """The highest count, that of a full well; 0: the largest of `depth` bits."""

    def __post_init__(self) -> None:
        """Refuse a saturation outside the bits, or not above the offset."""
        largest = (1 << self.depth) - 1
        if self.saturation > largest:
            raise BadArgument(
                f"saturation: found {self.saturation}, allowed int at most {largest} of depth {self.depth}"
            )
        if self.offset >= self.highest:
            raise BadArgument(f"offset: found {self.offset}, allowed int below the saturation, {self.highest}")

    @property
    def highest(self) -> int:
        """The count at which samples end."""
        return self.saturation or (1 << self.depth) - 1


@dataclass(frozen=True)
class Stripes:
    """Standard deviations, over detector elements, of what is constant or drifts in each of them."""

    gain: Amount = 0.0
    """Of the gain, which is 1 in the mean."""
    offset: Amount = 0.0
    """Counts."""
    gain_drift: Amount = 0.0
    """Of the change of gain in 1000 lines, linear in time."""
    offset_drift: Amount = 0.0
    """Counts in 1000 lines."""


@dataclass(frozen=True)
class Elements:
    """Faulty detector elements, as fractions of all."""

    dead: Fraction = 0.0
    """Always at the offset."""
    hot: Fraction = 0.0
    """Always saturated."""


@dataclass(frozen=True)
class Record:
    """What the instrument says with every line (model/sensors/line_record.py)."""

    bytes: AtLeast0 = 0
    """Length of a record; 0: there are none."""

    def __post_init__(self) -> None:
        """Refuse a record without space for its fields."""
        if 0 < self.bytes < SMALLEST_RECORD:
            raise BadArgument(f"bytes: found {self.bytes}, allowed 0 or int at least {SMALLEST_RECORD}")


@dataclass(frozen=True)
class Grid:
    """A map grid that the scene is laid on, as products of level 2 are."""

    angle: Annotated[float, Meta(ge=-45, le=45)] = 0.0
    """Degrees between the flight direction and the grid's columns; 0: the lines stay as the instrument sees them."""
    resampling: Resampling = "nearest"


@dataclass(frozen=True)
class Sensor:
    """A whole sensor."""

    name: Name
    detectors: Annotated[list[Detector], Meta(min_length=1)]
    """In the order of their bands in the image."""
    counts: Counts
    title: str = ""
    columns: AtLeast0 = 0
    """Of the instrument; information, as is `lines`: a simulation has the sizes of its scene, or those asked for."""
    lines: AtLeast0 = 0
    """Of a usual image; 0: any."""
    lines_per_second: Annotated[float, Meta(gt=0)] = 200.0
    reference: Annotated[float, Meta(gt=0, le=1)] = 0.3
    """Reflectance at which the detectors' `snr` holds."""
    stripes: Stripes = field(default_factory=Stripes)
    elements: Elements = field(default_factory=Elements)
    record: Record = field(default_factory=Record)
    grid: Grid = field(default_factory=Grid)
    sources: dict[str, str] = field(default_factory=dict)
    """Key, as `detectors.snr`, to where its figure is published, or `assumed` and why."""

    def __post_init__(self) -> None:
        """Refuse more bands than a stream holds."""
        if self.n_bands > LARGEST_BANDS:
            raise BadArgument(f"detectors: found {self.n_bands} bands, allowed at most {LARGEST_BANDS}")

    @property
    def n_bands(self) -> int:
        """Of all detectors."""
        return sum(detector.n_bands for detector in self.detectors)

    @functools.cached_property
    def centres(self) -> FloatArray:
        """Of all bands, nm, (Z,)."""
        return np.concatenate([detector.band_centres for detector in self.detectors])

    @functools.cached_property
    def widths(self) -> FloatArray:
        """At half maximum of all bands, nm, (Z,)."""
        return np.concatenate([detector.band_widths for detector in self.detectors])


def load_sensor(path: Path, settings: Sequence[str] = ()) -> Sensor:
    """Read the file at `path`, or the shipped one of that name; settings replace its keys. Raises BadArgument."""
    where = f"sensor {path}"
    values: dict[str, Any] = read_toml(file_or_shipped(path, SHIPPED, where), where)
    for setting in settings:
        set_value(values, setting)
    return checked_table(Sensor, values, where + said_settings(settings))


def shipped_sensors() -> list[str]:
    """Names of the sensors that come with the package."""
    return shipped_names(SHIPPED)

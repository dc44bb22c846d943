"""A detector of a sensor: its bands, its optics, and how many electrons light makes in it."""

import functools
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from msgspec import Meta

from model.sensors.curve import Curve, FloatArray, check_curve, curve_at, points_of
from model.sensors.light import band_light
from runtime.checked_table import shown
from runtime.errors import BadArgument
from runtime.stream.image_description import LARGEST_BANDS

Nanometres = Annotated[float, Meta(ge=100, le=100_000)]
Wavelength = Annotated[float, Meta(ge=0, le=100_000)]


@dataclass(frozen=True)
class Detector:
    """Bands that share optics; figures over wavelength are numbers or lists of [nm, number]."""

    fwhm: Curve
    """Width of the Gaussian response of a band at half its maximum, nm."""
    snr: Curve
    """Signal over noise of the sensor's `reference` reflectance, of one sample."""
    full_well: Curve
    """Electrons that are the highest count."""
    read_noise: Curve = 0.0
    """Standard deviation, electrons."""
    name: str = ""
    centres: list[Nanometres] = field(default_factory=list)
    """Of the bands, nm, in the order of the image; or else `first`, `last`, `bands`, evenly spread."""
    first: Wavelength = 0.0
    last: Wavelength = 0.0
    bands: Annotated[int, Meta(ge=0, le=LARGEST_BANDS)] = 0
    smile: Annotated[float, Meta(ge=-100, le=100)] = 0.0
    """By how many nm the centres at both edges of the field lie beyond those in its middle; a parabola between."""
    keystone: Annotated[float, Meta(ge=-100, le=100)] = 0.0
    """By how many columns more the last band is displaced than the first one, at the edge of the field."""

    def __post_init__(self) -> None:
        """Refuse bands in two ways or none, and a well that the reference fills."""
        spread = (self.first, self.last, self.bands)
        if bool(self.centres) == any(spread):
            raise BadArgument(f"centres: found {shown(self.centres)}, allowed a list, or first, last and bands instead")
        if not self.centres and (min(self.first, self.last) < 100 or self.bands < 1):
            raise BadArgument(
                f"first: found {shown(spread)} with last and bands, allowed nm of at least 100, and bands"
            )
        check_curve("fwhm", self.fwhm, above=0)
        check_curve("snr", self.snr, above=0)
        check_curve("full_well", self.full_well, above=0)
        check_curve("read_noise", self.read_noise)
        full = float((self.reference_electrons - curve_at(self.full_well, self.band_centres)).max())
        if full > 0:
            raise BadArgument(
                f"full_well: {full:.0f} electrons less than the signal that snr asks for, allowed more than that"
            )

    @property
    def n_bands(self) -> int:
        """Of the detector."""
        return len(self.centres) or self.bands

    @functools.cached_property
    def band_centres(self) -> FloatArray:
        """Nm, (Z,)."""
        return np.array(self.centres) if self.centres else np.linspace(self.first, self.last, self.bands)

    @functools.cached_property
    def band_widths(self) -> FloatArray:
        """At half maximum, nm, (Z,)."""
        return curve_at(self.fwhm, self.band_centres)

    @functools.cached_property
    def electrons_per_light(self) -> FloatArray:
        """Electrons of the reference reflectance over its light through the band, (Z,).

        Shot noise is the root of the electrons, so that an SNR and the read noise say how many there are. Between the
        points of `snr` this ratio is linear, not the SNR: absorptions of the air stay dark.
        """
        wavelengths, snr = points_of(self.snr, self.band_centres)
        read_noise = curve_at(self.read_noise, wavelengths)
        electrons = (snr**2 + np.sqrt(snr**4 + 4 * snr**2 * read_noise**2)) / 2
        ratio = electrons / band_light(wavelengths, curve_at(self.fwhm, wavelengths))
        if not isinstance(self.snr, list):
            return ratio
        return np.interp(self.band_centres, wavelengths, ratio)

    @property
    def reference_electrons(self) -> FloatArray:
        """Of the reference reflectance, (Z,)."""
        return self.electrons_per_light * band_light(self.band_centres, self.band_widths)

"""The light that a sensor sees of a surface that reflects all: sun through the absorptions of the air, in photons."""

import numpy as np

from model.sensors.curve import FloatArray
from runtime.images.synthetic import ABSORPTIONS, BLACK_BODY_K

SECOND_RADIATION_CONSTANT = 1.4388e7  # nm K
GAUSS_REACH = 1.5  # of a band's response, in widths at half maximum to each side
GAUSS_POINTS = 61
STEPS = np.linspace(-GAUSS_REACH, GAUSS_REACH, GAUSS_POINTS)  # in widths at half maximum
SHARES = np.exp(-4 * np.log(2) * STEPS**2) / np.exp(-4 * np.log(2) * STEPS**2).sum()
"""Of a Gaussian response at the steps; their sum is 1."""


def light(wavelengths: FloatArray) -> FloatArray:
    """Relative photons at wavelengths in nm, any shape; only ratios mean something."""
    sun = (1000 / wavelengths) ** 4 / np.expm1(SECOND_RADIATION_CONSTANT / (wavelengths * BLACK_BODY_K))
    air = np.ones_like(wavelengths)
    for centre, width, depth in ABSORPTIONS:
        air *= 1 - depth * np.exp(-(((wavelengths - centre) / width) ** 2))
    return np.asarray(sun * air)


def band_light(centres: FloatArray, widths: FloatArray) -> FloatArray:
    """The light through Gaussian responses: centres and widths at half maximum in nm, (n,)."""
    return np.asarray((light(centres[:, None] + widths[:, None] * STEPS) * SHARES).sum(axis=1))

"""Bands of a sensor from bands of a scene: light times reflectance through Gaussian responses, at every column.

Sums are written out band by band, so that every processor rounds them in the same way.
"""

import numpy as np
import numpy.typing as npt

from model.sensors.curve import FloatArray
from model.sensors.field import Floats, smile_shifts
from model.sensors.light import SHARES, STEPS, light
from model.sensors.sensor import Sensor


class Response:
    """Lines of reflectance (Z', X) of a scene to electrons (Z, X) of a sensor, before gain, noise and saturation."""

    def __init__(self, sensor: Sensor, scene_centres: FloatArray, n_columns: int) -> None:
        """scene_centres: ascending, nm, (Z',); reflectance between them is linear, beyond them that of the last."""
        factors_of = [detector.electrons_per_light / sensor.reference for detector in sensor.detectors]
        rows: list[tuple[int, Floats]] = []
        for detector, shifts, factors in zip(
            sensor.detectors, smile_shifts(sensor.detectors, n_columns), factors_of, strict=True
        ):
            for centre, width, factor in zip(detector.band_centres, detector.band_widths, factors, strict=True):
                rows.append(band_weights(scene_centres, centre + shifts, float(width), float(factor)))
        n_terms = max(len(weights) for _, weights in rows)
        self.first = np.array([min(first, len(scene_centres) - n_terms) for first, _ in rows], np.intp)
        n_columns = max(weights.shape[1] for _, weights in rows)  # 1 where no smile tells columns apart
        self.weights = [np.zeros((len(rows), n_columns), np.float32) for _ in range(n_terms)]
        for z, ((first, weights), moved) in enumerate(zip(rows, self.first, strict=True)):
            for k, weight in enumerate(weights):
                self.weights[first - moved + k][z] = weight

    def electrons(self, reflectance: Floats) -> Floats:
        """Electrons (Z, X) of a line (Z', X)."""
        total = self.weights[0] * reflectance[self.first]
        for k, weights in enumerate(self.weights[1:], 1):
            total += weights * reflectance[self.first + k]
        return total


def band_weights(scene_centres: FloatArray, centres: FloatArray, width: float, factor: float) -> tuple[int, Floats]:
    """The first band of the scene that a band sees, and weights (K, X) of it and the following ones.

    centres: of the band at each column, (X,) or (1,). factor: of all weights.
    """
    wavelengths = centres[:, None] + width * STEPS  # (X, G)
    shares = light(wavelengths) * SHARES * factor
    lower, between = neighbours(scene_centres, wavelengths)
    first, last = int(lower.min()), min(int(lower.max()) + 1, len(scene_centres) - 1)
    n_terms = last - first + 1
    row = np.arange(len(centres))[:, None] * n_terms
    weights = np.zeros(len(centres) * n_terms)
    upper = np.minimum(lower + 1, last)
    for index, part in ((lower, shares * (1 - between)), (upper, shares * between)):
        weights += np.bincount((row + index - first).ravel(), part.ravel(), minlength=len(weights))
    return first, weights.reshape(len(centres), n_terms).T.astype(np.float32)


def neighbours(centres: FloatArray, wavelengths: FloatArray) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """The centre below each wavelength, and how far it is to the next one, 0..1."""
    if len(centres) == 1:
        return np.zeros(wavelengths.shape, np.intp), np.zeros(wavelengths.shape)
    lower = np.clip(np.searchsorted(centres, wavelengths, side="right") - 1, 0, len(centres) - 2)
    between = (wavelengths - centres[lower]) / (centres[lower + 1] - centres[lower])
    return lower, np.clip(between, 0.0, 1.0)

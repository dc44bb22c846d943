"""Places in the field of a sensor, as its optics distort them."""

import numpy as np
import numpy.typing as npt

from model.sensors.curve import FloatArray
from model.sensors.detector import Detector

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]


def field_positions(n_columns: int) -> FloatArray:
    """-1 at the first column, 1 at the last, (X,); 0 where there is one."""
    return np.linspace(-1.0, 1.0, n_columns) if n_columns > 1 else np.zeros(1)


def smile_shifts(detectors: list[Detector], n_columns: int) -> list[FloatArray]:
    """By how many nm the bands of each detector look beyond their centres, (X,), or (1,) where it is the same."""
    squares = field_positions(n_columns) ** 2
    return [detector.smile * squares if detector.smile else np.zeros(1) for detector in detectors]


class Keystone:
    """Lines as bands see them that are displaced against each other: linear interpolation between columns."""

    def __init__(self, detectors: list[Detector], n_columns: int) -> None:
        """The middle band of a detector is in place, and the middle of the field in every band."""
        parts = [
            np.linspace(-0.5, 0.5, one.n_bands)[:, None] * one.keystone if one.n_bands > 1 else np.zeros((1, 1))
            for one in detectors
        ]
        places = np.arange(n_columns) + np.concatenate(parts) * field_positions(n_columns)
        places = np.clip(places, 0, n_columns - 1)  # beyond the edge is the edge
        self.lower: Indices = np.floor(places).astype(np.intp)
        self.upper: Indices = np.minimum(self.lower + 1, n_columns - 1)
        self.share: Floats = (places - self.lower).astype(np.float32)
        self.is_none = not self.share.any() and bool((self.lower == np.arange(n_columns)).all())

    def displaced(self, line: Floats) -> Floats:
        """A line (Z, X) through the optics."""
        if self.is_none:
            return line
        lower = np.take_along_axis(line, self.lower, axis=1)
        return lower + (np.take_along_axis(line, self.upper, axis=1) - lower) * self.share

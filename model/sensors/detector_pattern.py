"""What is fixed in every detector element of a sensor: stripes, their drift, dead and hot ones."""

import numpy as np

from model.sensors.field import Floats
from model.sensors.sensor import Sensor

LINES_OF_DRIFT = 1000


class DetectorPattern:
    """Gains, offsets and faults of the elements (Z, X): of one instrument, the same in all of its scenes."""

    def __init__(self, sensor: Sensor, n_columns: int, generator: np.random.Generator) -> None:
        """All that is drawn is drawn in one order, whatever is zero: more stripes do not move the dead elements."""
        shape, stripes = (sensor.n_bands, n_columns), sensor.stripes
        self.gain = 1 + drawn(generator, shape, stripes.gain)
        self.offset = drawn(generator, shape, stripes.offset)
        self.gain_drift = drawn(generator, shape, stripes.gain_drift / LINES_OF_DRIFT)
        self.offset_drift = drawn(generator, shape, stripes.offset_drift / LINES_OF_DRIFT)
        place = generator.random(shape)
        self.is_dead = place < sensor.elements.dead
        self.is_hot = place >= 1 - sensor.elements.hot
        self.drifts = stripes.gain_drift > 0 or stripes.offset_drift > 0

    def gains(self, y: int) -> Floats:
        """Of line y, (Z, X), not negative."""
        return np.maximum(self.gain + self.gain_drift * np.float32(y), 0) if self.drifts else self.gain

    def offsets(self, y: int) -> Floats:
        """Counts of line y beside those of the sensor, (Z, X)."""
        return self.offset + self.offset_drift * np.float32(y) if self.drifts else self.offset


def drawn(generator: np.random.Generator, shape: tuple[int, int], deviation: float) -> Floats:
    """Normal numbers (Z, X) of mean 0."""
    numbers = generator.standard_normal(shape, dtype=np.float32)
    return numbers * np.float32(deviation)

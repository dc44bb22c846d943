"""Electrons to counts: saturation, gain of the elements, shot and read noise, integers."""

import numpy as np
import numpy.typing as npt

from model.sensors.curve import curve_at
from model.sensors.detector_pattern import DetectorPattern
from model.sensors.field import Floats
from model.sensors.sensor import Sensor

Counts = npt.NDArray[np.uint16]


class Exposure:
    """Lines of electrons (Z, X) to lines of counts (Z, X), in the order of time; noise is fresh in each."""

    def __init__(self, sensor: Sensor, pattern: DetectorPattern, generator: np.random.Generator) -> None:
        """generator: of the noise of this scene."""
        wells = [curve_at(one.full_well, one.band_centres) for one in sensor.detectors]
        noises = [curve_at(one.read_noise, one.band_centres) for one in sensor.detectors]
        self.full_well = np.concatenate(wells).astype(np.float32)[:, None]
        self.read_variance = (np.concatenate(noises) ** 2).astype(np.float32)[:, None]
        self.highest, self.dark = sensor.counts.highest, np.float32(sensor.counts.offset)
        self.counts_per_electron = np.float32(self.highest - sensor.counts.offset) / self.full_well
        self.pattern, self.generator = pattern, generator
        self.y = 0

    def counts(self, electrons: Floats) -> Counts:
        """The next line. Shot noise is normal, of the variance that Poisson's has: right from some 20 electrons on."""
        signal = electrons * self.pattern.gains(self.y)
        noise = self.generator.standard_normal(signal.shape, dtype=np.float32)
        noise *= np.sqrt(signal + self.read_variance)
        counts = (signal + noise) * self.counts_per_electron + (self.dark + self.pattern.offsets(self.y))
        counts[self.pattern.is_dead] = self.dark
        counts[self.pattern.is_hot] = self.highest
        self.y += 1
        return np.asarray(np.clip(np.rint(counts), 0, self.highest), np.uint16)

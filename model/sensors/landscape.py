"""A scene as reflectance lines of any number of lines and columns.

A scene that is too short or narrow is continued by its mirror image, again and again. So that no copy is the same, the
brightness and the slope of the spectrum change slowly over the whole: waves in all directions, none of them shorter
than the scene.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from model.sensors.field import Floats, Indices
from model.sensors.scene_source import SceneSource
from runtime.errors import BadArgument

Values = Literal["reflectance", "radiance"]
SAMPLED_LINES = 64
BRIGHT_PERCENTILE, BRIGHT_REFLECTANCE = 99.5, 0.6
MEAN_REFLECTANCE = 0.2
LARGEST_REFLECTANCE = 10.0
N_WAVES = 6
BRIGHTNESS, SLOPE = 0.08, 0.05
"""Standard deviations of the slow changes."""


@dataclass(frozen=True)
class Waves:
    """A slow field of mean 0 and deviation 1: a sum of waves."""

    along: npt.NDArray[np.float64]
    across: npt.NDArray[np.float64]
    phase: npt.NDArray[np.float64]

    @classmethod
    def drawn(cls, generator: np.random.Generator, n_lines: int, n_columns: int) -> "Waves":
        """With periods of 1 to 4 times a scene of that size."""
        angle, phase = generator.uniform(0, 2 * np.pi, (2, N_WAVES))
        period = generator.uniform(1, 4, N_WAVES)
        turn = 2 * np.pi / period
        return cls(turn * np.sin(angle) / n_lines, turn * np.cos(angle) / n_columns, phase)

    def line(self, y: int, n_columns: int) -> Floats:
        """Of line y, (X,)."""
        x = np.arange(n_columns)[:, None]
        waves = np.cos(self.along * y + self.across * x + self.phase)
        return np.asarray(waves.sum(axis=1) / np.sqrt(N_WAVES / 2), np.float32)


class Landscape:
    """Reflectance lines (Z', X) of a scene, its bands by ascending wavelength."""

    def __init__(
        self,
        source: SceneSource,
        values: Values,
        scale: float | None,
        sizes: tuple[int, int],
        generator: np.random.Generator,
    ) -> None:
        """scale: the value that is reflectance 1. sizes: lines and columns. Raises BadArgument."""
        self.samples, self.ignored = source.samples(), source.ignored
        self.bands: Indices = np.array(source.centres.bands, np.intp)
        n_lines, _, n_columns = self.samples.shape
        self.rows, self.columns = mirrored(sizes[0], n_lines), mirrored(sizes[1], n_columns)
        factors = self.factors(source, values, scale)
        self.factors_of_bands: Floats = factors.astype(np.float32)[:, None]
        self.brightness = Waves.drawn(generator, n_lines, n_columns)
        self.slope = Waves.drawn(generator, n_lines, n_columns)
        self.is_continued = sizes[0] > n_lines or sizes[1] > n_columns
        self.ramp: Floats = np.linspace(-1, 1, len(self.bands), dtype=np.float32)[:, None]

    def factors(self, source: SceneSource, values: Values, scale: float | None) -> npt.NDArray[np.float64]:
        """What every band's values are multiplied by to be reflectance, (Z',)."""
        step = max(1, len(self.samples) // SAMPLED_LINES)
        sampled = clean(self.samples[::step][:SAMPLED_LINES][:, self.bands], self.ignored)
        if values == "radiance":
            means = sampled.mean(axis=(0, 2), dtype=np.float64)
            if not means.any():
                raise BadArgument(f"scene {source.name}: no value above 0, allowed some")
            return np.asarray(np.divide(MEAN_REFLECTANCE, means, out=np.zeros_like(means), where=means > 0))
        scale = scale or source.scale_factor
        if scale is None:
            bright = float(np.percentile(sampled, BRIGHT_PERCENTILE)) or float(sampled.max())
            if bright <= 0:
                raise BadArgument(f"scene {source.name}: no value above 0, allowed some")
            scale = bright / BRIGHT_REFLECTANCE
        return np.full(len(self.bands), 1 / scale)

    def line(self, y: int) -> Floats:
        """Line y, (Z', X); what is below 0, no number or no data is 0."""
        stored = np.asarray(self.samples[self.rows[y]])[self.bands]
        reflectance: Floats = np.minimum(clean(stored, self.ignored) * self.factors_of_bands, LARGEST_REFLECTANCE)[
            :, self.columns
        ]
        if not self.is_continued:
            return reflectance
        slope = np.float32(SLOPE) * self.slope.line(y, len(self.columns)) * self.ramp
        brightness = np.float32(BRIGHTNESS) * self.brightness.line(y, len(self.columns))
        return np.asarray(reflectance * (1 + brightness + slope))


def clean(samples: npt.NDArray[Any], ignored: float | None) -> Floats:
    """Numbers as floats, 0 where they are below 0, none, infinite, or say that there are no data."""
    floats = samples.astype(np.float32)
    is_sound = (floats > 0) & np.isfinite(floats)
    if ignored is not None:
        is_sound &= samples != ignored
    return np.where(is_sound, floats, np.float32(0))


def mirrored(n: int, n_scene: int) -> Indices:
    """Places in a scene of `n_scene` that `n` places look at, there and back and there again."""
    place = np.arange(n) % (2 * n_scene)
    return np.minimum(place, 2 * n_scene - 1 - place).astype(np.intp)

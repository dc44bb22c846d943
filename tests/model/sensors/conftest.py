"""Sensors and scenes that tests simulate, small and smooth."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from model.sensors.scene_source import SceneSource, scene_sources
from model.sensors.sensor import Sensor
from model.sensors.simulated_scene import SimulatedLines, Simulation
from runtime.checked_table import checked_table

PERCENT = 100.0
"""The value that is reflectance 1 in scenes of these tests."""
DETECTOR = {"first": 500.0, "last": 700.0, "bands": 5, "fwhm": 8.0, "snr": 200.0, "full_well": 200_000.0}


def sensor_of(detector: dict[str, Any] | None = None, **tables: Any) -> Sensor:
    """A sensor of one detector with changes."""
    values = {"name": "test", "detectors": [DETECTOR | (detector or {})], "counts": {"depth": 14, "offset": 1000}}
    return checked_table(Sensor, values | tables, "sensor test")


@pytest.fixture
def source_of(tmp_path: Path) -> Callable[..., SceneSource]:
    """A scene on disk of samples (Y, Z, X) over a range in nm."""

    def write(
        samples: npt.NDArray[Any], spread: tuple[float, float] = (400.0, 800.0), name: str = "scene"
    ) -> SceneSource:
        np.save(tmp_path / f"{name}.npy", samples)
        return scene_sources([tmp_path / f"{name}.npy"], spread)[0]

    return write


def counts_of(sensor: Sensor, source: SceneSource, **options: Any) -> npt.NDArray[np.float64]:
    """All counts (Y, Z, X) of a simulated scene, without a file."""
    lines = SimulatedLines(Simulation(sensor, **{"scale": PERCENT, **options}), source)
    return np.stack([counts for _, counts in lines]).astype(np.float64)


def flat(reflectance: float, shape: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """A scene (Y, Z, X) of one reflectance."""
    return np.full(shape, reflectance * PERCENT, np.float32)

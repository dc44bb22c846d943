"""Spectral response, smile and keystone do to a scene what their numbers say."""

from collections.abc import Callable

import numpy as np
import pytest

from model.sensors.detector import Detector
from model.sensors.field import Keystone
from model.sensors.light import band_light, light
from model.sensors.response import Response, neighbours
from model.sensors.scene_source import SceneSource
from model.sensors.sensor import Sensor
from tests.model.sensors.conftest import PERCENT, counts_of, sensor_of

SourceOf = Callable[..., SceneSource]
FINE = np.arange(500.0, 701.0)
QUIET = {"snr": 2e4, "full_well": 4e9}


def narrow_line(at: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Reflectance (Z',) with an absorption of 4 nm."""
    return np.float32(PERCENT) * (0.5 - 0.4 * np.exp(-(((FINE - at) / 4) ** 2))).astype(np.float32)


def places_of_line(
    sensor: Sensor, counts: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Where the absorption is in every column by the nominal centres, nm, (X,)."""
    spectrum = counts.mean(axis=0) / light(sensor.centres)[:, None]
    depth = spectrum.max(axis=0) - spectrum
    depth = np.maximum(depth - 0.3 * depth.max(axis=0), 0)
    return np.asarray((depth * sensor.centres[:, None]).sum(axis=0) / depth.sum(axis=0))


@pytest.mark.parametrize("smile", [0.0, 3.0, -2.0])
def test_smile_moves_a_narrow_line_by_what_was_asked(smile: float, source_of: SourceOf) -> None:
    detector = {"first": 570.0, "last": 630.0, "bands": 61, "fwhm": 6.0, "smile": smile, **QUIET}
    sensor = sensor_of(detector, counts={"depth": 16})
    samples = np.broadcast_to(narrow_line(600.0)[None, :, None], (4, len(FINE), 41))
    places = places_of_line(sensor, counts_of(sensor, source_of(samples, (500.0, 700.0))))
    field = np.linspace(-1, 1, 41)
    assert places[20] == pytest.approx(600, abs=0.1)
    assert places[20] - places == pytest.approx(smile * field**2, abs=0.12)  # centres move up, the line down


def test_a_band_is_as_wide_as_asked(source_of: SourceOf) -> None:
    samples = np.zeros((1, len(FINE), 1), np.float32)
    samples[0, 100] = PERCENT  # all light at 600 nm, 1 nm wide
    sensor = sensor_of(
        {"first": 580.0, "last": 620.0, "bands": 81, "fwhm": 10.0, "snr": 1e5, "full_well": 1e11}, counts={"depth": 16}
    )
    response = Response(sensor, FINE, 1).electrons(samples[0])[:, 0]
    expected = np.exp(-4 * np.log(2) * ((sensor.centres - 600) / 10) ** 2)
    assert response / response.max() == pytest.approx(expected, abs=0.01)


def test_a_flat_scene_gives_the_reference_electrons_at_any_sampling() -> None:
    sensor = sensor_of({"bands": 7})
    detector = sensor.detectors[0]
    assert detector.reference_electrons == pytest.approx(np.full(7, 200.0**2))
    for n in (1, 2, 9, 401):
        centres = np.linspace(400, 800, n)
        electrons = Response(sensor, centres, 3).electrons(np.full((n, 3), 0.3, np.float32))
        assert electrons == pytest.approx(np.full((7, 3), 200.0**2), rel=1e-5)


def test_absorptions_of_the_air_are_darker_than_the_bands_around_them() -> None:
    sensor = sensor_of({"first": 1200.0, "last": 1560.0, "bands": 37, "snr": [[1250.0, 200.0]]})
    electrons = sensor.detectors[0].reference_electrons
    assert electrons[sensor.centres == 1380] < 0.3 * electrons[sensor.centres == 1250]


def test_beyond_a_scene_its_last_band_is_seen() -> None:
    lower, between = neighbours(np.array([500.0, 600.0]), np.array([100.0, 500.0, 550.0, 600.0, 900.0]))
    assert (lower + between).tolist() == [0, 0, 0.5, 1, 1]


@pytest.mark.parametrize("keystone", [0.0, 0.8, -3.0])
def test_keystone_moves_the_last_band_against_the_first(keystone: float, source_of: SourceOf) -> None:
    x = np.arange(81.0)
    bump = 30 + 60 * np.exp(-(((x - 70) / 3) ** 2))
    samples = np.broadcast_to(bump[None, None, :], (4, 9, 81)).astype(np.float32)
    sensor = sensor_of({"keystone": keystone, **QUIET}, counts={"depth": 16})
    counts = counts_of(sensor, source_of(samples)).mean(axis=0)
    weight = counts - np.median(counts, axis=1, keepdims=True)
    weight[:, :58] = 0
    places = (weight * x).sum(axis=1) / weight.sum(axis=1)
    displaced = keystone * np.linspace(-0.5, 0.5, 5) * (70 - 40) / 40
    assert 70 - places == pytest.approx(displaced, abs=0.05 + 0.03 * abs(keystone))


def test_every_detector_has_a_keystone_of_its_own_and_one_band_none() -> None:
    one = Detector(fwhm=5.0, snr=10.0, full_well=1e6, centres=[500.0], keystone=4.0)
    two = Detector(fwhm=5.0, snr=10.0, full_well=1e6, centres=[600.0, 610.0], keystone=4.0)
    line = np.arange(27, dtype=np.float32).reshape(3, 9)
    found = Keystone([one, two], 9).displaced(line)
    assert (found[0] == line[0]).all()
    assert found[1, 8] == line[1, 6] and found[2, 0] == line[2, 0] + 0  # beyond the edge is the edge
    assert found[:, 4].tolist() == line[:, 4].tolist()  # the middle of the field is in place


def test_light_through_a_narrow_band_is_the_light_there() -> None:
    centres = np.array([500.0, 762.0, 1380.0, 2200.0])
    assert band_light(centres, np.full(4, 0.01)) == pytest.approx(light(centres))

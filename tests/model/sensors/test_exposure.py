"""Noise, stripes, drift, faults and saturation that a sensor asks for are measured back."""

from collections.abc import Callable

import numpy as np
import pytest

from model.sensors.scene_source import SceneSource
from tests.model.sensors.conftest import PERCENT, counts_of, flat, sensor_of

SourceOf = Callable[..., SceneSource]
SIGMAS = 5.0
ROUNDING = 1 / 12  # variance of rounding to an integer, counts squared


def tolerance(n: int) -> float:
    """Relative error of a standard deviation of n normal numbers, which is 1 / sqrt(2 n), five times."""
    return float(SIGMAS / np.sqrt(2 * n))


@pytest.mark.parametrize("read_noise", [0.0, 150.0])
def test_the_signal_to_noise_ratio_of_every_band_is_that_asked_for(read_noise: float, source_of: SourceOf) -> None:
    asked = [150.0, 200.0, 250.0, 200.0, 120.0]
    centres = [500.0, 550.0, 600.0, 650.0, 700.0]
    snr = [[centre, one] for centre, one in zip(centres, asked, strict=True)]
    sensor = sensor_of({"snr": snr, "read_noise": read_noise})
    counts = counts_of(sensor, source_of(flat(0.3, (100, 9, 100))))
    for z, expected in enumerate(asked):
        noise = np.sqrt(counts[:, z].var() - ROUNDING)
        measured = (counts[:, z].mean() - 1000) / noise
        assert measured == pytest.approx(expected, rel=tolerance(10_000))


def test_noise_is_shot_noise(source_of: SourceOf) -> None:
    sensor = sensor_of()
    dark, bright = (counts_of(sensor, source_of(flat(one, (100, 9, 100)))) for one in (0.1, 0.4))
    ratio = (bright.var(axis=(0, 2)) - ROUNDING) / (dark.var(axis=(0, 2)) - ROUNDING)
    assert ratio == pytest.approx(4, rel=2 * np.sqrt(2) * tolerance(10_000))


def test_noise_of_one_sample_says_nothing_of_its_neighbours(source_of: SourceOf) -> None:
    counts = counts_of(sensor_of(), source_of(flat(0.3, (100, 9, 100))))
    noise = counts - counts.mean(axis=(0, 2), keepdims=True)
    for one, other in ((noise[:-1], noise[1:]), (noise[:, :-1], noise[:, 1:]), (noise[..., :-1], noise[..., 1:])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < SIGMAS / np.sqrt(one.size)


def test_read_noise_is_that_of_the_dark(source_of: SourceOf) -> None:
    counts = counts_of(sensor_of({"read_noise": 150.0}), source_of(flat(0, (100, 9, 100))))
    electrons = np.sqrt(counts.var() - ROUNDING) / ((2**14 - 1 - 1000) / 200_000)
    assert electrons == pytest.approx(150, rel=tolerance(50_000))
    assert counts.mean() == pytest.approx(1000, abs=0.2)


def test_stripes_of_offset(source_of: SourceOf) -> None:
    counts = counts_of(sensor_of(stripes={"offset": 20.0}), source_of(flat(0, (20, 9, 1000))))
    assert (counts == counts[0]).all()  # no light, no noise: the stripes alone
    assert counts[0].std() == pytest.approx(20, rel=tolerance(5000))


def test_stripes_of_gain(source_of: SourceOf) -> None:
    counts = counts_of(sensor_of(stripes={"gain": 0.05}), source_of(flat(0.3, (200, 9, 400)))) - 1000
    relative = counts.mean(axis=0) / counts.mean(axis=(0, 2))[:, None]
    noise = 1 / 200 / np.sqrt(200)  # of the mean of 200 lines at a ratio of 200
    assert np.sqrt(relative.var() - noise**2) == pytest.approx(0.05, rel=tolerance(2000))


def test_stripes_drift(source_of: SourceOf) -> None:
    sensor = sensor_of(stripes={"offset_drift": 100.0})
    counts = counts_of(sensor, source_of(flat(0, (1, 9, 400))), n_lines=2001)
    assert (counts[1000] - counts[0]).std() == pytest.approx(100, rel=tolerance(2000))
    assert (counts[2000] - counts[0]).std() == pytest.approx(200, rel=tolerance(2000))
    middle = (counts[2000] + counts[0]) / 2
    assert np.abs(counts[1000] - middle).max() <= 1  # rounding of three


def test_gain_drifts(source_of: SourceOf) -> None:
    quiet = {"snr": 1e4, "full_well": 1e9}
    sensor = sensor_of(quiet, stripes={"gain_drift": 0.1}, counts={"depth": 16})
    counts = counts_of(sensor, source_of(flat(0.3, (1001, 9, 400))))
    assert (counts[1000] / counts[0]).std() == pytest.approx(0.1, rel=tolerance(2000))
    assert (counts[500] / counts[0]).std() == pytest.approx(0.05, rel=tolerance(2000))


def test_saturation_is_where_and_as_high_as_asked(source_of: SourceOf) -> None:
    samples = flat(0.2, (40, 9, 100))
    samples[:, :, 30:] = 9 * PERCENT
    counts = counts_of(sensor_of(counts={"depth": 12, "offset": 100, "saturation": 3000}), source_of(samples))
    assert counts.max() == 3000
    assert (counts == 3000).mean() == 0.7
    assert counts[:, :, :30].max() < 3000
    assert counts_of(sensor_of(counts={"depth": 12}), source_of(samples)).max() == 4095


def test_a_full_well_is_the_highest_count(source_of: SourceOf) -> None:
    sensor = sensor_of({"snr": 200.0, "full_well": 80_000.0}, counts={"depth": 14})
    counts = counts_of(sensor, source_of(flat(0.3, (50, 9, 50))))
    assert counts.mean() == pytest.approx(2**14 * 0.5, rel=0.01)  # 200 squared is 40,000 electrons


def test_faulty_elements_are_constant(source_of: SourceOf) -> None:
    generator = np.random.default_rng(0)
    samples = generator.uniform(10, 60, (50, 9, 1000)).astype(np.float32)
    sensor = sensor_of({"read_noise": 50.0}, elements={"dead": 0.05, "hot": 0.02}, stripes={"offset": 3.0})
    counts = counts_of(sensor, source_of(samples))
    is_constant = (counts == counts[0]).all(axis=0)
    dead, hot = counts[0] == 1000, counts[0] == 2**14 - 1
    for found, asked in ((is_constant & dead, 0.05), (is_constant & hot, 0.02)):
        assert found.mean() == pytest.approx(asked, abs=SIGMAS * np.sqrt(asked * (1 - asked) / 5000))
    assert (is_constant == (is_constant & (dead | hot))).all()

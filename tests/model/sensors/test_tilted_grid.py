"""A scene on a tilted grid keeps its samples, and has stripes that run obliquely."""

import numpy as np
import pytest

from model.sensors.sensor import Grid, Resampling
from model.sensors.tilted_grid import NO_DATA, grid_sizes, gridded_lines


def gridded(raw: np.ndarray[tuple[int, ...], np.dtype[np.uint16]], angle: float, resampling: Resampling = "nearest"):  # type: ignore[no-untyped-def]
    return np.stack(list(gridded_lines(raw, Grid(angle, resampling))))


@pytest.mark.parametrize("resampling", ["nearest", "bilinear"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 3, 1), (1, 3, 7), (6, 2, 9)])
def test_no_angle_changes_nothing(shape: tuple[int, int, int], resampling: Resampling) -> None:
    raw = np.random.default_rng(0).integers(1, 60_000, shape).astype(np.uint16)
    assert (gridded(raw, 0.0, resampling) == raw).all()


@pytest.mark.parametrize("angle", [12.0, -12.0, 45.0])
def test_nearest_samples_are_samples_and_all_is_inside(angle: float) -> None:
    raw = np.arange(1, 1 + 40 * 30, dtype=np.uint16).reshape(40, 1, 30)
    found = gridded(raw, angle)
    assert found.shape[::2] == grid_sizes(Grid(angle), 40, 30)
    inside = found[found != NO_DATA]
    assert inside.size == pytest.approx(raw.size, rel=0.05)
    assert np.isin(inside, raw).all()
    assert np.unique(inside).size > 0.75 * raw.size


def test_stripes_run_at_the_angle() -> None:
    raw = np.zeros((60, 1, 61), np.uint16)
    raw[:, :, 30] = 1000
    found = gridded(raw, 10.0, "bilinear")[:, 0].astype(float)
    rows = [y for y in range(len(found)) if found[y].max() > 400]
    places = [(found[y] * np.arange(found.shape[1])).sum() / found[y].sum() for y in rows]
    slope = np.polyfit(rows, places, 1)[0]
    assert np.rad2deg(np.arctan(abs(slope))) == pytest.approx(10, abs=0.7)


def test_a_dark_sample_is_not_taken_for_none() -> None:
    assert (gridded(np.zeros((4, 2, 4), np.uint16), 0.0) == 1).all()

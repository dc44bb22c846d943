"""Clause 4.11: every residual has its own mapped index, small ones have small indices, parity decides the sign."""

import numpy as np
import pytest

from runtime.kernels.in_loop import index_depth
from runtime.kernels.mapping import map_samples, unmap_samples

RANGES = [(0, 255), (-128, 127), (0, 9), (-3, 0), (5, 5)]


@pytest.mark.parametrize(("smallest", "largest"), RANGES)
def test_all_samples_and_predictions_of_a_range(smallest: int, largest: int) -> None:
    doubled, samples = np.meshgrid(
        np.arange(2 * smallest, 2 * largest + 2), np.arange(smallest, largest + 1), indexing="ij"
    )
    mapped, restored = np.empty_like(samples), np.empty_like(samples)
    map_samples(samples, doubled, 0, smallest, largest, mapped)
    assert unmap_samples(mapped, doubled, 0, smallest, largest, restored)
    np.testing.assert_array_equal(restored, samples)
    # a permutation of 0..largest - smallest for each prediction: nothing is wasted
    np.testing.assert_array_equal(np.sort(mapped, axis=1), samples - smallest)
    # the magnitude order is kept, so that Golomb codes fit
    residual = np.abs(samples - (doubled >> 1))
    for row_mapped, row_residual in zip(mapped, residual, strict=True):
        assert (np.diff(row_residual[np.argsort(row_mapped)]) >= 0).all()


@pytest.mark.parametrize("error", [1, 2, 7, 127, 300])
@pytest.mark.parametrize(("smallest", "largest"), RANGES)
def test_all_samples_come_back_within_the_error(smallest: int, largest: int, error: int) -> None:
    doubled, samples = np.meshgrid(
        np.arange(2 * smallest, 2 * largest + 2), np.arange(smallest, largest + 1), indexing="ij"
    )
    mapped, restored = np.empty_like(samples), np.empty_like(samples)
    map_samples(samples, doubled, error, smallest, largest, mapped)
    assert unmap_samples(mapped, doubled, error, smallest, largest, restored)
    assert np.abs(restored - samples).max() <= error
    assert smallest <= restored.min() <= restored.max() <= largest
    assert 0 <= mapped.min() <= mapped.max() < 1 << index_depth(smallest, largest, error)
    for row in mapped:  # every index up to the largest is used: nothing is wasted
        assert sorted(set(row.tolist())) == list(range(row.max() + 1))


def test_parity_of_the_double_resolution_prediction_decides_the_sign() -> None:
    samples = np.array([9, 10, 11])
    mapped = np.empty_like(samples)
    map_samples(samples, np.array([20, 20, 20]), 0, 0, 255, mapped)  # even: the true prediction lies below 10
    assert mapped.tolist() == [1, 0, 2]
    map_samples(samples, np.array([21, 21, 21]), 0, 0, 255, mapped)  # odd: it lies above
    assert mapped.tolist() == [2, 0, 1]


def test_an_impossible_index_is_noticed() -> None:
    out = np.empty(1, np.int64)
    assert not unmap_samples(np.array([256]), np.array([20]), 0, 0, 255, out)
    assert not unmap_samples(np.array([2**40]), np.array([20]), 0, 0, 255, out)
    assert unmap_samples(np.array([255]), np.array([20]), 0, 0, 255, out)
    assert not unmap_samples(np.array([52]), np.array([20]), 2, 0, 255, out)
    assert unmap_samples(np.array([51]), np.array([20]), 2, 0, 255, out)

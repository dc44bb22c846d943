"""Bit depth, prequantisation, normalisation, the integer base, the checksum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from runtime.cell.integer_base import Base, base_samples, doubled_predictions
from runtime.errors import BadArgument
from runtime.float_network.normalise import from_first_line, normalised
from runtime.kernels.in_loop import index_depth
from runtime.prediction.prequantise import Quantiser
from runtime.stream.crc32c import crc32c
from runtime.stream.depth import bit_depth, sample_range


def test_crc32c_of_the_check_string() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"6789", crc32c(b"12345")) == 0xE3069283
    assert crc32c(b"") == 0


@given(st.integers(-(1 << 15), (1 << 16) - 1), st.integers(-(1 << 15), (1 << 16) - 1))
def test_bit_depth_is_the_smallest_that_holds_the_samples(one: int, other: int) -> None:
    lowest, highest = min(one, other), max(one, other)
    if lowest < 0 and highest >= 1 << 15:
        with pytest.raises(BadArgument, match="17 bits; allowed at most 16"):
            bit_depth(lowest, highest)
        return
    depth = bit_depth(lowest, highest)
    smallest, largest = sample_range(depth, is_signed=lowest < 0)
    assert smallest <= lowest
    assert highest <= largest
    if depth > 8:
        smaller = sample_range(depth - 1, is_signed=lowest < 0)
        assert lowest < smaller[0] or highest > smaller[1]


@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize(("depth", "max_error"), [(8, 0), (8, 1), (8, 127), (12, 3), (16, 7), (16, 32767)])
def test_every_sample_comes_back_within_the_error(depth: int, max_error: int, is_signed: bool) -> None:
    quantise = Quantiser(max_error, *sample_range(depth, is_signed=is_signed))
    samples = np.arange(quantise.smallest, quantise.largest + 1)
    indices = quantise.quantised(samples)
    restored = quantise.reconstructed(indices)
    assert np.abs(restored - samples).max() <= max_error
    assert (indices.min(), indices.max()) == quantise.index_range
    assert restored.min() >= quantise.smallest
    assert restored.max() <= quantise.largest
    assert indices.max() - indices.min() < 1 << index_depth(*quantise.index_range, max_error=0)


@given(arrays(np.int32, (3, 5), elements=st.integers(-(1 << 15), (1 << 16) - 1)))
def test_normalisation_of_a_first_line(line: np.ndarray) -> None:
    statistics = from_first_line(line)
    exact = line.mean(axis=1)
    assert (np.abs(statistics.mean - exact) <= 0.5).all()
    assert (statistics.scale >= 1).all()
    result = normalised(line, statistics)
    assert result.dtype == np.float32
    expected = (line - statistics.mean[:, None]) / statistics.scale[:, None].astype(np.float64)
    np.testing.assert_array_equal(result, expected.astype(np.float32))


def test_bases() -> None:
    line_before, band_before, corner = np.array([[10, 20]]), np.array([[7, 7]]), np.array([[5, 9]])
    mean = np.array([[4]])
    assert base_samples(Base.MEAN, line_before, band_before, corner, mean).tolist() == [[4, 4]]
    assert base_samples(Base.LINE, line_before, band_before, corner, mean).tolist() == [[10, 20]]
    assert base_samples(Base.SPECTRAL, line_before, band_before, corner, mean).tolist() == [[12, 18]]


@given(
    arrays(np.float32, (2, 4), elements=st.floats(width=32, allow_nan=True, allow_infinity=True)),
    arrays(np.int32, (2, 4), elements=st.integers(-(1 << 17), 1 << 17)),
    arrays(np.int32, 2, elements=st.integers(1, 1 << 17)),
)
def test_a_prediction_is_rounded_to_nearest_and_stays_in_range(
    correction: np.ndarray, base: np.ndarray, scale: np.ndarray
) -> None:
    smallest, largest = -2048, 2047
    doubled = np.empty((2, 4), np.int32)
    doubled_predictions(correction, base, scale, smallest, largest, doubled)
    predicted = doubled >> 1
    assert predicted.min() >= smallest
    assert predicted.max() <= largest
    change = np.nan_to_num(correction.astype(np.float64), nan=0.0, posinf=1e30, neginf=-1e30) * scale[:, None]
    moved = (predicted - base).astype(np.float64)  # compared without the base: a float sum of both would round
    inside = (predicted > smallest) & (predicted < largest)
    assert (np.abs(moved - change)[inside] <= 0.5).all()
    np.testing.assert_array_equal((doubled & 1)[inside] == 1, (change >= moved)[inside])

"""The host side of int8-v1: the kernels equal the reference, for any samples and shapes."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.cell.flight_inputs import (
    BAND_FEATURES,
    LARGEST_TAP,
    LINE_FEATURES,
    TAPS,
    HostState,
    fill_band_features,
    fill_differences,
    fill_line_features,
    filtered,
    first_state,
    next_state,
)
from runtime.cell.flight_statistics import COUNT, FIRST_CANDIDATE, N_BEFORE, N_CANDIDATES
from tests.reference import flight_inputs as reference

Cube = npt.NDArray[np.int32]


def cube(kind: str, shape: tuple[int, int, int], seed: int) -> Cube:
    """Samples (Y, Z, X) of a kind."""
    generator = np.random.default_rng(seed)
    if kind == "constant":
        return np.full(shape, -32768, np.int32)
    if kind == "extremes":
        return generator.choice([0, 65535], shape).astype(np.int32)
    if kind == "signed extremes":
        return np.broadcast_to(np.where(np.arange(shape[0])[:, None, None] % 2, 32767, -32768), shape).astype(np.int32)
    drift = generator.normal(0, 1, shape).cumsum(0).cumsum(1) * generator.choice([0.1, 3, 200])
    samples: Cube = np.clip(np.rint(3000 + drift + generator.normal(0, 4, shape)), 0, 65535).astype(np.int32)
    return samples


KINDS = ("drift", "constant", "extremes", "signed extremes")


def same_state(state: HostState, host: reference.Host) -> None:
    np.testing.assert_array_equal(state.line_1, host.line_1)
    np.testing.assert_array_equal(state.line_2, host.line_2)
    np.testing.assert_array_equal(state.slow, np.stack(host.slow))
    np.testing.assert_array_equal(state.sums[:, : N_BEFORE + 1], host.products)
    np.testing.assert_array_equal(state.sums[:, FIRST_CANDIDATE : FIRST_CANDIDATE + N_CANDIDATES], host.errors)
    np.testing.assert_array_equal(state.sums[:, COUNT], host.n_counted)
    for found, expected in zip(state.constants, (host.gains, host.shifts, host.units, host.fixed), strict=True):
        np.testing.assert_array_equal(found, expected)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    shape=st.tuples(st.integers(1, 12), st.integers(1, 10), st.integers(1, 9)),
    seed=st.integers(0, 1000),
)
def test_kernels_equal_the_reference(kind: str, shape: tuple[int, int, int], seed: int) -> None:
    samples = cube(kind, shape, seed)
    generator = np.random.default_rng(seed)
    state, host = first_state(samples[0]), reference.first_host(samples[0].astype(np.int64))
    same_state(state, host)
    smallest, largest = (-32768, 32767) if samples.min() < 0 else (0, 65535)
    for line in samples[1:]:
        wide = line.astype(np.int64)
        lines, bands = reference.line_features(host), reference.band_features(wide, host)
        expected = reference.differences(wide, host)
        taps = generator.integers(-LARGEST_TAP, LARGEST_TAP + 1, (*line.shape, TAPS)).astype(np.int16)
        doubled = reference.doubled(taps, wide, host, smallest, largest)
        for z in range(len(line)):
            known = line.copy()
            known[z:] = -1  # not decoded yet: no kernel may look there
            out_lines = np.empty((line.shape[1], LINE_FEATURES), np.int8)
            out_bands = np.empty((line.shape[1], BAND_FEATURES), np.int8)
            out_differences = np.empty((line.shape[1], TAPS), np.int32)
            out_doubled = np.empty(line.shape[1], np.int32)
            fill_line_features(z, state.arrays, out_lines)
            fill_band_features(z, known, state.arrays, out_bands)
            fill_differences(z, known, state.arrays, out_differences)
            filtered(taps[z], out_differences, state.line_1[z], smallest, largest, out_doubled)
            np.testing.assert_array_equal(out_lines, lines[z])
            np.testing.assert_array_equal(out_bands, bands[z])
            np.testing.assert_array_equal(out_differences, expected[z])
            np.testing.assert_array_equal(out_doubled, doubled[z])
        state, host = next_state(line, state), reference.next_host(wide, host)
        same_state(state, host)


@pytest.mark.parametrize("kind", KINDS)
def test_sums_stay_inside_int64_over_many_lines(kind: str) -> None:
    samples = cube(kind, (2, 4, 8), 0)
    state = first_state(samples[0])
    for y in range(5000):
        state = next_state(samples[y % 2], state)
    largest = 32 * 8 * 65535**2  # 1/32 is forgotten at each line, so a sum holds 32 lines at most
    assert np.abs(state.sums).max() <= largest
    assert np.abs(state.constants.features).max() <= 127

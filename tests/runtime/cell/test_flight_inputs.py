"""The host side of int8-v2: the kernels equal the reference, for any samples and shapes."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.cell.flight_inputs import (
    BAND_FEATURES,
    LARGEST_TAP,
    LEVELS,
    LINE_FEATURES,
    TAPS,
    HostState,
    fill_band_features,
    fill_differences,
    fill_groups,
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
            out_differences = np.empty((TAPS, line.shape[1]), np.int32)
            out_doubled = np.empty(line.shape[1], np.int32)
            fill_line_features(z, state.arrays, out_lines)
            fill_band_features(z, known, state.arrays, out_bands)
            fill_differences(z, known, state.arrays, out_differences)
            filtered(taps[z].T, out_differences, state.line_1[z], smallest, largest, out_doubled)
            np.testing.assert_array_equal(out_lines, lines[z, :, :LINE_FEATURES])
            np.testing.assert_array_equal(out_bands, bands[z])
            np.testing.assert_array_equal(out_differences.T, expected[z])
            np.testing.assert_array_equal(out_doubled, doubled[z])
        state, host = next_state(line, state), reference.next_host(wide, host)
        same_state(state, host)


def groups_of(bands: npt.NDArray[np.int64], group: int) -> npt.NDArray[np.int64]:
    """(Z, X, n) to (N, X, G n), one group after the other."""
    n_bands, n_columns, n = bands.shape
    found = np.zeros((-(-n_bands // group), n_columns, group * n), np.int64)
    for z in range(n_bands):
        found[z // group, :, z % group * n : (z % group + 1) * n] = bands[z]
    return found


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 10), st.integers(1, 9)),
    group=st.integers(1, 16),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_groups_equal_the_reference_in_any_tile(
    kind: str, shape: tuple[int, int, int], group: int, seed: int, data: st.DataObject
) -> None:
    state, host = states_after(cube(kind, shape, seed))
    expected = reference.line_features(host)
    features, levels = groups_of(expected[..., :LINE_FEATURES], group), groups_of(expected[..., LINE_FEATURES:], group)
    first = data.draw(st.integers(0, len(features) - 1))
    stop = data.draw(st.integers(first + 1, len(features)))
    out_features = np.full((stop - first, shape[2], group * LINE_FEATURES), 99, np.int8)
    out_levels = np.full((stop - first, 1, group * LEVELS), 99, np.int8)
    fill_groups(first, state.arrays, out_features, out_levels)
    np.testing.assert_array_equal(out_features, features[first:stop])
    np.testing.assert_array_equal(np.broadcast_to(out_levels, levels[first:stop].shape), levels[first:stop])


def states_after(samples: Cube) -> tuple[HostState, reference.Host]:
    """After all lines, of the kernels and of the reference."""
    state, host = first_state(samples[0]), reference.first_host(samples[0].astype(np.int64))
    for line in samples[1:]:
        state, host = next_state(line, state), reference.next_host(line.astype(np.int64), host)
    return state, host


@pytest.mark.parametrize("kind", KINDS)
def test_sums_stay_inside_int64_over_many_lines(kind: str) -> None:
    samples = cube(kind, (2, 4, 8), 0)
    state = first_state(samples[0])
    for y in range(5000):
        state = next_state(samples[y % 2], state)
    largest = 32 * 8 * 65535**2  # 1/32 is forgotten at each line, so a sum holds 32 lines at most
    assert np.abs(state.sums).max() <= largest
    assert np.abs(state.constants.features).max() <= 127

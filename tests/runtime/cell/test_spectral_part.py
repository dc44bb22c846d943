"""The spectral part: its kernel equals the int64 reference for any weights, sizes and inputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.cell.flight_inputs import BAND_FEATURES, TAPS
from runtime.cell.integer_cell import CellShape
from runtime.cell.spectral_part import spectral_field, spectral_part, spectral_taps
from tests.reference import int8_cell
from tests.reference.random_cell import random_cell


@settings(max_examples=60, deadline=None)
@given(
    group=st.integers(1, 16),
    n_features=st.integers(4, 20),
    n_convolutions=st.integers(0, 3),
    n_bands=st.integers(1, 9),
    n_columns=st.integers(1, 40),
    largest=st.sampled_from([1, 63, 127]),
    is_extreme=st.booleans(),
    seed=st.integers(0, 1 << 20),
)
def test_the_kernel_equals_the_reference(
    group: int, n_features: int, n_convolutions: int, n_bands: int, n_columns: int, largest: int, is_extreme: bool,
    seed: int,
) -> None:  # fmt: skip
    cell = random_cell(CellShape(group, 4, 1, 1, n_features, n_convolutions), seed, largest)
    generator = np.random.default_rng(seed)
    values = np.array([-127, 127]) if is_extreme else np.arange(-127, 128)
    contexts = generator.choice(values, (cell.shape.groups(n_bands), n_columns, group * n_features)).astype(np.int8)
    features = generator.choice(values, (n_bands, n_columns, BAND_FEATURES)).astype(np.int8)
    wanted = int8_cell.spectral_part(cell, contexts.astype(np.int64), features)
    part, field = spectral_part(cell), spectral_field(cell, n_columns)
    for z in range(n_bands):
        place = z % group * n_features
        own = contexts[z // group, :, place : place + n_features]
        taps = spectral_taps(z, features[z], own, part, field)[:, :n_columns]
        assert taps.shape == (TAPS, n_columns)
        np.testing.assert_array_equal(taps.T, wanted[z], f"band {z}")


@pytest.mark.parametrize("n_columns", [1, 15, 16, 17, 992, 1000, 1008, 2047])
def test_rows_lie_an_odd_number_of_strips_apart(n_columns: int) -> None:
    cell = random_cell(CellShape(1, 4, 1, 1, 4, 0), 0)
    field = spectral_field(cell, n_columns)
    assert field.stride % 32 == 16 and field.stride > n_columns

"""The Brevitas network, its integers, and the int64 reference of the arithmetic are one and the same function."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.batches.flight_batches import segment_inputs
from model.evaluation import flight_evaluate
from model.evaluation.flight_evaluate import BAND_CHUNK
from model.network.clipped_layers import COLUMN_AXIS, Activation
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from quantize import coded_rate
from quantize.flight_layers import (
    WEIGHT_BITS,
    QuantizedLinear,
    QuantizedMemory,
    RoundHalfUp,
    quantized_layers,
    quantized_network,
    rounded_rates,
)
from quantize.integers import exact_network, integer_cell
from runtime.cell.flight_inputs import filtered
from runtime.cell.integer_cell import LARGEST_SUM, CellShape
from runtime.errors import BadArgument
from tests.model.conftest import smooth_scene
from tests.quantize.networks import as_tensors, network_of, random_features, reference_taps, taps_of
from tests.reference.random_cell import random_cell

CONFIGS = st.builds(
    FlightConfig,
    group=st.integers(1, 16),
    features=st.integers(4, 32),
    line_convolutions=st.integers(1, 3),
    line_blocks=st.integers(1, 2),
    spectral_features=st.integers(4, 16),
    band_convolutions=st.integers(0, 2),
)
SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 6))
"""Lines, bands and columns."""


@settings(max_examples=40, deadline=None)
@given(
    config=CONFIGS,
    shape=SHAPES,
    seed=st.integers(0, 1 << 30),
    bits=st.sampled_from(WEIGHT_BITS),
    kind=st.sampled_from(["first", "alive", "wild"]),
    inputs=st.sampled_from(["any", "extreme"]),
)
def test_the_brevitas_forward_is_the_integer_reference(
    config: FlightConfig, shape: tuple[int, int, int], seed: int, bits: int, kind: str, inputs: str
) -> None:
    network = network_of(config, seed, bits, kind)
    cell = integer_cell(network)
    features = random_features(np.random.default_rng(seed), shape, inputs)
    expected = reference_taps(cell, features)
    np.testing.assert_array_equal(taps_of(network, features), expected)
    np.testing.assert_array_equal(taps_of(exact_network(cell), features), expected)
    assert max(np.abs(layer.weight.astype(int)).max() for layer in cell.layers.values()) <= (1 << (bits - 1)) - 1


@pytest.mark.parametrize("inputs", ["any", "extreme"])
def test_a_long_segment_of_a_network_that_saturates_and_lives(inputs: str) -> None:
    network = network_of(FlightConfig(), 5)
    cell = integer_cell(network)
    features = random_features(np.random.default_rng(5), (64, 19, 7), inputs)
    expected = reference_taps(cell, features)
    assert len(np.unique(expected)) > 1000  # taps that say something
    np.testing.assert_array_equal(taps_of(network, features), expected)
    np.testing.assert_array_equal(taps_of(exact_network(cell), features), expected)


@settings(max_examples=30, deadline=None)
@given(config=CONFIGS, shape=SHAPES, seed=st.integers(0, 1 << 30))
def test_random_integers_as_a_network_are_the_reference(
    config: FlightConfig, shape: tuple[int, int, int], seed: int
) -> None:
    cell = random_cell(CellShape.from_dict(config.to_dict()), seed)
    features = random_features(np.random.default_rng(seed), shape, "extreme" if seed % 2 else "any")
    np.testing.assert_array_equal(taps_of(exact_network(cell), features), reference_taps(cell, features))


def test_training_mode_rounds_as_evaluation_mode() -> None:
    network = network_of(FlightConfig(features=8), 2)
    features = as_tensors(random_features(np.random.default_rng(2), (6, 4, 5)))
    assert torch.equal(network.train()(*features), network.eval()(*features))


def test_state_restored_is_the_same_network() -> None:
    config = FlightConfig(features=8)
    network, other = network_of(config, 3), quantized_network(config)
    other.load_state_dict(network.state_dict())
    features = random_features(np.random.default_rng(3), (4, 5, 4))
    np.testing.assert_array_equal(taps_of(other.eval(), features), taps_of(network, features))


@pytest.mark.parametrize("bits", WEIGHT_BITS)
def test_the_widest_network_with_wild_weights_stays_below_the_largest_sum(bits: int) -> None:
    config = FlightConfig(
        group=16, features=128, line_convolutions=3, line_blocks=2, spectral_features=64, band_convolutions=2
    )
    network = network_of(config, 4, bits, "wild")
    with torch.no_grad():
        for _, layer in quantized_layers(network):  # as if the training had run away after the exponents were chosen
            layer.weight.copy_(torch.full_like(layer.weight, 1e9))
            layer.bias.fill_(-1e9)
            layer.exponent.fill_(layer.exponent_range()[0])
    cell = integer_cell(network)
    largest_weight = (1 << (bits - 1)) - 1
    widest = 416 * 127 * largest_weight + ((1 << 22) - 1) + (1 << 21)
    assert max(layer.largest_sum for layer in cell.layers.values()) == widest < LARGEST_SUM
    assert {int(layer.shift.max()) for layer in cell.layers.values()} == {22}


@given(st.integers(-300, 300), st.integers(1, 8))
def test_rounding_is_half_up(number: int, shift: int) -> None:
    rounded = RoundHalfUp()(torch.tensor([number / (1 << shift)]))
    assert int(rounded) == (number + (1 << (shift - 1))) >> shift


def test_gradients_pass_the_rounding_and_stop_beyond_the_clip() -> None:
    layer = QuantizedLinear(2, 1, Activation.SIGNED)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 0.53]]))
        layer.bias.zero_()
        layer.exponent.copy_(layer.largest_value_exponents())
    unit = float(layer.weight_units()[0])
    values = torch.tensor([[0.5, 0.25], [6.0, 0.0], [-6.0, 0.0]], requires_grad=True)
    layer(values, COLUMN_AXIS + 2).sum().backward()
    assert values.grad is not None and layer.weight.grad is not None
    second = float(np.floor(0.53 / unit + 0.5) * unit)
    assert values.grad.tolist() == [[1.0, second], [0.0, 0.0], [0.0, 0.0]]
    assert layer.weight.grad.tolist() == [[0.5, 0.25]]


def test_parts_that_are_switched_off_make_the_float_network() -> None:
    config = FlightConfig(features=8, line_blocks=2)
    torch.manual_seed(1)
    network, quantized = FlightNetwork(config), quantized_network(config)
    quantized.load_state_dict(network.state_dict(), strict=False)
    for _, layer in quantized_layers(quantized):
        layer.switch(weights=False, outputs=False)
    for module in quantized.modules():
        if isinstance(module, QuantizedMemory):
            module.is_integer = False
    features = as_tensors(random_features(np.random.default_rng(1), (6, 4, 5)))
    # sums in another order: float32 rounds to 6e-8, through some ten layers, of taps up to 8
    assert torch.allclose(network(*features), quantized(*features), rtol=0, atol=1e-5)


@given(st.floats(2.0**-20, 1 - 2.0**-20))
def test_rates_are_the_nearest_mantissa_and_use_seven_bits(rate: float) -> None:
    found = rounded_rates(torch.tensor([rate]))
    mantissa, exponent = int(found.mantissa), int(found.exponent)
    assert 1 <= mantissa <= 127 and 7 <= exponent <= 14
    assert mantissa >= 64 or exponent == 14
    rate = float(np.float32(rate))
    if 64 / (1 << 14) <= rate <= 127 / 128:
        assert abs(mantissa / (1 << exponent) - rate) <= 0.5 / (1 << exponent)
    assert float(found.values()) == mantissa / (1 << exponent)


def test_weights_of_other_bits_are_refused() -> None:
    with pytest.raises(BadArgument, match="weight bits 4, allowed 6 or 7 or 8"):
        quantized_network(FlightConfig(), 4)


@pytest.mark.parametrize(
    ("n_bands", "group", "band_convolutions"),
    [(1, 4, 0), (5, 16, 1), (BAND_CHUNK + 7, 1, 1), (BAND_CHUNK + 7, 7, 3), (2 * BAND_CHUNK, 16, 2)],
)
def test_predictions_are_those_of_the_reference_and_the_exact_filter(
    n_bands: int, group: int, band_convolutions: int
) -> None:
    """Bands predicted in chunks, in float and by integers, against whole lines, for networks that see many bands."""
    config = FlightConfig(group, features=4, spectral_features=4, band_convolutions=band_convolutions)
    network = network_of(config, 7)
    cell = integer_cell(network)
    samples = smooth_scene(7, (9, n_bands, 6)).astype(np.int32)
    inputs = segment_inputs(samples)
    taps = reference_taps(cell, (inputs.line_features, inputs.band_features))
    expected = np.empty((8, n_bands, 6), np.int32)
    for y in range(8):
        for z in range(n_bands):
            filtered(taps[y, z].T, inputs.differences[y, z].T, samples[y, z], 0, 1023, expected[y, z])
    np.testing.assert_array_equal(coded_rate.doubled_segment(exact_network(cell), samples, 0, 1023), expected)
    np.testing.assert_array_equal(coded_rate.doubled_segment(network, samples, 0, 1023), expected)
    np.testing.assert_array_equal(flight_evaluate.doubled_segment(network, samples, 0, 1023), expected)

"""Integers made float and quantized again are the same function; those of a calibration are the same integers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.batches.flight_batches import FlightBatch
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from quantize.calibration import choose_exponents, layer_statistics
from quantize.dequantized import float_network, weight_bits
from quantize.flight_layers import quantized_network, take_weights
from quantize.integers import integer_cell
from runtime.cell.integer_cell import IntegerCell
from tests.quantize.networks import as_tensors, network_of, random_features, reference_taps
from tests.quantize.test_equivalence import CONFIGS


def crops(seed: int) -> list[FlightBatch]:
    """Inputs for a calibration; the rest of a batch is not looked at."""
    lines, bands = as_tensors(random_features(np.random.default_rng(seed), (6, 5, 7)))
    nothing = torch.zeros(0)
    return [FlightBatch(lines, bands, nothing, nothing, 0, nothing, nothing)]


def quantized(network: FlightNetwork, bits: int, seed: int) -> IntegerCell:
    """The integers of a float network, units chosen by a calibration."""
    found = quantized_network(network.config, bits)
    take_weights(found, network.state_dict())
    choose_exponents(found, layer_statistics(network, crops(seed), seed))
    return integer_cell(found.eval())


@settings(max_examples=12, deadline=None)
@given(
    config=CONFIGS,
    seed=st.integers(0, 1 << 30),
    bits=st.sampled_from([6, 7, 8]),
    kind=st.sampled_from(["first", "alive", "wild"]),
)
def test_quantized_again_it_is_the_same_function(config: FlightConfig, seed: int, bits: int, kind: str) -> None:
    cell = integer_cell(network_of(config, seed, bits, kind))
    again = quantized(float_network(cell), bits, seed)
    features = random_features(np.random.default_rng(seed), (4, 5, 6))
    np.testing.assert_array_equal(reference_taps(again, features), reference_taps(cell, features))


@pytest.mark.parametrize("bits", [6, 7, 8])
def test_the_integers_of_a_calibration_come_back(bits: int) -> None:
    torch.manual_seed(bits)
    cell = quantized(FlightNetwork(FlightConfig(features=12)), bits, 1)
    assert weight_bits(cell) == bits
    again = quantized(float_network(cell), bits, 2)
    for name, tensor in cell.tensors().items():
        np.testing.assert_array_equal(again.tensors()[name], tensor, err_msg=name)

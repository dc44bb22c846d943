"""From the integers of a cell back to a float network: the start of a fine-tuning."""

import numpy as np
import torch

from model.network.clipped_layers import INPUT_UNIT, Activation, ClippedLinear
from model.network.flight_block import Memory
from model.network.flight_network import FlightNetwork
from quantize.flight_layers import HIDDEN_UNIT, WEIGHT_BITS
from quantize.integers import flight_config
from runtime.cell.integer_cell import IntegerCell, IntegerLayer, IntegerMemory
from runtime.errors import BadArgument

INPUT_LAYERS = ("line_convolutions.0", "band_columns")
"""Layers that see the network's inputs, which have a unit of their own."""


def float_network(cell: IntegerCell) -> FlightNetwork:
    """The float network whose weights are exactly the integers of `cell` in their units; nothing else is rounded.

    Quantized again with the same bits it is the same function (tests/quantize/test_dequantized.py).
    """
    network = FlightNetwork(flight_config(cell.shape))
    with torch.no_grad():
        for name, layer in cell.layers.items():
            module = network.get_submodule(name)
            assert isinstance(module, ClippedLinear)
            take_layer(module, layer, INPUT_UNIT if name in INPUT_LAYERS else HIDDEN_UNIT)
        for i, integers in enumerate(cell.memories):
            memory = network.get_submodule(f"blocks.{i}.memory")
            assert isinstance(memory, Memory)
            take_rates(memory, integers)
    return network


def take_layer(module: ClippedLinear, layer: IntegerLayer, input_unit: float) -> None:
    """Weights and biases in real numbers; a sum of one is the unit of the output by 2**shift."""
    sum_unit = torch.ldexp(
        torch.full((len(layer.shift),), unit_of(module.activation)), -torch.from_numpy(layer.shift).int()
    )
    module.weight.copy_(torch.from_numpy(layer.weight).float() * (sum_unit / input_unit)[:, None])
    module.bias.copy_(torch.from_numpy(layer.bias).float() * sum_unit)


def unit_of(activation: Activation) -> float:
    """The real value of an output of one."""
    return float(activation.value[0])


def take_rates(memory: Memory, integers: IntegerMemory) -> None:
    """The parameters whose sigmoid is mantissa / 2**exponent."""
    rates = integers.mantissa / np.exp2(integers.exponent.astype(np.float64))
    memory.rate.copy_(torch.logit(torch.from_numpy(rates)).float())


def weight_bits(cell: IntegerCell) -> int:
    """The fewest bits that the quantization knows and that hold every weight. Raises BadArgument for -128."""
    largest = max(int(np.abs(layer.weight.astype(int)).max()) for layer in cell.layers.values())
    for bits in WEIGHT_BITS:
        if largest < 1 << (bits - 1):
            return bits
    raise BadArgument(f"a weight of magnitude {largest}, allowed 127")

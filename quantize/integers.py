"""From the Brevitas network to the integers of the cell, and those integers as a network that predicts fast."""

from dataclasses import asdict

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.network.clipped_layers import COLUMN_AXIS, INPUT_UNIT, Activation, side_by_side
from model.network.flight_block import Memory
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.network.flight_wkv import WeightedMean
from quantize.flight_layers import HIDDEN_UNIT, QuantizedLinear, QuantizedMemory, rounded_rates
from runtime.cell.integer_cell import CellShape, IntegerCell, IntegerLayer, IntegerMemory


def cell_shape(config: FlightConfig) -> CellShape:
    """Sizes of the cell of a network."""
    return CellShape.from_dict(config.to_dict())


def flight_config(shape: CellShape) -> FlightConfig:
    """The configuration of the network of a cell."""
    return FlightConfig(**asdict(shape))


def integer_cell(network: FlightNetwork) -> IntegerCell:
    """The integers of a Brevitas network, checked. Raises Corrupt."""
    shape = cell_shape(network.config)
    layers = {}
    for spec in shape.layers():
        module = network.get_submodule(spec.name)
        assert isinstance(module, QuantizedLinear)
        weight, bias, shift = (tensor.detach().numpy() for tensor in module.integers())
        layers[spec.name] = IntegerLayer(spec, weight.astype(np.int8), bias.astype(np.int32), shift.astype(np.int8))
    memories = []
    for i in range(shape.line_blocks):
        memory = network.get_submodule(f"blocks.{i}.memory")
        assert isinstance(memory, QuantizedMemory)
        mantissa, exponent = (tensor.numpy() for tensor in rounded_rates(Memory.rates(memory)))
        memories.append(IntegerMemory(mantissa.astype(np.int8), exponent.astype(np.int8)))
    cell = IntegerCell(shape, layers, tuple(memories))
    cell.check()
    return cell


class ExactLinear(nn.Linear):
    """A layer of the cell in float32, which carries its integers exactly: one product, one floor, one clip."""

    def __init__(self, n_in: int, n_out: int, activation: Activation, is_input: bool = False) -> None:
        super().__init__(n_in, n_out)
        self.activation = activation
        self.input_unit = INPUT_UNIT if is_input else HIDDEN_UNIT

    def take(self, layer: IntegerLayer) -> None:
        """Fold unit, shift and the half of the rounding into weight and bias: all powers of two."""
        scale = torch.ldexp(torch.ones(len(layer.shift)), -torch.from_numpy(layer.shift).int())
        self.weight.copy_(torch.from_numpy(layer.weight).float() * (scale / self.input_unit)[:, None])
        self.bias.copy_(torch.from_numpy(layer.bias).float() * scale + 0.5)

    def forward(self, values: Tensor, axis: int = COLUMN_AXIS, before: int = 0) -> Tensor:
        """As `ClippedLinear.forward`."""
        unit, low, high = self.activation.value
        rows = side_by_side(values, axis, before, self.in_features)
        sums = F.linear(rows.flatten(0, -2), self.weight, self.bias)
        return sums.floor_().clamp_(low, high).mul_(unit).view(*rows.shape[:-1], -1)


class ExactMemory(Memory):
    """The memory of the cell."""

    exact: Tensor

    def __init__(self, n_features: int) -> None:
        super().__init__(n_features)
        self.register_buffer("exact", torch.ones(n_features))

    def take(self, memory: IntegerMemory) -> None:
        """Rates as numbers."""
        mantissa, exponent = torch.from_numpy(memory.mantissa), torch.from_numpy(memory.exponent)
        self.exact.copy_(torch.ldexp(mantissa.float(), -exponent.int()))

    def means(self, key: Tensor, value: Tensor) -> Tensor:
        """Weighted means of all lines."""
        means: Tensor = WeightedMean.apply(self.exact, key, value, True)  # type: ignore[no-untyped-call]  # torch's own
        return means

    def gated(self, gate: Tensor, mean: Tensor) -> Tensor:
        """The mean, let through by `gate`."""
        return (gate * mean).mul_(1 / HIDDEN_UNIT).add_(0.5).floor_().mul_(HIDDEN_UNIT)


def exact_network(cell: IntegerCell) -> FlightNetwork:
    """A network that outputs the taps of `cell`, times 2**-TAP_BITS, without Brevitas and without gradients."""
    network = FlightNetwork(flight_config(cell.shape), layer=ExactLinear, memory=ExactMemory)
    network.requires_grad_(False).eval()
    for name, layer in cell.layers.items():
        module = network.get_submodule(name)
        assert isinstance(module, ExactLinear)
        module.take(layer)
    for i, integers in enumerate(cell.memories):
        memory = network.get_submodule(f"blocks.{i}.memory")
        assert isinstance(memory, ExactMemory)
        memory.take(integers)
    return network

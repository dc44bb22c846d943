"""The layers of the flight network: a product of places side by side, a bias, a clip.

There is no normalisation and no transcendental function: inputs arrive scaled (runtime/cell/flight_inputs.py), and
every activation is a clip, so that the integer cell (docs/arithmetic.md) is these layers with their values rounded. On
the CPU, layers that read the same places, or that are added to something, are one compiled product.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.kernels.clipped_product_cpu import Plan, clipped_product
from model.kernels.cpu_path import is_compiled_path
from runtime.cell.flight_inputs import TAP_BITS

LINE_AXIS, BAND_AXIS, COLUMN_AXIS = -4, -3, -2
INPUT_UNIT = 1.0 / 16


class Activation(Enum):
    """What a layer's sums are clipped to: unit and largest integer of the INT8 version, smallest integer."""

    SIGNED = (1 / 32, -127, 127)
    POSITIVE = (1 / 32, 0, 127)
    KEY = (1 / 16, 0, 127)
    GATE = (1 / 128, 0, 127)
    TAP = (2.0**-TAP_BITS, -(8 << TAP_BITS) + 1, (8 << TAP_BITS) - 1)

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value."""
        unit, low, high = self.value
        return unit * low, unit * high


class ClippedLinear(nn.Linear):
    """A product of some places side by side, a bias, a clip: a convolution along one axis."""

    def __init__(self, n_in: int, n_out: int, activation: Activation, is_input: bool = False) -> None:
        super().__init__(n_in, n_out)
        self.activation = activation

    def forward(self, values: Tensor, axis: int = COLUMN_AXIS, before: int = 0) -> Tensor:
        """(..., n) to (..., n_out): each place along `axis` sees n_in / n places, beginning `before` places earlier."""
        if is_compiled_path(values):
            plan = Plan(axis, before, (self.activation.bounds,))
            return clipped_product(self.weight, self.bias, plan, values)[0]
        rows = side_by_side(values, axis, before, self.in_features)
        sums = F.linear(rows.flatten(0, -2), self.weight, self.bias)  # in two dimensions the clip needs no copy
        return F.hardtanh(sums, *self.activation.bounds, inplace=True).view(*rows.shape[:-1], -1)


def side_by_side(values: Tensor, axis: int, before: int, n_in: int) -> Tensor:
    """(..., n) to (..., n_in): each place and its neighbours along `axis`, zeros beyond the ends."""
    n_places, length = n_in // values.shape[-1], values.shape[axis]
    if n_places == 1:
        return values
    ends = [0, 0] * (-axis - 1) + [before, n_places - 1 - before]
    padded = F.pad(values, ends)
    return torch.cat([padded.narrow(axis, i, length) for i in range(n_places)], dim=-1)


def clipped_sum(values: Tensor, change: Tensor) -> Tensor:
    """The sum, inside the range of a signed activation."""
    return F.hardtanh(values + change, *Activation.SIGNED.bounds, inplace=True)


def are_fused(layers: Sequence[nn.Module], values: Tensor) -> TypeGuard[Sequence[ClippedLinear]]:
    """Whether one compiled product may stand for these layers; never for a subclass or one whose calls are watched."""
    is_plain = all(type(layer) is ClippedLinear and not layer._forward_hooks for layer in layers)
    return is_plain and is_compiled_path(values)


def together(layers: Sequence[nn.Linear], values: Tensor, axis: int, before: int) -> tuple[Tensor, ...]:
    """What each of some layers of equal size makes of the same places."""
    if not are_fused(layers, values):
        return tuple(layer(values, axis, before) for layer in layers)
    weight, bias = torch.cat([layer.weight for layer in layers]), torch.cat([layer.bias for layer in layers])
    return clipped_product(weight, bias, Plan(axis, before, tuple(layer.activation.bounds for layer in layers)), values)


def added(values: Tensor, layer: nn.Linear, change: Tensor) -> Tensor:
    """Values plus what a signed layer makes of `change`, clipped."""
    if not are_fused([layer], values):
        return clipped_sum(values, layer(change))
    plan = Plan(COLUMN_AXIS, 0, (Activation.SIGNED.bounds,))
    return clipped_product(layer.weight, layer.bias, plan, change, values=values)[0]


def joined(layer: nn.Linear, one: Tensor, other: Tensor) -> Tensor:
    """What a positive layer makes of two tensors side by side."""
    if not are_fused([layer], one):
        both: Tensor = layer(torch.cat([one, other], dim=-1))
        return both
    plan = Plan(COLUMN_AXIS, 0, (Activation.POSITIVE.bounds,))
    return clipped_product(layer.weight, layer.bias, plan, one, other)[0]


Layer = Callable[[int, int, Activation, bool], nn.Linear]
"""Makes a layer of n_in, n_out, its activation, and whether its inputs are those of the network."""

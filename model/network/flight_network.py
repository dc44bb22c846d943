"""The flight network: LineRWKV made for eight bits. It outputs the taps of a short filter over exact differences.

Lines before: column convolutions, RWKV blocks over lines. Bands before in this line: a column convolution, causal
convolutions over bands. Both meet in a decoder that gives TAPS numbers for each sample. There is no normalisation and
no transcendental function: inputs arrive scaled (runtime/cell/flight_inputs.py), and every activation is a clip, so
that the integer cell (docs/arithmetic.md) is this network with its values rounded.

All tensors are (B, Y, Z, X, F): batch, lines, bands, columns, features.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.kernels.clipped_product_cpu import Plan, clipped_product
from model.kernels.cpu_path import is_compiled_path
from model.network.flight_config import FlightConfig
from model.network.flight_wkv import weighted_means
from runtime.cell.flight_inputs import BAND_FEATURES, LINE_FEATURES, TAP_BITS, TAPS

LINE_AXIS, BAND_AXIS, COLUMN_AXIS = -4, -3, -2
ALL = slice(None)
INPUT_UNIT = 1.0 / 16
FIRST_TAPS = (0.5, 0.2, 0.1)
"""Of the line differences 1, 2, 3 bands before, when training starts."""


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


class Memory(nn.Module):
    """The weighted mean over lines, and its gate."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        half_lives = torch.logspace(-0.3, 1.8, n_features)  # lines
        self.rate = nn.Parameter(torch.logit(1 - 0.5 ** (1 / half_lives)))

    def rates(self) -> Tensor:
        """(F,), how far the sums move to each line, 0..1."""
        return torch.sigmoid(self.rate)

    def means(self, key: Tensor, value: Tensor) -> Tensor:
        """Weighted means of all lines."""
        return weighted_means(self.rates(), key, value)

    def gated(self, gate: Tensor, mean: Tensor) -> Tensor:
        """The mean, let through by `gate`, 0..1."""
        return gate * mean


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


class FlightBlock(nn.Module):
    """Time mix and channel mix of RWKV; the token shift is folded into the projections of [before, now]."""

    def __init__(self, n_features: int, layer: Layer, memory: Callable[[int], Memory]) -> None:
        super().__init__()
        self.key = layer(2 * n_features, n_features, Activation.KEY, False)
        self.value = layer(2 * n_features, n_features, Activation.SIGNED, False)
        self.gate = layer(2 * n_features, n_features, Activation.GATE, False)
        self.memory = memory(n_features)
        self.output = layer(n_features, n_features, Activation.SIGNED, False)
        self.mix = layer(2 * n_features, n_features, Activation.POSITIVE, False)
        self.mixed = layer(n_features, n_features, Activation.SIGNED, False)
        nn.init.constant_(self.gate.bias, 0.5)

    def forward(self, values: Tensor) -> Tensor:
        """(B, Y, Z, X, F) to the same shape."""
        key, value, gate = together([self.key, self.value, self.gate], values, LINE_AXIS, 1)
        values = added(values, self.output, self.memory.gated(gate, self.memory.means(key, value)))
        return added(values, self.mixed, self.mix(values, LINE_AXIS, 1))


class FlightNetwork(nn.Module):
    """Features of lines and bands to filter taps."""

    def __init__(
        self, config: FlightConfig, layer: Layer = ClippedLinear, memory: Callable[[int], Memory] = Memory
    ) -> None:
        super().__init__()
        self.config = config
        n = config.features
        signed, positive = Activation.SIGNED, Activation.POSITIVE
        sizes = [3 * LINE_FEATURES] + [3 * n] * (config.line_convolutions - 1)
        self.line_convolutions = nn.ModuleList(
            layer(size, n, signed if i == len(sizes) - 1 else positive, i == 0) for i, size in enumerate(sizes)
        )
        self.blocks = nn.ModuleList(FlightBlock(n, layer, memory) for _ in range(config.line_blocks))
        self.band_columns = layer(3 * BAND_FEATURES, n, positive, True)
        self.band_convolutions = nn.ModuleList(
            layer(3 * n, n, positive, False) for _ in range(config.band_convolutions)
        )
        self.decoder = layer(2 * n, n, positive, False)
        self.taps = layer(n, TAPS, Activation.TAP, False)
        with torch.no_grad():
            self.taps.weight.mul_(0.1)
            self.taps.bias.zero_()
            self.taps.bias[: len(FIRST_TAPS)] = torch.tensor(FIRST_TAPS)

    def forward(
        self, line_features: Tensor, band_features: Tensor, columns: slice = ALL, present: Tensor | None = None
    ) -> Tensor:
        """Taps (B, Y, Z, X, TAPS) of all lines but the first of a segment.

        line_features: (B, Y, Z, X, LINE_FEATURES), of the lines before each; band_features: (..., BAND_FEATURES), of
        the band before in each line; both integers -127..127 times 1/16. More bands of band_features than of
        line_features come before those and are context only; so are the columns outside of `columns`. present:
        (B, Z, X) bool, of the bands of band_features; what is false lies outside of the scene: every layer sees zeros.
        """
        n_lead = band_features.shape[2] - line_features.shape[2]
        there = None if present is None else present[:, None, :, :, None]
        spatial = line_features
        for convolution in self.line_convolutions[:-1]:
            spatial = convolution(spatial, COLUMN_AXIS, 1)
            spatial = spatial if there is None else spatial * there[:, :, n_lead:]
        spatial = self.line_convolutions[-1](spatial, COLUMN_AXIS, 1)
        spatial = spatial[:, :, :, columns]  # from here on a column sees itself only
        for block in self.blocks:
            spatial = block(spatial)
        spectral = self.band_columns(band_features, COLUMN_AXIS, 1)[:, :, :, columns]
        for convolution in self.band_convolutions:
            spectral = spectral if there is None else spectral * there[:, :, :, columns]
            spectral = convolution(spectral, BAND_AXIS, 2)
        hidden = joined(self.decoder, spatial, spectral[:, :, n_lead:])
        with torch.autocast(hidden.device.type, enabled=False):  # taps weigh differences of many thousands
            taps: Tensor = self.taps(hidden.to(self.taps.weight.dtype))
        return taps


def count_macs(network: nn.Module) -> int:
    """Multiply-accumulates of the matrix products for one sample: each weight is used once."""
    return sum(m.weight.numel() for m in network.modules() if isinstance(m, nn.Linear))

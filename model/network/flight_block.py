"""A block of the flight network: RWKV's time mix and channel mix over lines, without anything that INT8 lacks."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from model.network.clipped_layers import LINE_AXIS, Activation, Layer, added, together
from model.network.flight_wkv import weighted_means


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

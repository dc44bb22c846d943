"""The spectral predictor: causal convolutions and a linear attention over the bands already known.

Bands run along the third dimension from the end, (..., Z, X, F). Every operation carries a band state of fixed size
per column, so that bands may come all at once or in tiles.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.kernels import activation_cpu, convolution_cpu
from model.kernels.cpu_path import is_compiled_path

KERNEL = 3
BAND = -3  # the dimension of bands
SMALLEST_WEIGHT = 1e-6


class AttentionState(NamedTuple):
    """Sums over the bands so far, each (..., 1, X, F)."""

    numerator: Tensor
    denominator: Tensor


class BandConvolution(nn.Module):
    """Kernel 3 over this band and the two before it, layer normalisation, GELU."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Linear(KERNEL * features, features)  # over [two before, one before, here]
        self.norm = nn.LayerNorm(features)

    def forward(self, bands: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:
        """(..., Z, X, F) to the same shape; `history` is the two bands before the first, and is returned anew."""
        n_bands = bands.shape[BAND]
        known = torch.cat([history, bands], dim=BAND)  # (..., Z + 2, X, F)
        slices = [known.narrow(BAND, offset, n_bands) for offset in range(KERNEL)]
        return F.gelu(self.norm(self.weight(torch.cat(slices, dim=-1)))), known.narrow(BAND, n_bands, KERNEL - 1)

    def over_bands(self, bands: Tensor) -> Tensor:
        """`forward` from the first band on, for training."""
        if is_compiled_path(bands):
            convolved = convolution_cpu.apply(bands, self.weight, BAND, KERNEL - 1)
            return activation_cpu.norm_gelu(convolved, self.norm.weight, self.norm.bias)
        zeros = torch.zeros_like(bands.narrow(BAND, 0, 1))
        return self(bands, torch.cat([zeros] * (KERNEL - 1), dim=BAND))[0]  # type: ignore[no-any-return]


class BandAttention(nn.Module):
    """Linear attention with positive keys elu(k) + 1 and a receptance gate, summed over all bands so far.

    The paper names a simple causal band attention without a formula; docs/decisions/0003 says why this one.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(features)
        self.receptance = nn.Linear(features, features, bias=False)
        self.key = nn.Linear(features, features, bias=False)
        self.value = nn.Linear(features, features, bias=False)
        self.output = nn.Linear(features, features, bias=False)

    def forward(self, bands: Tensor, state: AttentionState) -> tuple[Tensor, AttentionState]:
        """(..., Z, X, F) to the same shape, with the sums after the last band."""
        normed = self.norm(bands)
        weight = F.elu(self.key(normed)) + (1 + SMALLEST_WEIGHT)
        numerator = state.numerator + torch.cumsum(weight * self.value(normed), dim=BAND)
        denominator = state.denominator + torch.cumsum(weight, dim=BAND)
        attended = self.output(torch.sigmoid(self.receptance(normed)) * numerator / denominator)
        last = bands.shape[BAND] - 1
        return bands + attended, AttentionState(numerator.narrow(BAND, last, 1), denominator.narrow(BAND, last, 1))


class SpectralState(NamedTuple):
    """What the spectral predictor remembers of earlier bands of the same line."""

    histories: tuple[Tensor, ...]
    """For each convolution its two latest inputs, (..., 2, X, F)."""
    attention: AttentionState | None


class SpectralPredictor(nn.Module):
    """Features that predict a band, from the differences known of the bands before it."""

    def __init__(self, features: int, n_layers: int, has_attention: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(BandConvolution(features) for _ in range(n_layers))
        self.attention = BandAttention(features) if has_attention else None

    def initial_state(self, like: Tensor) -> SpectralState:
        """The state before the first band; `like` is (..., 1, X, F)."""
        zeros = torch.zeros_like(like)
        history = torch.cat([zeros] * (KERNEL - 1), dim=BAND)
        attention = AttentionState(zeros, zeros) if self.attention is not None else None
        return SpectralState(tuple(history for _ in self.layers), attention)

    def forward(self, bands: Tensor, state: SpectralState) -> tuple[Tensor, SpectralState]:
        """(..., Z, X, F) to the same shape, with the state after the last band."""
        histories = []
        for layer, history in zip(self.layers, state.histories, strict=True):
            bands, latest = layer(bands, history)
            histories.append(latest)
        attention = state.attention
        if self.attention is not None:
            bands, attention = self.attention(bands, attention)
        return bands, SpectralState(tuple(histories), attention)

    def over_bands(self, bands: Tensor) -> Tensor:
        """`forward` from the first band on, for training: (..., Z, X, F) to the same shape."""
        for layer in self.layers:
            assert isinstance(layer, BandConvolution)
            bands = layer.over_bands(bands)
        if self.attention is None:
            return bands
        zeros = torch.zeros_like(bands.narrow(BAND, 0, 1))
        return self.attention(bands, AttentionState(zeros, zeros))[0]  # type: ignore[no-any-return]

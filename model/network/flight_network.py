"""The flight network: LineRWKV made for eight bits. It outputs the taps of a short filter over exact differences.

The line part sees the lines before, G neighbouring bands at a time: column convolutions, RWKV blocks over lines, and a
context for each of its bands. The spectral part is small and sees, of each band, that context and the bands just before
in this line: a column convolution, causal convolutions over bands, a decoder that gives TAPS numbers for each sample.
So most operations and all memory are shared by G bands, and nothing that the current line shows is missed
(docs/decisions/0603).

All tensors are (B, Y, Z, X, F): batch, lines, bands or groups of bands, columns, features.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.network.clipped_layers import BAND_AXIS, COLUMN_AXIS, Activation, ClippedLinear, Layer, joined
from model.network.flight_block import FlightBlock, Memory
from model.network.flight_config import FlightConfig
from runtime.cell.flight_inputs import BAND_FEATURES, LEVELS, LINE_FEATURES, TAPS

ALL = slice(None)
FIRST_TAPS = (0.5, 0.2, 0.1)
"""Of the line differences 1, 2, 3 bands before, when training starts."""


def grouped(values: Tensor, group: int) -> Tensor:
    """(B, Y, Z, X, n) to (B, Y, ceil(Z / G), X, G n): the bands of a group side by side, zeros where there is none."""
    missing = -values.shape[BAND_AXIS] % group
    values = F.pad(values, (0, 0, 0, 0, 0, missing)) if missing else values
    return torch.unflatten(values, BAND_AXIS, (-1, group)).transpose(3, 4).flatten(4)


def ungrouped(values: Tensor, group: int, n_bands: int) -> Tensor:
    """What `grouped` was made of, without the bands from `n_bands` on."""
    return torch.unflatten(values, 4, (group, -1)).transpose(3, 4).flatten(2, 3)[:, :, :n_bands]


def line_inputs(line_features: Tensor, group: int) -> Tensor:
    """(B, Y, Z, X, LINE_FEATURES + LEVELS) to (B, Y, ceil(Z / G), X, G (3 LINE_FEATURES + LEVELS)).

    The features of west, here and east, of all bands of the group each; then the levels, which all columns share.
    """
    features = grouped(line_features[..., :LINE_FEATURES], group)
    padded, n_columns = F.pad(features, (0, 0, 1, 1)), features.shape[COLUMN_AXIS]
    levels = grouped(line_features[..., LINE_FEATURES:], group)
    return torch.cat([padded[..., :n_columns, :], features, padded[..., 2:, :], levels], dim=-1)


class FlightNetwork(nn.Module):
    """Features of lines and bands to filter taps."""

    def __init__(
        self, config: FlightConfig, layer: Layer = ClippedLinear, memory: Callable[[int], Memory] = Memory
    ) -> None:
        super().__init__()
        self.config = config
        n, s = config.features, config.spectral_features
        signed, positive = Activation.SIGNED, Activation.POSITIVE
        sizes = [config.group * (3 * LINE_FEATURES + LEVELS)] + [3 * n] * (config.line_convolutions - 1)
        self.line_convolutions = nn.ModuleList(
            layer(size, n, signed if i == len(sizes) - 1 else positive, i == 0) for i, size in enumerate(sizes)
        )
        self.blocks = nn.ModuleList(FlightBlock(n, layer, memory) for _ in range(config.line_blocks))
        self.context = layer(n, config.group * s, signed, False)
        self.band_columns = layer(3 * BAND_FEATURES, s, positive, True)
        self.band_convolutions = nn.ModuleList(
            layer(3 * s, s, positive, False) for _ in range(config.band_convolutions)
        )
        self.decoder = layer(2 * s, s, positive, False)
        self.taps = layer(s, TAPS, Activation.TAP, False)
        with torch.no_grad():
            self.taps.weight.mul_(0.1)
            self.taps.bias.zero_()
            self.taps.bias[: len(FIRST_TAPS)] = torch.tensor(FIRST_TAPS)

    def forward(
        self, line_features: Tensor, band_features: Tensor, columns: slice = ALL, present: Tensor | None = None
    ) -> Tensor:
        """Taps (B, Y, Z, X, TAPS) of all lines but the first of a segment.

        line_features: (B, Y, Z, X, LINE_FEATURES + LEVELS), of the lines before each, the first band being the first
        of a group; band_features: (..., BAND_FEATURES), of the band before in each line; both integers -127..127 times
        1/16. More bands of band_features than of line_features come before those and are context only; so are the
        columns outside of `columns`. present: (B, Z, X) bool, of the bands of band_features; what is false lies
        outside of the scene: every layer sees zeros.
        """
        n_bands = line_features.shape[BAND_AXIS]
        n_lead = band_features.shape[BAND_AXIS] - n_bands
        there = None if present is None else present[:, None, :, :, None]
        own = None if there is None else there[:, :, n_lead:]
        contexts = ungrouped(self.line_part(line_features, columns, own), self.config.group, n_bands)
        spectral = self.band_columns(band_features, COLUMN_AXIS, 1)[:, :, :, columns]
        for convolution in self.band_convolutions:
            spectral = spectral if there is None else spectral * there[:, :, :, columns]
            spectral = convolution(spectral, BAND_AXIS, 2)
        hidden = joined(self.decoder, contexts, spectral[:, :, n_lead:])
        with torch.autocast(hidden.device.type, enabled=False):  # taps weigh differences of many thousands
            taps: Tensor = self.taps(hidden.to(self.taps.weight.dtype))
        return taps

    def line_part(self, line_features: Tensor, columns: slice, present: Tensor | None) -> Tensor:
        """Contexts (B, Y, ceil(Z / G), X, G S) of groups of bands; arguments as of `forward`."""
        there = None if present is None else grouped(present, self.config.group).amax(dim=-1, keepdim=True)
        spatial = self.line_convolutions[0](line_inputs(line_features, self.config.group))
        for convolution in self.line_convolutions[1:]:
            spatial = spatial if there is None else spatial * there
            spatial = convolution(spatial, COLUMN_AXIS, 1)
        spatial = spatial[:, :, :, columns]  # from here on a column sees itself only
        for block in self.blocks:
            spatial = block(spatial)
        contexts: Tensor = self.context(spatial)
        return contexts


def count_macs(network: FlightNetwork) -> int:
    """Multiply-accumulates of the matrix products for one sample, those of the line part shared by its bands."""
    shared = [network.line_convolutions, network.blocks, network.context]
    layers = [m for part in shared for m in part.modules() if isinstance(m, nn.Linear)]
    all_weights = sum(m.weight.numel() for m in network.modules() if isinstance(m, nn.Linear))
    n_shared = sum(layer.weight.numel() for layer in layers)
    return all_weights - n_shared + -(-n_shared // network.config.group)

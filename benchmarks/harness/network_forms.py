"""Forms of the flight network that are compared with the one that is built, made of its own layers and blocks.

`PerGroup` with a group of 1 is that of int8-v1: columns, memory of lines and decoder for each band; with more, the
bands of a group share all of them, and see of the current line the groups before only. `WithDifference` has the
difference signal of the paper (section 3), `SeveralTaps` more than one prediction. All are called as `FlightNetwork`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.batches.flight_batches import FlightBatch
from model.batches.staged_loss import fitted, regressor_planes, size, weighted_sum
from model.network.clipped_layers import BAND_AXIS, COLUMN_AXIS, Activation, ClippedLinear, joined
from model.network.flight_block import FlightBlock, Memory
from model.network.flight_config import FlightConfig
from model.network.flight_network import ALL, FlightNetwork, grouped, line_inputs, ungrouped
from model.training.losses import FLOOR, Losses, mean_of_bands, mean_of_samples, rate_loss
from runtime.cell.flight_inputs import BAND_FEATURES, LEVELS, LINE_FEATURES, TAPS

SIGNED, POSITIVE, TAP = Activation.SIGNED, Activation.POSITIVE, Activation.TAP


class PerGroup(nn.Module):
    """One network for each group of bands; with a group of 1, and `places` of 3 for bands, that of int8-v1."""

    def __init__(self, group: int, features: int, band_places: int, band_convolutions: int) -> None:
        super().__init__()
        self.group, self.band_places = group, band_places
        n = features
        self.lines = ClippedLinear(group * (3 * LINE_FEATURES + LEVELS), n, POSITIVE)
        self.columns = ClippedLinear(3 * n, n, SIGNED)
        self.block = FlightBlock(n, ClippedLinear, Memory)
        self.band_columns = ClippedLinear(3 * BAND_FEATURES * group, n, POSITIVE)
        self.convolutions = nn.ModuleList(ClippedLinear(band_places * n, n, POSITIVE) for _ in range(band_convolutions))
        self.decoder = ClippedLinear(2 * n, n, POSITIVE)
        self.taps = ClippedLinear(n, group * TAPS, TAP)
        nn.init.zeros_(self.taps.bias)
        self.taps.weight.data.mul_(0.1)
        self.taps.bias.data.view(group, TAPS)[:, 0] = 0.5

    def forward(
        self, line_features: Tensor, band_features: Tensor, columns: slice = ALL, present: Tensor | None = None
    ) -> Tensor:
        """Taps (B, Y, Z, X, TAPS)."""
        n_bands = line_features.shape[BAND_AXIS]
        spatial = self.columns(self.lines(line_inputs(line_features, self.group)), COLUMN_AXIS, 1)
        spatial = self.block(spatial[:, :, :, columns])
        spectral = self.band_columns(self.bands_before(band_features, n_bands), COLUMN_AXIS, 1)[:, :, :, columns]
        for convolution in self.convolutions:
            spectral = convolution(spectral, BAND_AXIS, self.band_places - 1)
        hidden = joined(
            self.decoder,
            spatial,
            spectral.narrow(BAND_AXIS, spectral.shape[BAND_AXIS] - spatial.shape[BAND_AXIS], spatial.shape[BAND_AXIS]),
        )
        return ungrouped(self.taps(hidden), self.group, n_bands)

    def bands_before(self, band_features: Tensor, n_bands: int) -> Tensor:
        """Features of the bands before each group, none of which is in it; those of band z are of band z - 1."""
        if self.group == 1:
            return band_features
        n_lead, reach = band_features.shape[BAND_AXIS] - n_bands, self.group - 1
        missing = max(0, reach - n_lead)
        before = F.pad(band_features, (0, 0, 0, 0, missing, 0)) if missing else band_features
        return grouped(before.narrow(BAND_AXIS, max(0, n_lead - reach), n_bands), self.group)


class WithDifference(FlightNetwork):
    """The spectral part sees, too, how far the band before is from what the line part expected of it."""

    def __init__(self, config: FlightConfig) -> None:
        super().__init__(config)
        self.expected = ClippedLinear(config.features, config.group, SIGNED)
        self.band_columns = ClippedLinear(3 * (BAND_FEATURES + 1), config.spectral_features, POSITIVE)
        self.spatial = torch.empty(0)
        self.context.register_forward_pre_hook(lambda _, inputs: setattr(self, "spatial", inputs[0]))

    def forward(
        self, line_features: Tensor, band_features: Tensor, columns: slice = ALL, present: Tensor | None = None
    ) -> Tensor:
        """Taps (B, Y, Z, X, TAPS)."""
        n_bands = line_features.shape[BAND_AXIS]
        n_lead = band_features.shape[BAND_AXIS] - n_bands
        own = None if present is None else present[:, None, :, :, None][:, :, n_lead:]
        contexts = ungrouped(self.line_part(line_features, ALL, own), self.config.group, n_bands)
        expected = ungrouped(self.expected(self.spatial), self.config.group, n_bands)
        of_band_before = F.pad(expected, (0, 0, 0, 0, n_lead + 1, 0))[:, :, :-1]
        difference = F.hardtanh(band_features[..., :1] - of_band_before, *SIGNED.bounds)
        seen = torch.cat([band_features, difference], dim=-1)
        spectral = self.band_columns(seen, COLUMN_AXIS, 1)
        for convolution in self.band_convolutions:
            spectral = convolution(spectral, BAND_AXIS, 2)
        hidden = joined(self.decoder, contexts[:, :, :, columns], spectral[:, :, n_lead:, columns])
        taps: Tensor = self.taps(hidden)
        return taps


class SeveralTaps(FlightNetwork):
    """K sets of taps, each a prediction of its own: (B, Y, Z, X, K TAPS)."""

    def __init__(self, config: FlightConfig, n_sets: int) -> None:
        super().__init__(config)
        first = self.taps
        self.taps = ClippedLinear(config.spectral_features, n_sets * TAPS, TAP)
        with torch.no_grad():
            self.taps.weight.mul_(0.1)
            self.taps.bias.copy_(first.bias.repeat(n_sets))


class NoTaps(nn.Module):
    """No network: what the stage does alone."""

    def forward(self, line_features: Tensor, band_features: Tensor, columns: slice, present: Tensor | None) -> Tensor:
        """Zeros."""
        zeros: Tensor = line_features.new_zeros(*line_features[:, :, :, columns].shape[:-1], TAPS)
        return zeros


def several_losses(network: SeveralTaps, batch: FlightBatch) -> Losses:
    """`flight_losses` where each set of taps gives the fit two regressors; `rate` is the mean of the sets."""
    taps = network(batch.line_features, batch.band_features, batch.columns, batch.present)
    sets = taps.unflatten(-1, (-1, TAPS))
    corrections = (sets * batch.differences[..., None, :]).sum(-1)  # (B, Y, Z, X, K)
    below = F.pad((batch.target[..., None] - corrections)[:, :, :-1], (0, 0, 0, 0, 1, 0))
    own = torch.cat([corrections, below], dim=-1)
    with torch.no_grad():
        planes = regressor_planes(batch.differences, batch.target, batch.earlier, own.unbind(-1))
        weights = fitted(planes, corrections.mean(-1).transpose(1, 2).flatten(2))
        n = weights.shape[-1] - own.shape[-1]
        others = weighted_sum(weights[..., :n], planes).view_as(batch.target.transpose(1, 2)).transpose(1, 2).float()
        shares = weights[:, None, :, None, n:].float()
    fit = others + (own * shares).sum(-1)
    residual = batch.target - fit
    staged = mean_of_bands(torch.log2(mean_of_samples(size(residual), batch.counts) + FLOOR), batch.counts)
    rates = [rate_loss(one, batch.target, batch.scale, batch.counts) for one in corrections.unbind(-1)]
    return Losses(torch.stack(rates).mean(), staged)

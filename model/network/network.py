"""The LineRWKV network (figure 1 of the paper), for whole images and one step at a time.

Both ways predict, for every sample of a line, the normalised correction to an integer base
(runtime/cell/integer_base.py), from the lines before it and the bands before it. The step takes a tile of consecutive
bands of one line: all bands are the line step, one band is the band step that a decoder needs.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.kernels import decoder_cpu
from model.kernels.cpu_path import is_compiled_path
from model.network import rwkv
from model.network.config import NetworkConfig
from model.network.rwkv import Block, BlockState
from model.network.spatial_encoder import SpatialEncoder
from model.network.spectral_predictor import BAND, SpectralPredictor, SpectralState


class BandState(NamedTuple):
    """What a tile hands to the next tile of the same line."""

    spatial: Tensor
    """The line predictor's features of the band before the tile, (1, X, F)."""
    spectral: SpectralState


class LineRwkv(nn.Module):
    """Spatial encoder, line predictor, difference signal, spectral predictor, decoder."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        features = config.features
        self.encoder = SpatialEncoder(features, config.encoder_layers)
        self.line_predictor = nn.ModuleList(Block(features) for _ in range(config.line_blocks))
        self.spectral_predictor = SpectralPredictor(features, config.band_layers, config.band_attention)
        self.decoder = nn.Linear(2 * features, 1)  # over [spectral, spatial]
        self.first_band_decoder = nn.Linear(features, 1)  # over [spatial] alone
        for layer in (self.decoder, self.first_band_decoder):  # training starts from the bare base
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, lines: Tensor, columns: Tensor | None = None) -> Tensor:
        """Corrections (B, Y - 1, Z, X') of all lines but the first, from normalised lines (B, Y, Z, X).

        `columns` (X',) int64 keeps only these columns after the encoder; beyond it columns are independent.
        """
        encoded = self.encoder(lines)  # (B, Y, Z, X, F)
        if columns is not None:
            encoded = encoded.index_select(-2, columns)  # (B, Y, Z, X', F)
        spatial = encoded[:, :-1]  # (B, Y - 1, Z, X', F): what is known when line y comes
        for block in self.line_predictor:
            spatial = block(spatial)
        if is_compiled_path(encoded):
            known = decoder_cpu.known_difference(encoded, spatial)
            spectral = self.spectral_predictor.over_bands(known)
            return decoder_cpu.decode(spectral, spatial, self.decoder, self.first_band_decoder)
        difference = encoded[:, 1:] - spatial  # delta of the paper
        nothing = torch.zeros_like(difference.narrow(BAND, 0, 1))
        known = torch.cat([nothing, difference.narrow(BAND, 0, difference.shape[BAND] - 1)], dim=BAND)
        spectral = self.spectral_predictor.over_bands(known)
        first = self.first_band_decoder(spatial.narrow(BAND, 0, 1))
        others = self.decoder(torch.cat([spectral, spatial], dim=-1)).narrow(BAND, 1, spatial.shape[BAND] - 1)
        return torch.cat([first, others], dim=BAND).squeeze(-1)

    def initial_line_state(self, n_bands: int, n_columns: int) -> tuple[BlockState, ...]:
        """The state of each block before the second line; fields are (Z, X, F)."""
        like = self.decoder.weight.new_zeros(n_bands, n_columns, self.config.features)
        return tuple(rwkv.initial_state(like) for _ in self.line_predictor)

    def initial_band_state(self, n_columns: int) -> BandState:
        """The state before the first band of every line."""
        like = self.decoder.weight.new_zeros(1, n_columns, self.config.features)
        return BandState(like, self.spectral_predictor.initial_state(like))

    def step(
        self,
        line_before: Tensor,
        band_before: Tensor,
        is_first_band: Tensor,
        line_state: tuple[BlockState, ...],
        band_state: BandState,
    ) -> tuple[Tensor, tuple[BlockState, ...], BandState]:
        """Corrections (Z, X) of a tile of Z bands of one line, and both states after it.

        line_before: (Z, X), the same bands of the line before, normalised. band_before: (Z, X), for each band of the
        tile the band before it in this line, normalised; anything where there is none. is_first_band: (Z, 1), 1 for
        band 0 and 0 elsewhere. line_state: the tile's rows. band_state: from the tile before, or initial.
        """
        spatial = self.encoder(line_before)  # (Z, X, F)
        states = []
        for block, state in zip(self.line_predictor, line_state, strict=True):
            assert isinstance(block, Block)
            spatial, state = block.step(spatial, state)
            states.append(state)
        n_bands = spatial.shape[BAND]
        spatial_rows = torch.cat([band_state.spatial, spatial], dim=BAND)  # (Z + 1, X, F)
        difference = self.encoder(band_before) - spatial_rows.narrow(BAND, 0, n_bands)
        is_first = is_first_band.unsqueeze(-1)  # (Z, 1, 1)
        known = difference * (1 - is_first)
        spectral, spectral_state = self.spectral_predictor(known, band_state.spectral)
        others = self.decoder(torch.cat([spectral, spatial], dim=-1))  # (Z, X, 1)
        first = self.first_band_decoder(spatial)
        correction = (others + (first - others) * is_first).squeeze(-1)
        return correction, tuple(states), BandState(spatial_rows.narrow(BAND, n_bands, 1), spectral_state)


def count_parameters(network: nn.Module) -> int:
    """Trainable numbers."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def count_macs(network: LineRwkv) -> int:
    """Multiply-accumulates of all matrix products for one sample of one line, as the step cell runs them.

    Each weight of a matrix is used once a sample, those of the encoder twice: for the line before and the band before.
    """
    matrices = {module: module.weight.numel() for module in network.modules() if isinstance(module, nn.Linear)}
    encoder = sum(count for module, count in matrices.items() if module in set(network.encoder.modules()))
    return sum(matrices.values()) + encoder

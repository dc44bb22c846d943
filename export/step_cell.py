"""The single step of a network with its state flattened to named tensors: what becomes an ONNX graph."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.network.network import BandState, LineRwkv
from model.network.rwkv import BlockState
from model.network.spectral_predictor import AttentionState, SpectralState

INPUTS = ("line_before", "band_before", "is_first_band")
OUTPUT = "correction"


class StateTensor(NamedTuple):
    """One named state of the cell."""

    name: str
    is_per_band: bool
    """True: rows of the line state, (bands, columns, F). False: the band state, (depth, columns, F)."""
    depth: int
    """Size of the first axis of a band state."""
    initial: float


def state_tensors(network: LineRwkv) -> list[StateTensor]:
    """All states in the order of the cell's inputs."""
    tensors = []
    for i in range(network.config.line_blocks):
        for field in BlockState._fields:
            initial = -1e38 if field == "exponent" else 0.0
            tensors.append(StateTensor(f"line_block{i}_{field}", True, 0, initial))
    tensors.append(StateTensor("band_spatial", False, 1, 0.0))
    tensors += [StateTensor(f"band_history{i}", False, 2, 0.0) for i in range(network.config.band_layers)]
    if network.config.band_attention:
        tensors += [StateTensor(f"band_{field}", False, 1, 0.0) for field in AttentionState._fields]
    return tensors


class StepCell(nn.Module):
    """`LineRwkv.step` with tensors in and tensors out, in the order of `INPUTS` and `state_tensors`."""

    def __init__(self, network: LineRwkv) -> None:
        super().__init__()
        self.network = network

    def forward(self, line_before: Tensor, band_before: Tensor, is_first_band: Tensor, *states: Tensor) -> list[Tensor]:
        """The correction and the new states."""
        n_fields, config = len(BlockState._fields), self.network.config
        n_line = n_fields * config.line_blocks
        line_state = tuple(BlockState(*states[i : i + n_fields]) for i in range(0, n_line, n_fields))
        spatial, *rest = states[n_line:]
        histories = tuple(rest[: config.band_layers])
        attention = AttentionState(*rest[config.band_layers :]) if config.band_attention else None
        band_state = BandState(spatial, SpectralState(histories, attention))
        correction, blocks, band = self.network.step(line_before, band_before, is_first_band, line_state, band_state)
        new = [correction, *(field for block in blocks for field in block), band.spatial, *band.spectral.histories]
        if band.spectral.attention is not None:
            new += band.spectral.attention
        # a state that passes through unchanged must still be an output of its own
        return [tensor.clone() for tensor in new]


def example_inputs(network: LineRwkv, n_bands: int, n_columns: int) -> tuple[Tensor, ...]:
    """Distinct tensors of the right shapes: the exporter would alias equal objects."""
    features = network.config.features
    samples = [torch.randn(n_bands, n_columns), torch.randn(n_bands, n_columns), torch.zeros(n_bands, 1)]
    states = [
        torch.full((n_bands if state.is_per_band else state.depth, n_columns, features), state.initial)
        for state in state_tensors(network)
    ]
    return (*samples, *states)

"""The network: the step equals the whole image for every tiling, prediction is causal, sizes are the paper's."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.evaluation.networks import network_config
from model.network.config import PRESETS, NetworkConfig
from model.network.network import LineRwkv, count_macs, count_parameters
from model.network.rwkv import BlockState
from runtime.errors import BadArgument

CONFIGS = {
    "paper, narrow": NetworkConfig(features=8),
    "small, narrow": NetworkConfig(features=6, band_attention=False, base="spectral"),
    "no band layers": NetworkConfig(features=4, band_layers=0, line_blocks=1, encoder_layers=1, base="line"),
}


def random_network(config: NetworkConfig, dtype: torch.dtype = torch.float64) -> LineRwkv:
    """A network whose every parameter matters: training's zero start would hide mistakes."""
    torch.manual_seed(5)
    network = LineRwkv(config).to(dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
    return network


def stepped(network: LineRwkv, lines: Tensor, tile: int) -> Tensor:
    """Corrections (Y - 1, Z, X) of lines (Y, Z, X), line by line and tile by tile."""
    n_lines, n_bands, n_columns = lines.shape
    line_state = network.initial_line_state(n_bands, n_columns)
    corrections = []
    for y in range(1, n_lines):
        band_state = network.initial_band_state(n_columns)
        tiles, states = [], []
        for start in range(0, n_bands, tile):
            rows = slice(start, min(n_bands, start + tile))
            before = torch.cat([torch.full_like(lines[y, :1], 77.0), lines[y, :-1]])[rows]  # 77: must not matter
            is_first = torch.zeros(before.shape[0], 1, dtype=lines.dtype)
            is_first[0] = float(start == 0)
            tile_state = tuple(BlockState(*(field[rows] for field in block)) for block in line_state)
            correction, after, band_state = network.step(lines[y - 1, rows], before, is_first, tile_state, band_state)
            tiles.append(correction)
            states.append(after)
        line_state = tuple(
            BlockState(*(torch.cat(fields) for fields in zip(*(state[i] for state in states), strict=True)))
            for i in range(len(line_state))
        )
        corrections.append(torch.cat(tiles))
    return torch.stack(corrections)


@pytest.mark.parametrize("name", CONFIGS)
@settings(max_examples=8, deadline=None)
@given(st.integers(2, 6), st.integers(1, 7), st.integers(1, 5), st.integers(1, 8))
def test_steps_of_any_tile_equal_the_whole_image(
    name: str, n_lines: int, n_bands: int, n_columns: int, tile: int
) -> None:
    network = random_network(CONFIGS[name])
    lines = torch.randn(n_lines, n_bands, n_columns, dtype=torch.float64)
    with torch.no_grad():
        whole = network(lines[None])[0]
        assert (stepped(network, lines, tile) - whole).abs().max() < 1e-10


@pytest.mark.parametrize("name", CONFIGS)
def test_float32_steps_are_near_the_whole_image(name: str) -> None:
    network = random_network(CONFIGS[name], torch.float32)
    lines = torch.randn(40, 6, 5)
    with torch.no_grad():
        difference = (stepped(network, lines, 1) - network(lines[None])[0]).abs().max()
    assert difference < 2e-5  # a few hundred roundings of 2**-24 on values around 1


@pytest.mark.parametrize("name", CONFIGS)
def test_a_prediction_depends_on_earlier_lines_and_bands_only(name: str) -> None:
    network = random_network(CONFIGS[name])
    lines = torch.randn(1, 5, 6, 4, dtype=torch.float64, requires_grad=True)
    corrections = network(lines)
    y, z = 2, 3  # correction of line 3, band 3
    corrections[0, y, z, 1].backward()
    gradient = lines.grad
    assert gradient is not None
    assert (gradient[0, y + 2 :] == 0).all()
    assert (gradient[0, y + 1, z:] == 0).all()
    assert (gradient[0, : y + 1, z] != 0).any()
    if CONFIGS[name].band_layers:
        assert (gradient[0, y + 1, z - 1] != 0).any()


def test_columns_after_the_encoder_are_independent() -> None:
    network = random_network(CONFIGS["paper, narrow"])
    lines = torch.randn(1, 4, 3, 9, dtype=torch.float64)
    kept = torch.tensor([0, 4, 8])
    with torch.no_grad():
        torch.testing.assert_close(network(lines, kept), network(lines)[..., kept], rtol=0, atol=1e-12)


def test_the_paper_preset_has_the_size_of_the_paper() -> None:
    network = LineRwkv(PRESETS["paper"])
    assert count_parameters(network) == 113_282  # the paper: roughly 110 k
    assert count_macs(network) == 123_456  # the paper: around 120 k operations


def test_configurations_are_checked() -> None:
    for values, line in [
        ({"features": 0}, "features: found 0, allowed int at least 2, at most 1024"),
        ({"preset": "paper", "featurse": 3}, f"featurse: not known, allowed {', '.join(PRESETS['paper'].to_dict())}"),
        ({"preset": "papr"}, 'preset: found "papr", allowed "flight", "paper", "small"'),
        ({"preset": ["paper"]}, 'preset: found ["paper"], allowed "flight", "paper", "small"'),
        ({"base": "none"}, 'base: found "none", allowed "line", "mean", "spectral"'),
        ({"band_attention": "no"}, 'band_attention: found "no", allowed true or false'),
    ]:
        with pytest.raises(BadArgument) as caught:
            network_config(values, "net.toml")
        assert str(caught.value) == f"net.toml: key network.{line}"
    assert network_config({"preset": "small", "features": 6}) == replace(PRESETS["small"], features=6)
    assert NetworkConfig.from_dict(PRESETS["small"].to_dict()) == PRESETS["small"]

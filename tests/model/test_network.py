"""Laws of the float network: steps equal the whole, nothing sees what is not decoded yet."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import PRESETS, NetworkConfig
from model.network import LineRwkv, count_parameters

# both forms do the same float32 operations in another order: some hundred roundings of 6e-8, values of order 1
TOLERANCE = 1e-4


def network_of(preset: str, seed: int) -> LineRwkv:
    torch.manual_seed(seed)
    network = LineRwkv(NetworkConfig.from_dict({"preset": preset, "features": 8})).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network


def stepped(network: LineRwkv, samples: torch.Tensor, tile: int) -> torch.Tensor:
    """Corrections (Y - 1, Z, X) of samples (Y, Z, X), `tile` bands at a time."""
    n_lines, n_bands, n_columns = samples.shape
    line_state = network.initial_line_state(n_bands, n_columns)
    lines = []
    for y in range(1, n_lines):
        band_state = network.initial_band_state(n_columns)
        band_before = torch.cat([torch.zeros(1, n_columns), samples[y, :-1]])
        is_first = torch.zeros(n_bands, 1)
        is_first[0] = 1
        tiles, states = [], []
        for z in range(0, n_bands, tile):
            rows = slice(z, z + tile)
            part = tuple(type(state)(*(field[rows] for field in state)) for state in line_state)
            correction, after, band_state = network.step(
                samples[y - 1, rows], band_before[rows], is_first[rows], part, band_state
            )
            tiles.append(correction)
            states.append(after)
        lines.append(torch.cat(tiles))
        line_state = tuple(
            type(blocks[0])(*(torch.cat(fields) for fields in zip(*blocks, strict=True)))
            for blocks in zip(*states, strict=True)
        )
    return torch.stack(lines)


@settings(max_examples=10, deadline=None)
@given(
    preset=st.sampled_from(sorted(PRESETS)),
    lines=st.integers(2, 5),
    bands=st.integers(1, 5),
    columns=st.integers(1, 6),
    tile=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
def test_steps_of_any_tile_equal_the_whole_image(
    preset: str, lines: int, bands: int, columns: int, tile: int, seed: int
) -> None:
    network = network_of(preset, seed)
    samples = torch.randn(lines, bands, columns)
    with torch.inference_mode():
        whole = network(samples[None])[0]
        steps = stepped(network, samples, tile)
    assert (whole - steps).abs().max() < TOLERANCE


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_sample_sees_only_earlier_lines_and_earlier_bands(preset: str) -> None:
    network = network_of(preset, 1)
    samples = torch.randn(1, 6, 5, 4)
    changed = samples.clone()
    y, z = 3, 2
    changed[0, y, z] += 1.0
    with torch.inference_mode():
        difference = (network(changed) - network(samples))[0].abs()
    assert difference[: y - 1].max() == 0  # earlier lines; index y - 1 is line y
    assert difference[y - 1, : z + 1].max() == 0  # earlier bands and the band itself
    assert difference[y - 1, z + 1 :].min() > 0
    assert difference[y:, z:].max() > 0


def test_columns_are_independent_after_the_encoder() -> None:
    network = network_of("paper", 2)
    samples = torch.randn(2, 4, 3, 9)
    kept = torch.tensor([0, 3, 4, 8])
    with torch.inference_mode():
        assert (network(samples)[..., kept] - network(samples, kept)).abs().max() < TOLERANCE


def test_training_starts_from_the_bare_base() -> None:
    assert LineRwkv(PRESETS["small"])(torch.randn(1, 3, 4, 5)).abs().max() == 0


def test_paper_preset_has_the_papers_size() -> None:
    assert 105_000 <= count_parameters(LineRwkv(PRESETS["paper"])) <= 115_000  # "roughly 110k", section 4

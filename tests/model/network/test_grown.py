"""A grown network computes what the small one did, to the last bit but that of its longer sums, and then learns."""

from dataclasses import replace

import pytest
import torch

from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.network.grown import can_grow, grow
from runtime.cell.flight_inputs import BAND_FEATURES, LEVELS, LINE_FEATURES

SMALL = FlightConfig(group=2, features=8, spectral_features=4)
LARGER = [
    replace(SMALL, features=12),
    replace(SMALL, spectral_features=7),
    replace(SMALL, line_blocks=3),
    replace(SMALL, features=16, spectral_features=8, line_blocks=2),
]


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    """Of 3 lines, 5 bands, 6 columns."""
    shape = (2, 3, 5, 6)
    return torch.randn(*shape, LINE_FEATURES + LEVELS), torch.randn(*shape, BAND_FEATURES)


def moved(network: FlightNetwork) -> FlightNetwork:
    """One whose weights and biases are none of a fresh network."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


@pytest.mark.parametrize("config", LARGER)
def test_taps_are_those_of_the_small_network_and_every_new_weight_can_learn(config: FlightConfig) -> None:
    small, large = moved(FlightNetwork(SMALL)), FlightNetwork(config)
    features = inputs()
    assert not torch.allclose(large(*features), small(*features), rtol=1e-3)
    grow(small, large)
    torch.testing.assert_close(large(*features), small(*features))  # float32 sums of more terms, in another order
    optimizer = torch.optim.SGD(large.parameters(), lr=1e-2)
    for _ in range(2):  # first the ways out of the new units, then the ways in
        optimizer.zero_grad()
        large(*features).square().sum().backward()
        optimizer.step()
    before = dict(small.named_parameters())
    for name, parameter in large.named_parameters():
        n_old = len(before[name]) if name in before and not name.startswith("context") else 0
        assert parameter.grad is not None
        new_rows = parameter.grad[n_old:]
        assert new_rows.numel() == 0 or new_rows.abs().max() > 0, name


def test_only_sizes_that_may_grow_do() -> None:
    assert all(can_grow(SMALL, config) for config in LARGER)
    for other in (
        replace(SMALL, group=4, features=12),
        replace(SMALL, features=4),
        replace(SMALL, line_convolutions=3),
        replace(SMALL, band_convolutions=2),
    ):
        assert not can_grow(SMALL, other)

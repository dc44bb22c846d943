"""A training step of the flight network on random inputs, for the scripts that measure it."""

from collections.abc import Callable

import torch

from model.batches.flight_batches import LEAD, MARGIN, FlightBatch
from model.network.clipped_layers import INPUT_UNIT
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.training.losses import rate_loss
from runtime.cell.flight_inputs import BAND_FEATURES, LEVELS, LINE_FEATURES, TAPS


def flight_batch(batch: int, lines: int, bands: int, columns: int, device: str = "cpu") -> FlightBatch:
    """A batch of crops cut on all sides; `bands` are predicted, LEAD more are context."""

    def features(n_bands: int, n_features: int) -> torch.Tensor:
        return torch.randint(-64, 65, (batch, lines - 1, n_bands, columns, n_features), device=device) * INPUT_UNIT

    kept = (batch, lines - 1, bands, columns - 2 * MARGIN)
    return FlightBatch(
        features(bands, LINE_FEATURES + LEVELS),
        features(bands + LEAD, BAND_FEATURES),
        10 * torch.randn(*kept, TAPS, device=device),
        10 * torch.randn(kept, device=device),
        MARGIN,
        torch.ones(batch, bands, device=device),
        10 * torch.randn(batch, lines - 1, LEAD, columns - 2 * MARGIN, device=device),
    )


def flight_step(
    config: FlightConfig, batch: int, lines: int, bands: int, columns: int, device: str
) -> Callable[[], None]:
    """A step without the optimiser, which costs 1 % of it."""
    torch.manual_seed(0)
    network = FlightNetwork(config).to(device)
    inputs = flight_batch(batch, lines, bands, columns, device)

    def step() -> None:
        network.zero_grad(set_to_none=True)
        rate_loss(inputs.corrections(network), inputs.target, inputs.scale).backward()  # type: ignore[no-untyped-call]  # torch's own

    return step

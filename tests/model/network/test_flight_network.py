"""Properties of the flight network in float: compiled equals plain, lines one by one equal lines at once."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from model.batches.flight_batches import FlightBatch
from model.kernels.clipped_product_cpu import clipped_product
from model.network import flight_network
from model.network.flight_config import FlightConfig
from model.network.flight_network import (
    BAND_AXIS,
    COLUMN_AXIS,
    INPUT_UNIT,
    Activation,
    ClippedLinear,
    FlightBlock,
    FlightNetwork,
    clipped_sum,
    count_macs,
)
from model.network.flight_wkv import WEIGHT_UNIT, next_means
from model.training.losses import rate_loss
from runtime.cell.flight_inputs import BAND_FEATURES, LINE_FEATURES, TAPS
from runtime.errors import BadArgument

# float32 rounds to 6e-8; ten layers of sums of some hundred terms, relative to the largest value of a tensor
TOLERANCE = 2e-5
TENSORS = ("line_features", "band_features", "differences", "target", "scale")
CONFIG = FlightConfig(features=12, line_blocks=2)
SHAPES = [(2, 5, 4, 7), (1, 1, 3, 6), (2, 3, 1, 6), (1, 4, 5, 5), (1, 1, 1, 5)]


def made(config: FlightConfig = CONFIG, **parts: Any) -> FlightNetwork:
    torch.manual_seed(0)
    network = FlightNetwork(config, **parts)
    with torch.no_grad():
        network.taps.weight.normal_(std=0.1)
    return network


def features(shape: tuple[int, ...], n_features: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-127, 128, (*shape, n_features), generator=generator).float() * INPUT_UNIT


def random_batch(shape: tuple[int, int, int, int], n_lead: int) -> FlightBatch:
    b, y, z, x = shape
    generator = torch.Generator().manual_seed(7)
    return FlightBatch(
        features(shape, LINE_FEATURES, 1),
        features((b, y, z + n_lead, x), BAND_FEATURES, 2),
        torch.randn(b, y, z, x - 4, TAPS, generator=generator) * 9,
        torch.randn(b, y, z, x - 4, generator=generator) * 9,
        2,
        torch.ones(b, z),
        torch.zeros(b, y, n_lead, x - 4),
    )


def results(network: FlightNetwork, batch: FlightBatch) -> dict[str, Tensor]:
    """What the filter gives, and all gradients of a step."""
    network.zero_grad(set_to_none=True)
    change = batch.corrections(network)
    rate_loss(change, batch.target, batch.scale).backward()  # type: ignore[no-untyped-call]  # torch's own
    found = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    assert len(found) == len(list(network.parameters()))
    return {"change": change.detach(), **found}


@pytest.mark.parametrize("n_lead", [0, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_compiled_step_is_the_plain_step(shape: tuple[int, int, int, int], n_lead: int) -> None:
    network, batch = made(), random_batch(shape, n_lead)
    found = results(network, batch)
    exact = batch._replace(**{name: getattr(batch, name).double() for name in TENSORS})
    wanted = results(copy.deepcopy(network).double(), exact)  # float64 takes the plain operations
    for name, value in wanted.items():
        error = (found[name].double() - value).abs().max().item()
        assert error <= TOLERANCE * max(value.abs().max().item(), 1e-3), f"{name}: off by {error}"


def line_by_line(network: FlightNetwork, line_features: Tensor, band_features: Tensor) -> Tensor:
    """The same taps by the recurrence, all tensors (B, 1, Z, X, ...) of one line."""
    blocks = [block for block in network.blocks if isinstance(block, FlightBlock)]
    zeros = torch.zeros(*line_features[:, :1].shape[:-1], network.config.features)
    states = [(zeros, zeros, torch.full_like(zeros, WEIGHT_UNIT), zeros) for _ in blocks]
    taps = []
    for y in range(line_features.shape[1]):
        spatial = line_features[:, y : y + 1]
        for convolution in network.line_convolutions:
            spatial = convolution(spatial, COLUMN_AXIS, 1)
        for i, block in enumerate(blocks):
            before, numerator, denominator, mix_before = states[i]
            both = torch.cat([before, spatial], -1)
            key, value, gate = block.key(both), block.value(both), block.gate(both)
            mean, numerator, denominator = next_means(block.memory.rates(), key, value, numerator, denominator)
            middle = clipped_sum(spatial, block.output(gate * mean))
            after = clipped_sum(middle, block.mixed(block.mix(torch.cat([mix_before, middle], -1))))
            states[i], spatial = (spatial, numerator, denominator, middle), after
        spectral = network.band_columns(band_features[:, y : y + 1], COLUMN_AXIS, 1)
        for convolution in network.band_convolutions:
            spectral = convolution(spectral, BAND_AXIS, 2)
        taps.append(network.taps(network.decoder(torch.cat([spatial, spectral], -1))))
    return torch.cat(taps, 1)


@pytest.mark.parametrize("shape", [(2, 6, 4, 7), (1, 3, 1, 1), (1, 1, 2, 3)])
def test_lines_one_by_one_equal_lines_at_once(shape: tuple[int, ...]) -> None:
    network = made()
    inputs = features(shape, LINE_FEATURES, 1), features(shape, BAND_FEATURES, 2)
    with torch.no_grad():
        whole, steps = network(*inputs), line_by_line(network, *inputs)
    assert whole.shape == (*shape, TAPS)
    assert torch.allclose(whole, steps, rtol=0, atol=TOLERANCE * whole.abs().max().item())


def test_context_is_left_out_of_the_taps_and_of_nothing_else() -> None:
    network = made()
    lines, bands = features((1, 4, 9, 8), LINE_FEATURES, 1), features((1, 4, 9, 8), BAND_FEATURES, 2)
    with torch.no_grad():
        whole, part = network(lines, bands), network(lines[:, :, 4:], bands, slice(2, 6))
    assert torch.allclose(whole[:, :, 4:, 2:6], part, rtol=0, atol=TOLERANCE * whole.abs().max().item())


class Counted(ClippedLinear):
    """A subclass with its own forward, as quantization has."""

    n_calls = 0

    def forward(self, values: Tensor, axis: int = COLUMN_AXIS, before: int = 0) -> Tensor:
        Counted.n_calls += 1
        return super().forward(values, axis, before)


def test_a_layer_of_another_class_is_always_called() -> None:
    network, other = made(layer=Counted), made()
    assert network.state_dict().keys() == other.state_dict().keys()
    batch = random_batch((1, 3, 2, 7), 4)
    Counted.n_calls = 0
    found, wanted = results(network, batch), results(other, batch)
    assert Counted.n_calls == sum(isinstance(module, Counted) for module in network.modules())
    for name, value in wanted.items():
        error = (found[name] - value).abs().max().item()
        assert error <= TOLERANCE * max(value.abs().max().item(), 1e-3), f"{name}: off by {error}"


def test_mixed_precision_takes_plain_operations_and_keeps_the_taps_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def watched(weight: Tensor, *arguments: Any, **options: Any) -> Any:
        sizes.append(len(weight))
        return clipped_product(weight, *arguments, **options)

    monkeypatch.setattr(flight_network, "clipped_product", watched)
    with torch.autocast("cpu", torch.bfloat16):
        corrections = random_batch((1, 3, 2, 7), 4).corrections(made())
    assert corrections.isfinite().all() and corrections.dtype == torch.float32
    assert sizes == [TAPS]


def test_activations_are_inside_their_bounds() -> None:
    low, high = Activation.SIGNED.bounds
    assert (low, high) == (-127 / 32, 127 / 32)
    layer = ClippedLinear(8, 4, Activation.SIGNED)
    out = layer(1000 * torch.randn(1, 2, 3, 4, 8))
    assert out.min() == low and out.max() == high


def test_macs_count_every_weight_once() -> None:
    network = FlightNetwork(FlightConfig(features=8, band_convolutions=1))
    line, band = 3 * LINE_FEATURES * 8 + 3 * 64, 3 * BAND_FEATURES * 8 + 3 * 64
    block = 3 * 2 * 64 + 64 + 2 * 64 + 64
    assert count_macs(network) == line + band + block + 2 * 64 + 8 * TAPS


def test_configurations_survive_their_dictionary() -> None:
    config = FlightConfig(features=20, line_convolutions=1, line_blocks=3, band_convolutions=0)
    assert FlightConfig.from_dict(config.to_dict()) == config
    assert config.to_dict()["preset"] == "flight"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"features": 3}, "features: found 3, allowed int at least 4, at most 128"),
        ({"features": 200}, "features: found 200, allowed int at least 4, at most 128"),
        ({"features": 8.0}, "features: found 8.0, allowed int at least 4, at most 128"),
        ({"line_blocks": 0}, "line_blocks: found 0, allowed int at least 1, at most 128"),
        ({"widths": 8}, "widths: not known, allowed features, line_convolutions, line_blocks, band_convolutions"),
    ],
)
def test_a_network_that_cannot_be_built_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        FlightConfig.from_dict(values)

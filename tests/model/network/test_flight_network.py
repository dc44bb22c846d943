"""Properties of the flight network in float: compiled equals plain, lines and groups one by one equal all at once."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from model.batches.flight_batches import FlightBatch
from model.kernels.clipped_product_cpu import clipped_product
from model.network import clipped_layers
from model.network.clipped_layers import BAND_AXIS, COLUMN_AXIS, INPUT_UNIT, Activation, ClippedLinear, clipped_sum
from model.network.flight_block import FlightBlock
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork, count_macs
from model.network.flight_wkv import WEIGHT_UNIT, next_means
from model.training.losses import rate_loss
from runtime.cell.flight_inputs import BAND_FEATURES, LEVELS, LINE_FEATURES, TAPS
from runtime.cell.integer_cell import CellShape
from runtime.errors import BadArgument

# float32 rounds to 6e-8; ten layers of sums of some hundred terms, relative to the largest value of a tensor
TOLERANCE = 2e-5
TENSORS = ("line_features", "band_features", "differences", "target", "scale")
CONFIG = FlightConfig(group=3, features=12, line_blocks=2, spectral_features=6)
CONFIGS = [
    CONFIG,  # a last group that is full, or not
    FlightConfig(group=1, features=8, spectral_features=5, band_convolutions=0),
    FlightConfig(group=16, features=5, line_convolutions=1, spectral_features=8, band_convolutions=2),  # a part of one
]
SHAPES = [(2, 5, 4, 7), (1, 1, 3, 6), (2, 3, 1, 6), (1, 4, 6, 5), (1, 1, 1, 5)]


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
        features(shape, LINE_FEATURES + LEVELS, 1),
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
@pytest.mark.parametrize("config", CONFIGS)
def test_the_compiled_step_is_the_plain_step(
    config: FlightConfig, shape: tuple[int, int, int, int], n_lead: int
) -> None:
    network, batch = made(config), random_batch(shape, n_lead)
    found = results(network, batch)
    exact = batch._replace(**{name: getattr(batch, name).double() for name in TENSORS})
    wanted = results(copy.deepcopy(network).double(), exact)  # float64 takes the plain operations
    for name, value in wanted.items():
        error = (found[name].double() - value).abs().max().item()
        assert error <= TOLERANCE * max(value.abs().max().item(), 1e-3), f"{name}: off by {error}"


def group_inputs(lines: Tensor, group: int) -> Tensor:
    """What the groups of bands of one line see, band by band: (B, 1, Z, X, 14) to (B, 1, N, X, 26 G)."""
    n_bands, found = lines.shape[BAND_AXIS], []
    for first in range(0, n_bands, group):
        nothing = torch.zeros_like(lines[:, :, 0])
        bands = [lines[:, :, z] if z < n_bands else nothing for z in range(first, first + group)]
        own = torch.cat([band[..., :LINE_FEATURES] for band in bands], -1)
        beyond = torch.zeros_like(own[:, :, :1])
        west, east = torch.cat([beyond, own[:, :, :-1]], 2), torch.cat([own[:, :, 1:], beyond], 2)
        found.append(torch.cat([west, own, east, *(band[..., LINE_FEATURES:] for band in bands)], -1))
    return torch.stack(found, BAND_AXIS)


def line_by_line(network: FlightNetwork, line_features: Tensor, band_features: Tensor) -> Tensor:
    """The same taps by the recurrence, all tensors (B, 1, Z, X, ...) of one line."""
    group, s = network.config.group, network.config.spectral_features
    blocks = [block for block in network.blocks if isinstance(block, FlightBlock)]
    n_batch, n_lines, n_bands, n_columns, _ = line_features.shape
    zeros = torch.zeros(n_batch, 1, -(-n_bands // group), n_columns, network.config.features)
    states = [(zeros, zeros, torch.full_like(zeros, WEIGHT_UNIT), zeros) for _ in blocks]
    taps = []
    for y in range(n_lines):
        spatial = network.line_convolutions[0](group_inputs(line_features[:, y : y + 1], group))
        for convolution in network.line_convolutions[1:]:
            spatial = convolution(spatial, COLUMN_AXIS, 1)
        for i, block in enumerate(blocks):
            before, numerator, denominator, mix_before = states[i]
            both = torch.cat([before, spatial], -1)
            key, value, gate = block.key(both), block.value(both), block.gate(both)
            mean, numerator, denominator = next_means(block.memory.rates(), key, value, numerator, denominator)
            middle = clipped_sum(spatial, block.output(gate * mean))
            after = clipped_sum(middle, block.mixed(block.mix(torch.cat([mix_before, middle], -1))))
            states[i], spatial = (spatial, numerator, denominator, middle), after
        shared = network.context(spatial)
        own = [shared[:, :, z // group, :, z % group * s : (z % group + 1) * s] for z in range(n_bands)]
        spectral = network.band_columns(band_features[:, y : y + 1], COLUMN_AXIS, 1)
        for convolution in network.band_convolutions:
            spectral = convolution(spectral, BAND_AXIS, 2)
        taps.append(network.taps(network.decoder(torch.cat([torch.stack(own, BAND_AXIS), spectral], -1))))
    return torch.cat(taps, 1)


@pytest.mark.parametrize("shape", [(2, 6, 4, 7), (1, 3, 1, 1), (1, 1, 6, 3)])
@pytest.mark.parametrize("config", CONFIGS)
def test_lines_one_by_one_equal_lines_at_once(config: FlightConfig, shape: tuple[int, ...]) -> None:
    network = made(config)
    inputs = features(shape, LINE_FEATURES + LEVELS, 1), features(shape, BAND_FEATURES, 2)
    with torch.no_grad():
        whole, steps = network(*inputs), line_by_line(network, *inputs)
    assert whole.shape == (*shape, TAPS)
    assert torch.allclose(whole, steps, rtol=0, atol=TOLERANCE * whole.abs().max().item())


@pytest.mark.parametrize("group", [1, 2, 4])
def test_context_is_left_out_of_the_taps_and_of_nothing_else(group: int) -> None:
    network = made(replace(CONFIG, group=group))  # the first band to predict is the first of a group
    lines, bands = features((1, 4, 9, 8), LINE_FEATURES + LEVELS, 1), features((1, 4, 9, 8), BAND_FEATURES, 2)
    with torch.no_grad():
        whole, part = network(lines, bands), network(lines[:, :, 4:], bands, slice(2, 6))
    assert torch.allclose(whole[:, :, 4:, 2:6], part, rtol=0, atol=TOLERANCE * whole.abs().max().item())


@pytest.mark.parametrize("group", [1, 3, 16])
def test_what_is_absent_is_as_if_there_were_nothing(group: int) -> None:
    """Bands after the last, bands before the first and columns beyond the ends of a scene, in one crop."""
    network = made(replace(CONFIG, group=group, band_convolutions=2))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))  # biases that would be seen
    lines, bands = features((1, 3, 5, 6), LINE_FEATURES + LEVELS, 1), features((1, 3, 5, 6), BAND_FEATURES, 2)
    present = torch.zeros(1, 4 + 5 + 4, 2 + 6 + 3, dtype=torch.bool)
    present[:, 4:9, 2:8] = True
    around = F.pad(lines, (0, 0, 2, 3, 0, 4)), F.pad(bands, (0, 0, 2, 3, 4, 4))
    with torch.no_grad():
        wanted, found = network(lines, bands), network(*around, slice(1, 10), present)
    assert torch.allclose(found[:, :, :5, 1:7], wanted, rtol=0, atol=TOLERANCE * wanted.abs().max().item())


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

    monkeypatch.setattr(clipped_layers, "clipped_product", watched)
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


def test_macs_count_every_weight_once_and_those_of_the_line_part_for_all_bands_of_a_group() -> None:
    config = FlightConfig(group=5, features=8, spectral_features=6, band_convolutions=2)
    first, block = 5 * (3 * LINE_FEATURES + LEVELS) * 8, (3 * 2 + 1 + 2 + 1) * 8 * 8
    line = first + 3 * 8 * 8 + block + 8 * 5 * 6
    spectral = 3 * BAND_FEATURES * 6 + 2 * 3 * 6 * 6 + 2 * 6 * 6 + 6 * TAPS
    assert line % 5 and count_macs(FlightNetwork(config)) == spectral + line // 5 + 1


@pytest.mark.parametrize("config", [*CONFIGS, FlightConfig()])
def test_macs_are_those_of_the_cell(config: FlightConfig) -> None:
    assert count_macs(FlightNetwork(config)) == CellShape.from_dict(config.to_dict()).macs


def test_configurations_survive_their_dictionary() -> None:
    config = FlightConfig(7, features=20, line_convolutions=1, line_blocks=3, spectral_features=9, band_convolutions=0)
    assert FlightConfig.from_dict(config.to_dict()) == config
    assert config.to_dict()["preset"] == "flight"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"group": 0}, "group: found 0, allowed int at least 1, at most 16"),
        ({"group": 17}, "group: found 17, allowed int at least 1, at most 16"),
        ({"features": 3}, "features: found 3, allowed int at least 4, at most 128"),
        ({"features": 200}, "features: found 200, allowed int at least 4, at most 128"),
        ({"features": 8.0}, "features: found 8.0, allowed int at least 4, at most 128"),
        ({"line_blocks": 0}, "line_blocks: found 0, allowed int at least 1, at most 16"),
        ({"spectral_features": 65}, "spectral_features: found 65, allowed int at least 4, at most 64"),
        (
            {"widths": 8},
            "widths: not known, allowed group, features, line_convolutions, line_blocks, spectral_features",
        ),
    ],
)
def test_a_network_that_cannot_be_built_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        FlightConfig.from_dict(values)

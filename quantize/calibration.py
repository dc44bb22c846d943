"""What the layers of the float network see on training crops, and the weight exponents that suit it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.batches.flight_batches import FlightBatch
from model.network.clipped_layers import COLUMN_AXIS, Activation, ClippedLinear, side_by_side
from model.network.flight_network import FlightNetwork
from quantize.flight_layers import QuantizedLinear, quantized_layers

ROWS_OF_BATCH = 4096  # places of a layer that are looked at in each batch


@dataclass
class LayerStatistics:
    """Sums of a float layer before its clip, at random places."""

    n: int = 0
    at_low: int = 0
    at_high: int = 0
    lowest: float = float("inf")
    highest: float = float("-inf")
    channel_highest: Tensor | None = None
    rows: list[Tensor] = field(default_factory=list)
    """The inputs of those sums, (n, n_in)."""

    def add(self, layer: ClippedLinear, rows: Tensor, generator: torch.Generator) -> None:
        """Count the sums of some of `rows` (N, n_in), and keep those."""
        picks = torch.randint(len(rows), (min(len(rows), ROWS_OF_BATCH),), generator=generator)
        rows = rows[picks]
        low, high = layer.activation.bounds
        sums = F.linear(rows, layer.weight, layer.bias)
        self.n += sums.numel()
        self.at_low += int((sums <= low).sum())
        self.at_high += int((sums >= high).sum())
        self.lowest = min(self.lowest, float(sums.min()))
        self.highest = max(self.highest, float(sums.max()))
        highest = sums.amax(0)
        before = self.channel_highest
        self.channel_highest = highest if before is None else torch.maximum(before, highest)
        self.rows.append(rows)

    def dead_channels(self, activation: Activation) -> int:
        """Channels whose output never left the lower clip."""
        assert self.channel_highest is not None
        return int((self.channel_highest <= activation.bounds[0]).sum())


def layer_statistics(network: FlightNetwork, batches: Iterable[FlightBatch], seed: int) -> dict[str, LayerStatistics]:
    """Statistics of every layer of a float network over some batches."""
    found: dict[str, LayerStatistics] = {}
    generator = torch.Generator().manual_seed(seed)
    hooks = []
    for name, module in network.named_modules():
        if isinstance(module, ClippedLinear):
            statistics = found[name] = LayerStatistics()

            def count(
                layer: nn.Module, inputs: tuple[Any, ...], output: Tensor, statistics: LayerStatistics = statistics
            ) -> None:
                assert isinstance(layer, ClippedLinear)
                values, axis, before = inputs if len(inputs) == 3 else (*inputs, COLUMN_AXIS, 0)
                rows = side_by_side(values, axis, before, layer.in_features)
                statistics.add(layer, rows.flatten(0, -2), generator)

            hooks.append(module.register_forward_hook(count))
    with torch.inference_mode():
        for batch in batches:
            network(batch.line_features, batch.band_features)
    for hook in hooks:
        hook.remove()
    return found


def output_errors(layer: QuantizedLinear, rows: Tensor) -> Tensor:
    """(n_out,), mean squared difference that rounded weights and biases make to the outputs of `rows` (N, n_in)."""
    bounds = layer.activation.bounds
    weight, bias, _ = layer.integers()
    unit = layer.weight_units()
    rounded = F.linear(rows, weight * unit[:, None], bias * (unit * layer.input_unit))
    exact = F.linear(rows, layer.weight, layer.bias)
    return (rounded.clamp(*bounds) - exact.clamp(*bounds)).square().mean(0)


@torch.no_grad()
def choose_exponents(network: FlightNetwork, statistics: dict[str, LayerStatistics]) -> dict[str, int]:
    """Set the exponents of a Brevitas network; returns how many channels of each layer clip their largest weights.

    For each channel there is the exponent of the largest weight, and the next finer one, which clips some weights and
    rounds all others half as much. The one with the smaller error of the layer's outputs is taken.
    """
    n_finer = {}
    for name, layer in quantized_layers(network):
        rows = torch.cat(statistics[name].rows)
        coarse = layer.largest_value_exponents()
        fine = layer.allowed_exponents(coarse - 1)
        errors = []
        for exponent in (coarse, fine):
            layer.exponent.copy_(exponent)
            errors.append(output_errors(layer, rows))
        is_finer = (errors[1] < errors[0]) & (fine < coarse)
        layer.exponent.copy_(torch.where(is_finer, fine, coarse))
        n_finer[name] = int(is_finer.sum())
    return n_finer


def saturated_shares(network: FlightNetwork, batches: Iterable[FlightBatch]) -> dict[str, tuple[float, float]]:
    """Share of each layer's INT8 outputs that are the smallest, and the largest, integer."""
    counts: dict[str, Tensor] = {}
    hooks = []
    for name, module in network.named_modules():
        if isinstance(getattr(module, "activation", None), Activation):
            counts[name] = torch.zeros(3, dtype=torch.float64)

            def count(layer: Any, inputs: tuple[Any, ...], output: Tensor, total: Tensor = counts[name]) -> None:
                low, high = layer.activation.bounds
                total.add_(torch.tensor([float((output <= low).sum()), float((output >= high).sum()), output.numel()]))

            hooks.append(module.register_forward_hook(count))
    with torch.inference_mode():
        for batch in batches:
            network(batch.line_features, batch.band_features)
    for hook in hooks:
        hook.remove()
    return {name: (float(low / n), float(high / n)) for name, (low, high, n) in counts.items()}

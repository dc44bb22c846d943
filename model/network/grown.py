"""A larger flight network that computes what a smaller one computes, so that training begins where that one ended.

New units see everything and reach no old one: the weights from them to old units are zero, and their own ways in are
those of a fresh network, so that gradients find them at once. A new block adds nothing to what passes by.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.network.flight_block import FlightBlock
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork

MAY_GROW = ("features", "spectral_features", "line_blocks")


class Places(NamedTuple):
    """How often the units of a layer's inputs, and of its outputs, stand side by side."""

    inputs: int
    outputs: int


def can_grow(small: FlightConfig, large: FlightConfig) -> bool:
    """Whether `large` differs from `small` in sizes alone that may grow, and in none is less."""
    sizes = {name: getattr(large, name) for name in MAY_GROW}
    return replace(small, **sizes) == large and all(size >= getattr(small, name) for name, size in sizes.items())


def grow(small: FlightNetwork, large: FlightNetwork) -> None:
    """Give `large`, which is fresh, the function of `small`; `can_grow` holds of their shapes."""
    for block in large.blocks[len(small.blocks) :]:
        assert isinstance(block, FlightBlock)
        for layer in (block.output, block.mixed):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
    parts = dict(large.named_modules())
    for name, layer, places in layers(small):
        grown = parts[name]
        assert isinstance(grown, nn.Linear)
        fill(grown, layer, places)
    with torch.no_grad():
        for here, there in zip(small.blocks, large.blocks, strict=False):
            assert isinstance(here, FlightBlock) and isinstance(there, FlightBlock)
            there.memory.rate[: len(here.memory.rate)] = here.memory.rate


def layers(network: FlightNetwork) -> Iterator[tuple[str, nn.Linear, Places]]:
    """Each layer with its name; an input of the network is one unit that does not grow."""
    config = network.config
    widths = {"line_convolutions.0": 0, "band_columns": 0, "band_convolutions": config.spectral_features}
    widths |= {"decoder": config.spectral_features, "taps": config.spectral_features}
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Linear):
            own = [width for start, width in widths.items() if name.startswith(start)]
            width = own[0] if own else config.features
            n_places = layer.in_features // width if width else 1
            yield name, layer, Places(n_places, config.group if name == "context" else 1)


def fill(grown: nn.Linear, layer: nn.Linear, places: Places) -> None:
    """Put the weights of a layer where its units are in the grown one, and zeros from the new units to them."""

    def split(weight: Tensor) -> Tensor:
        n_out, n_in = weight.shape
        return weight.view(places.outputs, n_out // places.outputs, places.inputs, n_in // places.inputs)

    with torch.no_grad():
        target, source = split(grown.weight), split(layer.weight)
        n_out, n_in = source.shape[1], source.shape[3]
        target[:, :n_out] = 0
        target[:, :n_out, :, :n_in] = source
        grown.bias.view(places.outputs, -1)[:, :n_out] = layer.bias.view(places.outputs, -1)

"""Brevitas networks with all kinds of weights, and the integer reference run on what a network is fed."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.network.clipped_layers import INPUT_UNIT
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from quantize.flight_layers import quantized_network, take_weights
from runtime.cell.flight_inputs import BAND_FEATURES, LEVELS, LINE_FEATURES, TAP_BITS
from runtime.cell.integer_cell import IntegerCell
from tests.reference import int8_cell

Features = tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]


def network_of(config: FlightConfig, seed: int, weight_bits: int = 8, kind: str = "alive") -> FlightNetwork:
    """A network with weights of one kind: first ones of a training, alive and saturating, of wild sizes."""
    torch.manual_seed(seed)
    network = FlightNetwork(config)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if kind == "alive" and parameter.ndim > 1:
                parameter.mul_(torch.empty(len(parameter), 1).uniform_(0.5, 6))
            elif kind == "alive" and not name.endswith("rate"):
                parameter.add_(torch.randn_like(parameter) * 0.5)
            elif kind == "wild":
                shape = (len(parameter),) + (1,) * (parameter.ndim - 1)
                parameter.mul_(torch.exp(torch.empty(shape).uniform_(-30, 15)))
                parameter[0] = 0
    quantized = quantized_network(config, weight_bits)
    take_weights(quantized, network.state_dict())
    return quantized.eval()


def random_features(generator: np.random.Generator, shape: tuple[int, int, int], kind: str = "any") -> Features:
    """Line features with levels, and band features, (Y, Z, X, n): of all sizes, or nothing but extremes."""

    def draw(n_columns: int, n: int) -> npt.NDArray[np.int8]:
        size = (*shape[:2], n_columns)
        if kind == "extreme":
            return generator.choice(np.array([-127, 127], np.int8), (*size, n))
        reach = generator.integers(1, 128, (*size, 1))
        return (generator.integers(-127, 128, (*size, n)) * reach // 127).astype(np.int8)

    levels = np.repeat(draw(1, LEVELS), shape[2], axis=2)  # a band's levels are equal in all columns
    return np.concatenate([draw(shape[2], LINE_FEATURES), levels], -1), draw(shape[2], BAND_FEATURES)


def as_tensors(features: Features) -> tuple[Tensor, Tensor]:
    """What the network is fed: a batch of one."""
    lines, bands = (torch.from_numpy(part[None]).float() * INPUT_UNIT for part in features)
    return lines, bands


def taps_of(network: FlightNetwork, features: Features) -> npt.NDArray[np.float32]:
    """Taps (Y, Z, X, TAPS) in 1/1024, not rounded."""
    with torch.no_grad():
        taps: npt.NDArray[np.float32] = (network(*as_tensors(features))[0] * (1 << TAP_BITS)).numpy()
    return taps


def reference_taps(cell: IntegerCell, features: Features) -> npt.NDArray[np.int64]:
    """Taps (Y, Z, X, TAPS) of the int64 reference, line after line."""
    lines, bands = features
    state: dict[str, Any] = int8_cell.initial_state(cell, *lines.shape[1:3])
    taps = []
    for line_features, band_features in zip(lines, bands, strict=True):
        found, state = int8_cell.step(cell, line_features, band_features, state)
        taps.append(found)
    return np.stack(taps)

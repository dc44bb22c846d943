"""The two kinds of network, and what training needs of either."""

from typing import Any

import numpy as np
import numpy.typing as npt

from model.evaluation import evaluate, flight_evaluate
from model.evaluation.evaluate import CodedSize
from model.network import flight_network
from model.network import network as paper_network
from model.network.config import PRESETS, NetworkConfig
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.network.network import LineRwkv
from runtime.checked_table import shown, wrong

AnyConfig = NetworkConfig | FlightConfig
AnyNetwork = LineRwkv | FlightNetwork


def network_config(values: Any, where: str) -> AnyConfig:
    """The configuration of a `[network]` table; `preset = "flight"` is the flight network.

    where: the file, for errors. Raises BadArgument.
    """
    preset = values.get("preset") if isinstance(values, dict) else None
    if preset not in (None, "flight", *PRESETS):
        raise wrong(where, "network.preset", preset, ", ".join(map(shown, ("flight", *PRESETS))))
    return FlightConfig.from_dict(values, where) if preset == "flight" else NetworkConfig.from_dict(values, where)


def build(config: AnyConfig) -> AnyNetwork:
    """An untrained network."""
    return FlightNetwork(config) if isinstance(config, FlightConfig) else LineRwkv(config)


def coded_size(network: AnyNetwork, samples: npt.NDArray[np.int32], segment_lines: int) -> CodedSize:
    """What a scene (Y, Z, X) takes in float, each segment coded by the coder of the stream. Raises BadArgument."""
    network.eval()
    if isinstance(network, FlightNetwork):
        return flight_evaluate.coded_size(network, samples, segment_lines)
    return evaluate.coded_size(network, samples, segment_lines)


def count_macs(network: AnyNetwork) -> int:
    """Multiply-accumulates of all matrix products for one sample of one line, as the step cell runs them."""
    if isinstance(network, FlightNetwork):
        return flight_network.count_macs(network)
    return paper_network.count_macs(network)

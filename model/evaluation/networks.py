"""The two kinds of network, and what training needs of either."""

from typing import Any, Literal

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
from runtime.checked_table import checked_value

AnyConfig = NetworkConfig | FlightConfig
AnyNetwork = LineRwkv | FlightNetwork


def network_config(values: Any, where: str = "network configuration") -> AnyConfig:
    """The configuration of a table `[network]`; `preset` gives the kind of network and what the table does not say.

    where: the file, for errors. Raises BadArgument.
    """
    if not isinstance(values, dict) or "preset" not in values:
        return NetworkConfig.from_dict(values, where)
    preset = checked_value(Literal["flight", "paper", "small"], values["preset"], where, "network.preset")
    if preset == "flight":
        return FlightConfig.from_dict(values, where)
    given = {key: value for key, value in values.items() if key != "preset"}
    return NetworkConfig.from_dict(PRESETS[preset].to_dict() | given, where)


def build(config: AnyConfig) -> AnyNetwork:
    """An untrained network."""
    return FlightNetwork(config) if isinstance(config, FlightConfig) else LineRwkv(config)


def coded_size(network: AnyNetwork, samples: npt.NDArray[np.int32], segment_lines: int) -> CodedSize:
    """What a scene (Y, Z, X) takes in float, each segment coded by the coder of the stream. Raises BadArgument."""
    network.eval()
    samples = np.ascontiguousarray(samples)  # an older copy in the cache may lie otherwise
    if isinstance(network, FlightNetwork):
        return flight_evaluate.coded_size(network, samples, segment_lines)
    return evaluate.coded_size(network, samples, segment_lines)


def count_macs(network: AnyNetwork) -> int:
    """Multiply-accumulates of all matrix products for one sample of one line, as the step cell runs them."""
    if isinstance(network, FlightNetwork):
        return flight_network.count_macs(network)
    return paper_network.count_macs(network)

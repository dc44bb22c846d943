"""Where the loss comes from: one part of the network rounded, the others in float."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from model.evaluation.flight_evaluate import coded_size
from model.network.flight_network import FlightNetwork
from quantize.flight_layers import QuantizedMemory, quantized_layers

CROP = (33, 96, 48)
"""Lines, bands and columns of the crop of each scene, at most: its middle."""
WEIGHTS, OUTPUTS, EVERYTHING = "all weights", "all activations", "everything"


def middle(samples: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """A crop (Y, Z, X) from the middle of a scene."""
    starts = [max(0, (n - wanted) // 2) for n, wanted in zip(samples.shape, CROP, strict=True)]
    parts = tuple(slice(start, start + wanted) for start, wanted in zip(starts, CROP, strict=True))
    return np.ascontiguousarray(samples[parts])


def set_all(network: FlightNetwork, *, weights: bool, outputs: bool) -> None:
    """Round weights with the memories' rates and sums apart, activations with the memories' means and products."""
    for _, layer in quantized_layers(network):
        layer.switch(weights=weights, outputs=outputs)
    for module in network.modules():
        if isinstance(module, QuantizedMemory):
            module.is_integer = outputs


def losses(network: FlightNetwork, crops: list[npt.NDArray[np.int32]]) -> dict[str, float]:
    """Mean bits per sample over `crops` that each part costs by being rounded alone; negative: it gains.

    A layer's part is its weights, biases and outputs; a memory's, its rates, sums, means and the product with the gate.
    """
    network.eval()

    def rate() -> float:
        return float(np.mean([coded_size(network, crop, len(crop)).bits_per_sample for crop in crops]))

    set_all(network, weights=False, outputs=False)
    base = rate()
    found: dict[str, float] = {}
    parts: dict[str, Callable[[bool], None]] = {}
    for name, module in network.named_modules():
        if isinstance(module, QuantizedMemory):
            parts[name] = lambda on, memory=module: setattr(memory, "is_integer", on)  # type: ignore[misc]  # a default argument
    for name, layer in quantized_layers(network):
        parts[name] = lambda on, layer=layer: layer.switch(weights=on, outputs=on)  # type: ignore[misc]  # a default argument
    for name, switch in parts.items():
        switch(True)
        found[name] = rate() - base
        switch(False)
    for name, weights, outputs in ((WEIGHTS, True, False), (OUTPUTS, False, True), (EVERYTHING, True, True)):
        set_all(network, weights=weights, outputs=outputs)
        found[name] = rate() - base
    return found

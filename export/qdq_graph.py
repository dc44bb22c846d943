"""Convolutions in QDQ form as accelerators want them, collected one after another: static INT8, tensors (1, C, N, X).

All activations are integers with scale 1, per tensor, uint8 with zero point 128 or int8 with 0. Weights are int8,
symmetric; biases are int32.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from export.graph_builder import GraphBuilder
from runtime.executors.subgraph_cell import ZERO_POINTS


class Kernels(NamedTuple):
    """Layers as the weights of one convolution."""

    weight: npt.NDArray[np.int8]
    """(n_out, n_in, 1, places)."""
    bias: npt.NDArray[np.int32]
    """(n_out,)."""
    scale: npt.NDArray[np.float32]
    """2**-shift: () where all shifts are equal, else (n_out,)."""


class QdqGraph:
    """A graph for tiles of one size while it is built; a size that is a str stays open."""

    def __init__(self, activation: str, n_groups: int | str, n_columns: int | str) -> None:
        self.activation = activation
        self.n_groups, self.n_columns = n_groups, n_columns
        self.graph = GraphBuilder()
        self.scale = np.array(1, np.float32)
        self.zero_point = np.array(ZERO_POINTS[activation], activation)

    def source(self, name: str, n_channels: int) -> str:
        """A quantised input, dequantised."""
        self.graph.add_input(name, self.activation, [1, n_channels, self.n_groups, self.n_columns])
        return self.graph.node("DequantizeLinear", name, self.scale, self.zero_point)

    def result(self, name: str, values: str, n_channels: int) -> None:
        """A quantised output."""
        self.graph.add_output(name, self.activation, [1, n_channels, self.n_groups, self.n_columns])
        self.graph.node("QuantizeLinear", values, self.scale, self.zero_point, name=name)

    def requantised(self, values: str) -> str:
        """Values after a quantiser: rounded and in the range of the activation's type."""
        integers = self.graph.node("QuantizeLinear", values, self.scale, self.zero_point)
        return self.graph.node("DequantizeLinear", integers, self.scale, self.zero_point)

    def convolved(self, kernels: Kernels, values: str, *, is_positive: bool) -> str:
        """One convolution, requantised; `is_positive` lifts it to 0."""
        zeros = np.zeros(kernels.scale.shape, np.int8)
        weight = self.graph.node("DequantizeLinear", kernels.weight, kernels.scale, zeros, axis=0)
        bias = self.graph.node("DequantizeLinear", kernels.bias, kernels.scale, axis=0)
        sums = self.requantised(self.convolution(values, weight, bias, kernels.weight.shape[3]))
        return self.requantised(self.graph.node("Relu", sums)) if is_positive else sums

    def convolution(self, values: str, weight: str, bias: str, n_places: int) -> str:
        """A convolution with zeros beyond the ends of a line."""
        pads = [0, n_places // 2, 0, n_places // 2]
        return self.graph.node("Conv", values, weight, bias, kernel_shape=[1, n_places], pads=pads)

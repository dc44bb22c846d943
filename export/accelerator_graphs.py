"""The dense part of the cell as static INT8 sub-graphs in QDQ format, one between two steps of the host.

Convolutions in (1, C, B, X), as accelerators want them. All activations are integers with scale 1, per tensor, uint8
with zero point 128 or int8 with 0. Weights are int8, symmetric; their scale is 2**-shift: per tensor where a layer has
one shift, else per output channel. Biases are int32. So a quantiser after a convolution is the layer's rounding, but
for halves, which doubled layers do not meet (runtime/cell/tie_free.py), and its -128, which the host clips.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnx

from export.graph_builder import END, GraphBuilder
from runtime.cell.flight_inputs import BAND_FEATURES, LINE_FEATURES
from runtime.cell.flight_package import NEXT
from runtime.cell.integer_cell import IntegerCell, IntegerLayer
from runtime.cell.tie_free import tie_free_layer
from runtime.errors import BadArgument
from runtime.executors.subgraph_cell import ZERO_POINTS, subgraph_names

ROWS = 2
"""The axis of bands in (1, C, B, X)."""
DEFAULT_TILE = (4, 1000)
"""Bands and columns of a tile where none is given."""


def accelerator_graphs(
    cell: IntegerCell, *, n_bands: int | None, n_columns: int | None, activation: str = "uint8"
) -> dict[str, onnx.ModelProto]:
    """All sub-graphs of a cell by name, for tiles of `n_bands` bands; `None` leaves a size open, for tests.

    Raises BadArgument for an activation other than `uint8` and `int8`.
    """
    if activation not in ZERO_POINTS:
        raise BadArgument(f"activation {activation!r}, allowed {', '.join(ZERO_POINTS)}")
    sizes = (n_bands or "bands", n_columns or "columns")
    return {name: SubGraph(cell, activation, *sizes).built(name) for name in subgraph_names(cell)}


class Kernels(NamedTuple):
    """Layers as the weights of one convolution."""

    weight: npt.NDArray[np.int8]
    """(n_out, n_in, rows, columns)."""
    bias: npt.NDArray[np.int32]
    """(n_out,)."""
    scale: npt.NDArray[np.float32]
    """2**-shift: () where all shifts are equal, else (n_out,)."""


def joined_kernels(layers: list[IntegerLayer], kernel: tuple[int, int]) -> Kernels:
    """Layers on the same inputs, whose places lie side by side, as one convolution."""
    weight = np.concatenate([layer.weight for layer in layers])  # (n_out, places n_in)
    n_places = kernel[0] * kernel[1]
    weight = weight.reshape(len(weight), n_places, -1).transpose(0, 2, 1).reshape(len(weight), -1, *kernel)
    scale = (2.0 ** -np.concatenate([layer.shift for layer in layers]).astype(np.float64)).astype(np.float32)
    if (scale == scale[0]).all():
        scale = scale[0].reshape(())
    return Kernels(weight, np.concatenate([layer.bias for layer in layers]), scale)


class SubGraph:
    """One sub-graph while it is built."""

    def __init__(self, cell: IntegerCell, activation: str, n_bands: int | str, n_columns: int | str) -> None:
        self.cell = cell
        self.activation = activation
        self.n_bands, self.n_columns = n_bands, n_columns
        self.graph = GraphBuilder()
        self.scale = np.array(1, np.float32)
        self.zero_point = np.array(ZERO_POINTS[activation], activation)

    def built(self, name: str) -> onnx.ModelProto:
        """The sub-graph of this name as a model."""
        self.append(name)
        return self.graph.model(name)

    def append(self, name: str) -> None:
        """Add the nodes, inputs and outputs of the sub-graph of this name."""
        part, _, index = name.partition("_")
        parts: dict[str, Callable[[str], None]] = {
            "enter": self.enter,
            "project": self.project,
            "output": self.output,
            "mix": self.mix,
            "decode": self.decode,
        }
        parts[part](f"blocks.{index}.")

    def enter(self, _: str) -> None:
        """Column convolutions of both inputs, and the band convolutions with the bands before the tile."""
        shape = self.cell.shape
        values = self.source("line_features", LINE_FEATURES)
        for i in range(shape.line_convolutions):
            is_last = i == shape.line_convolutions - 1
            values = self.dense([f"line_convolutions.{i}"], values, (1, 3), None if is_last else "positive")
        self.result("spatial", values, shape.features)
        values = self.dense(["band_columns"], self.source("band_features", BAND_FEATURES), (1, 3), "positive")
        for i in range(shape.band_convolutions):
            before = self.source(f"bands_{i}", shape.features, 2)
            rows = self.joined(before, values)
            self.result(f"bands_{i}{NEXT}", self.last_two(rows), shape.features, 2)
            values = self.dense([f"band_convolutions.{i}"], rows, (3, 1), "positive")
        self.result("spectral", values, shape.features)

    def project(self, block: str) -> None:
        """Key, value and gate as one convolution; the host clips them."""
        names = [block + part for part in ("key", "value", "gate")]
        both = self.source("both", 2 * self.cell.shape.features)
        self.result("projected", self.dense(names, both, (1, 1)), 3 * self.cell.shape.features)

    def output(self, block: str) -> None:
        """What the gated mean adds."""
        gated = self.source("gated", self.cell.shape.features)
        self.result("change", self.dense([block + "output"], gated, (1, 1)), self.cell.shape.features)

    def mix(self, block: str) -> None:
        """What the channel mix adds."""
        values = self.dense([block + "mix"], self.source("both", 2 * self.cell.shape.features), (1, 1), "positive")
        self.result("change", self.dense([block + "mixed"], values, (1, 1)), self.cell.shape.features)

    def decode(self, _: str) -> None:
        """The decoder's hidden layer; the taps have 14 bits and are the host's."""
        both = self.source("both", 2 * self.cell.shape.features)
        self.result("decoded", self.dense(["decoder"], both, (1, 1)), self.cell.shape.features)

    def source(self, name: str, n_channels: int, n_bands: int | None = None) -> str:
        """A quantised input, dequantised."""
        self.graph.add_input(name, self.activation, [1, n_channels, n_bands or self.n_bands, self.n_columns])
        return self.graph.node("DequantizeLinear", name, self.scale, self.zero_point)

    def result(self, name: str, values: str, n_channels: int, n_bands: int | None = None) -> None:
        """A quantised output."""
        self.graph.add_output(name, self.activation, [1, n_channels, n_bands or self.n_bands, self.n_columns])
        self.graph.node("QuantizeLinear", values, self.scale, self.zero_point, name=name)

    def joined(self, before: str, values: str) -> str:
        """The bands before the tile and those of the tile."""
        return self.requantised(self.graph.node("Concat", before, values, axis=ROWS))

    def last_two(self, rows: str) -> str:
        """The last two bands of these."""
        return self.requantised(self.graph.slice(rows, -2, END, ROWS))

    def requantised(self, values: str) -> str:
        """Values after a quantiser: rounded and in the range of the activation's type."""
        integers = self.graph.node("QuantizeLinear", values, self.scale, self.zero_point)
        return self.graph.node("DequantizeLinear", integers, self.scale, self.zero_point)

    def dense(self, names: list[str], values: str, kernel: tuple[int, int], sign: str | None = None) -> str:
        """One convolution of the layers of these names, requantised; `positive` lifts it to 0."""
        layers = [self.cell.layers[name] for name in names]
        kernels = joined_kernels([tie_free_layer(layer) or layer for layer in layers], kernel)
        zeros = np.zeros(kernels.scale.shape, np.int8)
        weight = self.graph.node("DequantizeLinear", kernels.weight, kernels.scale, zeros, axis=0)
        bias = self.graph.node("DequantizeLinear", kernels.bias, kernels.scale, axis=0)
        sums = self.requantised(self.convolution(values, weight, bias, kernel))
        return self.requantised(self.graph.node("Relu", sums)) if sign == "positive" else sums

    def convolution(self, values: str, weight: str, bias: str, kernel: tuple[int, int]) -> str:
        """A convolution with zeros beyond the ends of a line; bands before a tile are among its inputs."""
        pads = [0, kernel[1] // 2, 0, kernel[1] // 2]
        return self.graph.node("Conv", values, weight, bias, kernel_shape=list(kernel), pads=pads)

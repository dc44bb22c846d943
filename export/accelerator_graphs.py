"""The dense part of the line part as static INT8 sub-graphs in QDQ format, one between two steps of the host.

Convolutions in (1, C, N, X), N groups of bands, as accelerators want them. All activations are integers with scale 1,
per tensor, uint8 with zero point 128 or int8 with 0. Weights are int8, symmetric; their scale is 2**-shift: per tensor
where a layer has one shift, else per output channel. Biases are int32. So a quantiser after a convolution is the
layer's rounding, but for halves, which doubled layers do not meet (runtime/cell/tie_free.py), and its -128, which the
host clips.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnx

from export.graph_builder import GraphBuilder
from runtime.cell.flight_inputs import LEVELS, LINE_FEATURES
from runtime.cell.integer_cell import IntegerCell, IntegerLayer
from runtime.cell.tie_free import tie_free_layer
from runtime.errors import BadArgument
from runtime.executors.subgraph_cell import ZERO_POINTS, subgraph_layers

DEFAULT_TILE = (1, 1000)
"""Groups and columns of a tile where none is given."""
PLACES = 3
"""West, here, east of a column convolution."""


def accelerator_graphs(
    cell: IntegerCell, *, n_groups: int | None, n_columns: int | None, activation: str = "uint8"
) -> dict[str, onnx.ModelProto]:
    """All sub-graphs of a cell by name, for tiles of `n_groups` groups; `None` leaves a size open, for tests.

    Raises BadArgument for an activation other than `uint8` and `int8`.
    """
    if activation not in ZERO_POINTS:
        raise BadArgument(f"activation {activation!r}, allowed {', '.join(ZERO_POINTS)}")
    sizes = (n_groups or "groups", n_columns or "columns")
    return {name: SubGraph(cell, activation, *sizes).built(name) for name in subgraph_layers(cell.shape)}


class Kernels(NamedTuple):
    """Layers as the weights of one convolution."""

    weight: npt.NDArray[np.int8]
    """(n_out, n_in, 1, places)."""
    bias: npt.NDArray[np.int32]
    """(n_out,)."""
    scale: npt.NDArray[np.float32]
    """2**-shift: () where all shifts are equal, else (n_out,)."""


def joined_kernels(layers: list[IntegerLayer], n_places: int) -> Kernels:
    """Layers on the same inputs, whose places lie side by side, as one convolution."""
    weight = np.concatenate([layer.weight for layer in layers])  # (n_out, places n_in)
    weight = weight.reshape(len(weight), n_places, -1).transpose(0, 2, 1)[:, :, None]
    scale = (2.0 ** -np.concatenate([layer.shift for layer in layers]).astype(np.float64)).astype(np.float32)
    if (scale == scale[0]).all():
        scale = scale[0].reshape(())
    return Kernels(weight, np.concatenate([layer.bias for layer in layers]), scale)


def with_levels_beside(cell: IntegerCell) -> IntegerLayer:
    """The first layer as a convolution of line features and levels side by side, which are repeated over the columns.

    Beside a column the levels weigh nothing: outside the line there are none.
    """
    layer, group = cell.layers["line_convolutions.0"], cell.shape.group
    n_features, n_out = group * LINE_FEATURES, len(layer.weight)
    places = np.zeros((n_out, PLACES, n_features + group * LEVELS), np.int8)
    places[:, :, :n_features] = layer.weight[:, : PLACES * n_features].reshape(n_out, PLACES, n_features)
    places[:, PLACES // 2, n_features:] = layer.weight[:, PLACES * n_features :]
    weight = places.reshape(n_out, -1)
    return replace(layer, spec=replace(layer.spec, n_in=weight.shape[1]), weight=weight)


class SubGraph:
    """One sub-graph while it is built."""

    def __init__(self, cell: IntegerCell, activation: str, n_groups: int | str, n_columns: int | str) -> None:
        self.cell = cell
        self.activation = activation
        self.n_groups, self.n_columns = n_groups, n_columns
        self.layers = {**cell.layers, "line_convolutions.0": with_levels_beside(cell)}
        self.graph = GraphBuilder()
        self.scale = np.array(1, np.float32)
        self.zero_point = np.array(ZERO_POINTS[activation], activation)

    def built(self, name: str) -> onnx.ModelProto:
        """The sub-graph of this name as a model."""
        self.append(name)
        return self.graph.model(name)

    def append(self, name: str) -> None:
        """Add the nodes, inputs and outputs of the sub-graph of this name."""
        shape = self.cell.shape
        n, part = shape.features, name.partition("_")[0]
        layers = subgraph_layers(shape)[name]
        if part == "enter":  # column convolutions
            values = self.source("inputs", shape.group * (LINE_FEATURES + LEVELS))
            for i, layer in enumerate(layers):
                values = self.dense([layer], values, PLACES, is_positive=i < len(layers) - 1)
            self.result("spatial", values, n)
        elif part == "project":  # key, value and gate as one convolution; the host clips them
            self.result("projected", self.dense(layers, self.source("both", 2 * n)), 3 * n)
        elif part == "output":  # what the gated mean adds
            self.result("change", self.dense(layers, self.source("gated", n)), n)
        elif part == "mix":  # what the channel mix adds
            mix, mixed = layers
            values = self.dense([mix], self.source("both", 2 * n), is_positive=True)
            self.result("change", self.dense([mixed], values), n)
        else:
            values = self.dense(layers, self.source("spatial", n))
            self.result("contexts", values, shape.group * shape.spectral_features)

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

    def dense(self, names: list[str], values: str, n_places: int = 1, *, is_positive: bool = False) -> str:
        """One convolution of the layers of these names, requantised; `is_positive` lifts it to 0."""
        layers = [self.layers[name] for name in names]
        kernels = joined_kernels([tie_free_layer(layer) or layer for layer in layers], n_places)
        zeros = np.zeros(kernels.scale.shape, np.int8)
        weight = self.graph.node("DequantizeLinear", kernels.weight, kernels.scale, zeros, axis=0)
        bias = self.graph.node("DequantizeLinear", kernels.bias, kernels.scale, axis=0)
        sums = self.requantised(self.convolution(values, weight, bias, n_places))
        return self.requantised(self.graph.node("Relu", sums)) if is_positive else sums

    def convolution(self, values: str, weight: str, bias: str, n_places: int) -> str:
        """A convolution with zeros beyond the ends of a line."""
        pads = [0, n_places // 2, 0, n_places // 2]
        return self.graph.node("Conv", values, weight, bias, kernel_shape=[1, n_places], pads=pads)

"""The dense part of the line part as static INT8 sub-graphs in QDQ format, one between two steps of the host.

Convolutions of export/qdq_graph.py over N groups of bands. The scale of weights is 2**-shift: per tensor where a layer
has one shift, else per output channel. So a quantiser after a convolution is the layer's rounding, but for halves,
which doubled layers do not meet (runtime/cell/tie_free.py), and its -128, which the host clips.
"""

from dataclasses import replace

import numpy as np
import onnx

from export.qdq_graph import Kernels, QdqGraph
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


class SubGraph(QdqGraph):
    """One sub-graph while it is built."""

    def __init__(self, cell: IntegerCell, activation: str, n_groups: int | str, n_columns: int | str) -> None:
        super().__init__(activation, n_groups, n_columns)
        self.cell = cell
        self.layers = {**cell.layers, "line_convolutions.0": with_levels_beside(cell)}

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

    def dense(self, names: list[str], values: str, n_places: int = 1, *, is_positive: bool = False) -> str:
        """One convolution of the layers of these names, requantised; `is_positive` lifts it to 0."""
        layers = [self.layers[name] for name in names]
        kernels = joined_kernels([tie_free_layer(layer) or layer for layer in layers], n_places)
        return self.convolved(kernels, values, is_positive=is_positive)

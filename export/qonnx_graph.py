"""The dense part of the line part in QONNX, the dialect of FPGA flows such as FINN and hls4ml.

One graph with all sub-graphs of export/accelerator_graphs.py side by side, tensors named after theirs: `enter_spatial`,
`project_0_both`. Values are float32 that hold integers. A Quant node clips, then rounds down, and half a unit is in the
bias, so that each layer is exactly the arithmetic's, its clip included, for any weights.
"""

import numpy as np
import onnx

from export.accelerator_graphs import SubGraph, joined_kernels
from export.graph_builder import Array
from runtime.cell.integer_cell import IntegerCell
from runtime.executors.subgraph_cell import subgraph_layers

DOMAIN = "qonnx.custom_op.general"
SIGNED_BITS, POSITIVE_BITS, WEIGHT_BITS, BIAS_BITS = 8, 7, 8, 25


def qonnx_graph(cell: IntegerCell, *, n_groups: int, n_columns: int) -> onnx.ModelProto:
    """The dense part for tiles of `n_groups` groups and `n_columns` columns, tensors (1, C, N, X) float32."""
    whole = QonnxGraph(cell, "int8", n_groups, n_columns)
    for name in subgraph_layers(cell.shape):
        whole.prefix = f"{name}_"
        whole.append(name)
    return whole.graph.model("dense_part", DOMAIN)


class QonnxGraph(SubGraph):
    """The sub-graphs with Quant nodes in place of quantisers."""

    prefix = ""

    def quant(self, values: str | Array, scale: Array, n_bits: int, is_signed: bool, name: str | None = None) -> str:
        """Values rounded down to multiples of `scale`, in the range of `n_bits` without its smallest number."""
        zero, bits = np.array(0, np.float32), np.array(n_bits, np.float32)
        kind = {"signed": int(is_signed), "narrow": int(is_signed), "rounding_mode": "FLOOR"}
        return self.graph.node("Quant", values, scale, zero, bits, name=name, domain=DOMAIN, **kind)

    def source(self, name: str, n_channels: int) -> str:
        """An input of integers."""
        shape = [1, n_channels, self.n_groups, self.n_columns]
        return self.quant(self.graph.add_input(self.prefix + name, "float32", shape), self.scale, SIGNED_BITS, True)

    def result(self, name: str, values: str, n_channels: int) -> None:
        """An output of integers; the last Quant changes nothing but its name."""
        self.graph.add_output(self.prefix + name, "float32", [1, n_channels, self.n_groups, self.n_columns])
        self.quant(values, self.scale, SIGNED_BITS, True, self.prefix + name)

    def dense(self, names: list[str], values: str, n_places: int = 1, *, is_positive: bool = False) -> str:
        """One convolution of the layers of these names, clipped and rounded down."""
        layers = [self.layers[name] for name in names]
        kernels = joined_kernels(layers, n_places)
        weight_scale = kernels.scale.reshape(-1, 1, 1, 1) if kernels.scale.ndim else kernels.scale
        shift = np.concatenate([layer.shift for layer in layers]).astype(np.int64)
        bias = kernels.bias.astype(np.int64) + (1 << (shift - 1))
        weights = self.quant((kernels.weight * weight_scale).astype(np.float32), weight_scale, WEIGHT_BITS, True)
        biases = self.quant((bias * kernels.scale).astype(np.float32), kernels.scale, BIAS_BITS, True)
        sums = self.convolution(values, weights, biases, n_places)
        return self.quant(sums, self.scale, POSITIVE_BITS if is_positive else SIGNED_BITS, not is_positive)

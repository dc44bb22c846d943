"""The graphs of the probe: each operator of the dense sub-graphs alone, in their form (export/qdq_graph.py)."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import onnx

from export.qdq_graph import Kernels, QdqGraph
from hil_tests.accelerators.arithmetic_rules import Integers, Operator
from hil_tests.accelerators.probe_vectors import Rows, probe_columns, probe_rows
from runtime.executors.array_executor import Arrays
from runtime.executors.subgraph_cell import ZERO_POINTS

SOURCE, RESULT = "values", "found"


@dataclass(frozen=True)
class ProbeGraph:
    """One operator with its vectors."""

    name: str
    """For people, in the plural."""
    activation: str
    n_channels: int
    n_places: int = 1
    one_shift: bool = False
    is_lifted: bool = False

    @cached_property
    def rows(self) -> Rows:
        """The layer; its inputs are (place, channel), places first."""
        return probe_rows(self.n_places * self.n_channels, one_shift=self.one_shift)

    @cached_property
    def line(self) -> Integers:
        """The input's bytes (C, X): the places of a vector are neighbouring columns."""
        columns = probe_columns(self.rows)
        places = columns.reshape(self.n_places, self.n_channels, -1).transpose(1, 2, 0)
        return places.reshape(self.n_channels, -1) + ZERO_POINTS[self.activation]

    @cached_property
    def operator(self) -> Operator:
        """The same as one product, with zeros beyond the ends of the line."""
        zero_point, beside = ZERO_POINTS[self.activation], self.n_places // 2
        padded = np.pad(self.line, ((0, 0), (beside, beside)), constant_values=zero_point)
        n_columns = self.line.shape[1]
        raw = np.concatenate([padded[:, i : i + n_columns] for i in range(self.n_places)])
        return Operator(raw, zero_point, *self.rows, is_lifted=self.is_lifted)

    def model(self) -> onnx.ModelProto:
        """The graph, from `values` (1, C, 1, X) to `found` (1, M, 1, X)."""
        weight, bias, shift = self.rows
        built = QdqGraph(self.activation, 1, self.line.shape[1])
        places = weight.reshape(len(weight), self.n_places, self.n_channels).transpose(0, 2, 1)[:, :, None]
        scale = (2.0**-shift).astype(np.float32)
        kernels = Kernels(
            places.astype(np.int8), bias.astype(np.int32), scale[0].reshape(()) if self.one_shift else scale
        )
        values = built.convolved(kernels, built.source(SOURCE, self.n_channels), is_positive=self.is_lifted)
        built.result(RESULT, values, len(weight))
        return built.graph.model("probe")

    def feed(self) -> Arrays:
        """The input of the graph."""
        return {SOURCE: self.line[None, :, None].astype(self.activation)}


@cache
def probe_graphs(activation: str) -> tuple[ProbeGraph, ...]:
    """All operators; 416 inputs are the most that a layer has, 3 x 140 a little more. Made once for all executors."""
    return (
        ProbeGraph("1 x 1 convolutions of one scale", activation, 416, one_shift=True),
        ProbeGraph("1 x 1 convolutions", activation, 416),
        ProbeGraph("1 x 3 convolutions", activation, 140, n_places=3),
        ProbeGraph("1 x 1 convolutions with Relu", activation, 416, is_lifted=True),
    )

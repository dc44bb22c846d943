"""The line part of the integer cell as an ONNX graph that carries its integers in float32: the master of int8-v2.

A tile of N groups of bands of one line, (N, X, F) from end to end: no Transpose. Integers come in and go out as int8
and int16; between the borders every number is an integer below 2**24, or a multiple of a power of two with as few bits,
so products and sums are exact in any order and with or without fused multiply-add. MatMul, Add, Sub, Mul, Div, Floor,
Clip, Concat, Slice, Pad and Cast are all that it uses.

Where speed decided (docs/decisions/0401-integer-cell-in-onnx.md): what stands side by side is laid there in 8 bits,
with a constant one behind it, whose weight is the bias; the clip comes before the floor.
"""

from dataclasses import replace

import numpy as np
import onnx

from export.graph_builder import END, GraphBuilder
from runtime.cell.flight_inputs import LEVELS, LINE_FEATURES
from runtime.cell.flight_package import NEXT
from runtime.cell.folded_layer import FoldedLayer, exact_float32, folded_layer
from runtime.cell.integer_cell import LARGEST_ACTIVATION, NUMERATOR_BITS, IntegerCell, IntegerLayer, IntegerMemory

COLUMNS, FEATURES = 1, 2


def integer_graph(cell: IntegerCell, *, n_groups: int | None = None, n_columns: int | None = None) -> onnx.ModelProto:
    """The graph of one step; `None` leaves the number of groups or columns open.

    Inputs `line_features` (N, X, G LINE_FEATURES) and `levels` (N, 1, G LEVELS), int8, and the states of
    `CellShape.states`, each (N, X, F). Outputs `contexts` (N, X, G S) int8, and each state with `_next` at its end.
    Raises Corrupt where the cell's sums do not fit float32.
    """
    cell.check()
    return IntegerGraph(cell).model(n_groups or "groups", n_columns or "columns")


def one_higher(layer: IntegerLayer) -> IntegerLayer:
    """A layer whose outputs are those of `layer` plus one."""
    spec = replace(layer.spec, low=layer.spec.low + 1, high=layer.spec.high + 1)
    return replace(layer, spec=spec, bias=layer.bias + (np.int32(1) << layer.shift.astype(np.int32)))


class IntegerGraph:
    """One graph while it is built."""

    def __init__(self, cell: IntegerCell) -> None:
        self.cell = cell
        self.graph = GraphBuilder()
        # a column of ones, made of numbers whose values are no matter
        column = self.graph.slice("line_features", 0, 1, FEATURES)
        self.one = self.graph.node("Clip", column, np.array(1, np.int8), np.array(1, np.int8))  # (N, X, 1)

    def model(self, n_groups: int | str, n_columns: int | str) -> onnx.ModelProto:
        """The whole line part."""
        graph, shape = self.graph, self.cell.shape
        graph.add_input("line_features", "int8", [n_groups, n_columns, shape.group * LINE_FEATURES])
        graph.add_input("levels", "int8", [n_groups, 1, shape.group * LEVELS])
        graph.add_output("contexts", "int8", [n_groups, n_columns, shape.group * shape.spectral_features])
        for state in shape.states():
            size: list[int | str] = [n_groups, n_columns, shape.features]
            graph.add_input(state.name, state.dtype, size)
            graph.add_output(state.name + NEXT, state.dtype, size)

        spatial = self.first_convolution()
        for i in range(1, shape.line_convolutions):
            spatial = self.layer(f"line_convolutions.{i}", self.beside(*self.columns(graph.cast(spatial, "int8"))))
        for i in range(shape.line_blocks):
            spatial = self.block(i, spatial)
        graph.cast(self.plain_layer("context", spatial), "int8", "contexts")
        return graph.model("int8_v2_line_part")

    def activation(self, sums: str, low: int, high: int) -> str:
        """floor(clip(sums)), which equals clip(floor(sums)) for whole bounds."""
        return self.graph.node("Floor", self.graph.clip(sums, low, high))

    def plain_layer(self, name: str, values: str) -> str:
        """A layer on float32 inputs."""
        folded = folded_layer(self.cell.layers[name])
        sums = self.graph.node("Add", self.graph.node("MatMul", values, folded.weight), folded.bias)
        return self.activation(sums, folded.low, folded.high)

    def layer(self, name: str, beside: str) -> str:
        """A layer on what `beside` gives."""
        return self.folded(folded_layer(self.cell.layers[name]), beside)

    def folded(self, layer: FoldedLayer, beside: str) -> str:
        """The same of a layer that is folded."""
        return self.activation(self.graph.node("MatMul", beside, layer.with_bias), layer.low, layer.high)

    def beside(self, *parts: str) -> str:
        """int8 inputs of a layer side by side, a one behind them, as float32."""
        return self.graph.cast(self.graph.node("Concat", *parts, self.one, axis=FEATURES), "float32")

    def first_convolution(self) -> str:
        """A column convolution of the line features, and what the levels add in all columns."""
        graph, folded = self.graph, folded_layer(self.cell.layers["line_convolutions.0"])
        features = graph.node("Concat", *self.columns("line_features"), axis=FEATURES)
        n = len(folded.weight) - self.cell.shape.group * LEVELS
        level = graph.node("Add", graph.node("MatMul", graph.cast("levels", "float32"), folded.weight[n:]), folded.bias)
        sums = graph.node("Add", graph.node("MatMul", graph.cast(features, "float32"), folded.weight[:n]), level)
        return self.activation(sums, folded.low, folded.high)

    def columns(self, values: str) -> tuple[str, str, str]:
        """West, here, east of int8 values; zeros outside the line."""
        ends = np.array([0, 1, 0, 0, 1, 0], np.int64)
        padded = self.graph.node("Pad", values, ends, np.zeros((), np.int8))
        return self.graph.slice(padded, 0, -2, COLUMNS), values, self.graph.slice(padded, 2, END, COLUMNS)

    def with_before(self, state: str, values: str) -> str:
        """The line before and this one, as `beside` gives them; `state` takes this one."""
        return self.beside(state, self.graph.cast(values, "int8", state + NEXT))

    def block(self, i: int, values: str) -> str:
        """Time mix, then channel mix."""
        graph, name = self.graph, f"blocks.{i}."
        both = self.with_before(f"before_{i}", values)
        weight = self.folded(folded_layer(one_higher(self.cell.layers[name + "key"])), both)  # 1..128
        value, gate = self.layer(name + "value", both), self.layer(name + "gate", both)
        product = graph.node("Mul", gate, self.negative_mean(i, weight, value))
        gated = graph.node("Floor", graph.scalar("Add", graph.scalar("Mul", product, -(2.0**-7)), 0.5))
        values = self.clipped_sum(values, self.plain_layer(name + "output", gated))
        mix = self.layer(name + "mix", self.with_before(f"mix_before_{i}", values))
        return self.clipped_sum(values, self.plain_layer(name + "mixed", mix))

    def clipped_sum(self, values: str, change: str) -> str:
        """The sum in the range of an activation."""
        return self.graph.clip(self.graph.node("Add", values, change), -LARGEST_ACTIVATION, LARGEST_ACTIVATION)

    def negative_mean(self, i: int, weight: str, value: str) -> str:
        """The memory moves to this line; its weighted mean, negated.

        The negated mean is ceil(t - 1/2) for t = -64 numerator / denominator: floor(t) or one more, which the remainder
        tells, right for any quotient that is less than 1/2 off.
        """
        graph, memory = self.graph, self.cell.memories[i]
        weighted = graph.scalar("Mul", graph.node("Mul", weight, value), 2)  # below 2**15
        numerator = self.moved(f"numerator_{i}", weighted, memory)
        denominator = self.moved(f"denominator_{i}", graph.scalar("Mul", weight, 128), memory)
        above = graph.scalar("Mul", numerator, -float(1 << (NUMERATOR_BITS - 1)))  # below 2**21
        below = graph.node("Floor", graph.node("Div", above, denominator))
        # twice the way from its middle to the quotient, times the denominator: an integer below 2**24
        rest = graph.node("Sub", above, graph.node("Mul", graph.scalar("Add", below, 0.5), denominator))
        one_more = graph.clip(graph.scalar("Mul", rest, 2), 0, 1)
        return graph.clip(graph.node("Add", below, one_more), -LARGEST_ACTIVATION, LARGEST_ACTIVATION)

    def moved(self, state: str, target: str, memory: IntegerMemory) -> str:
        """`state` after it moved by its rate to `target`; a difference has 16 bits and a rate 7, so all is exact."""
        graph = self.graph
        rate = exact_float32(memory.mantissa.astype(np.float64) * 2.0 ** -memory.exponent.astype(np.float64))
        before = graph.cast(state, "float32")
        change = graph.node("Mul", graph.node("Sub", target, before), rate)
        after = graph.node("Add", before, graph.node("Floor", graph.scalar("Add", change, 0.5)))
        graph.cast(after, "int16", state + NEXT)
        return after

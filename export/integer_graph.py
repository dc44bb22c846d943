"""The integer cell as an ONNX graph that carries its integers in float32: the master of arithmetic int8-v1.

A tile of B consecutive bands of one line, (B, X, F) from end to end: no Transpose. Integers come in and go out as int8
and int16; between the borders every number is an integer below 2**24, or a multiple of a power of two with as few bits,
so products and sums are exact in any order and with or without fused multiply-add. MatMul, Add, Sub, Mul, Div, Floor,
Clip, Concat, Slice, Pad and Cast are all that it uses.

Where speed decided (benchmarks/bench_cell_step.py): biases ride in the products as the weight of a constant one that
the side-by-side layout carries; the clip comes before the floor.
"""

import numpy as np
import onnx

from export.folded_layer import exact_float32, folded_layer
from export.graph_builder import END, GraphBuilder
from runtime.cell.flight_inputs import BAND_FEATURES, LINE_FEATURES, TAPS
from runtime.cell.flight_package import NEXT
from runtime.cell.integer_cell import LARGEST_ACTIVATION, NUMERATOR_BITS, IntegerCell, IntegerMemory

BANDS, COLUMNS, FEATURES = 0, 1, 2
TILE_BANDS = 4
"""Bands of a tile where nothing else decides; measured at 1000 columns."""


def integer_graph(cell: IntegerCell, *, n_bands: int | None = None, n_columns: int | None = None) -> onnx.ModelProto:
    """The graph of one step; `None` leaves the number of bands or columns open.

    Inputs `line_features` (B, X, LINE_FEATURES) and `band_features` (B, X, BAND_FEATURES), int8, and the states of
    `CellShape.states`: (B, X, F), or (2, X, F) for the bands before the tile. Outputs `taps` (B, X, TAPS) int16, and
    each state with `_next` at its end. Raises Corrupt where the cell's sums do not fit float32.
    """
    cell.check()
    return IntegerGraph(cell).model(n_bands or "bands", n_columns or "columns")


class IntegerGraph:
    """One graph while it is built."""

    def __init__(self, cell: IntegerCell) -> None:
        self.cell = cell
        self.graph = GraphBuilder()
        graph = self.graph
        end = np.array([0, 0, 0, 0, 0, 1], np.int64)
        extended = graph.node("Pad", "line_features", end, np.array(1, np.int8))
        self.one_int8 = graph.slice(extended, LINE_FEATURES, LINE_FEATURES + 1, FEATURES)
        self.one = graph.cast(self.one_int8, "float32")  # (B, X, 1)

    def model(self, n_bands: int | str, n_columns: int | str) -> onnx.ModelProto:
        """The whole cell."""
        graph, shape = self.graph, self.cell.shape
        graph.add_input("line_features", "int8", [n_bands, n_columns, LINE_FEATURES])
        graph.add_input("band_features", "int8", [n_bands, n_columns, BAND_FEATURES])
        graph.add_output("taps", "int16", [n_bands, n_columns, TAPS])
        for state in shape.states():
            size: list[int | str] = [n_bands if state.is_per_band else 2, n_columns, shape.features]
            graph.add_input(state.name, state.dtype, size)
            graph.add_output(state.name + NEXT, state.dtype, size)

        spatial = self.input_layer("line_convolutions.0", "line_features")
        for i in range(1, shape.line_convolutions):
            spatial = self.layer(f"line_convolutions.{i}", *self.columns(spatial))
        for i in range(shape.line_blocks):
            spatial = self.block(i, spatial)
        spectral = self.input_layer("band_columns", "band_features")
        for i in range(shape.band_convolutions):
            spectral = self.layer(f"band_convolutions.{i}", *self.bands(f"bands_{i}", spectral))
        graph.cast(self.layer("taps", self.layer("decoder", spatial, spectral)), "int16", "taps")
        return graph.model("int8_v1_cell")

    def activation(self, sums: str, low: int, high: int) -> str:
        """floor(clip(sums)), which equals clip(floor(sums)) for whole bounds."""
        return self.graph.node("Floor", self.graph.clip(sums, low, high))

    def layer(self, name: str, *parts: str) -> str:
        """A layer on its inputs, or on several side by side."""
        folded = folded_layer(self.cell.layers[name])
        if len(parts) == 1:
            sums = self.graph.node("Add", self.graph.node("MatMul", parts[0], folded.weight), folded.bias)
        else:
            beside = self.graph.node("Concat", *parts, self.one, axis=FEATURES)
            sums = self.graph.node("MatMul", beside, folded.with_bias)
        return self.activation(sums, folded.low, folded.high)

    def input_layer(self, name: str, features: str) -> str:
        """A column convolution of one of the cell's int8 inputs."""
        folded = folded_layer(self.cell.layers[name])
        beside = self.graph.node("Concat", *self.columns(features, np.int8), self.one_int8, axis=FEATURES)
        sums = self.graph.node("MatMul", self.graph.cast(beside, "float32"), folded.with_bias)
        return self.activation(sums, folded.low, folded.high)

    def columns(self, values: str, dtype: type[np.generic] = np.float32) -> tuple[str, str, str]:
        """West, here, east; zeros outside the line."""
        ends = np.array([0, 1, 0, 0, 1, 0], np.int64)
        padded = self.graph.node("Pad", values, ends, np.zeros((), dtype))
        return self.graph.slice(padded, 0, -2, COLUMNS), values, self.graph.slice(padded, 2, END, COLUMNS)

    def bands(self, state: str, values: str) -> tuple[str, str, str]:
        """Two bands before, one before, here; `state` takes the last two."""
        graph = self.graph
        with_before = graph.node("Concat", graph.cast(state, "float32"), values, axis=BANDS)
        graph.cast(graph.slice(with_before, -2, END, BANDS), "int8", state + NEXT)
        return graph.slice(with_before, 0, -2, BANDS), graph.slice(with_before, 1, -1, BANDS), values

    def after(self, state: str, values: str) -> tuple[str, str]:
        """The line before and this one; `state` takes this one."""
        self.graph.cast(values, "int8", state + NEXT)
        return self.graph.cast(state, "float32"), values

    def block(self, i: int, values: str) -> str:
        """Time mix, then channel mix."""
        graph, name = self.graph, f"blocks.{i}."
        both = graph.node("Concat", *self.after(f"before_{i}", values), self.one, axis=FEATURES)
        key, value, gate = (self.joined_layer(name + part, both) for part in ("key", "value", "gate"))
        product = graph.node("Mul", gate, self.mean(i, key, value))
        gated = graph.node("Floor", graph.scalar("Add", graph.scalar("Mul", product, 2.0**-7), 0.5))
        values = self.clipped_sum(values, self.layer(name + "output", gated))
        mixed = self.layer(name + "mixed", self.layer(name + "mix", *self.after(f"mix_before_{i}", values)))
        return self.clipped_sum(values, mixed)

    def joined_layer(self, name: str, values_and_one: str) -> str:
        """A layer on inputs that end in the constant one already."""
        folded = folded_layer(self.cell.layers[name])
        return self.activation(self.graph.node("MatMul", values_and_one, folded.with_bias), folded.low, folded.high)

    def clipped_sum(self, values: str, change: str) -> str:
        """The sum in the range of an activation."""
        return self.graph.clip(self.graph.node("Add", values, change), -LARGEST_ACTIVATION, LARGEST_ACTIVATION)

    def mean(self, i: int, key: str, value: str) -> str:
        """The memory moves to this line; its weighted mean."""
        graph, memory = self.graph, self.cell.memories[i]
        weight = graph.scalar("Add", key, 1)  # 1..128
        weighted = graph.scalar("Mul", graph.node("Mul", weight, value), 2)  # below 2**15
        numerator = self.moved(f"numerator_{i}", weighted, memory)
        denominator = self.moved(f"denominator_{i}", graph.scalar("Mul", weight, 128), memory)
        above = graph.node("Add", graph.scalar("Mul", numerator, 1 << NUMERATOR_BITS), denominator)  # below 2**23
        below = graph.node("Add", denominator, denominator)  # 256..2**16
        return graph.clip(self.floor_division(above, below), -LARGEST_ACTIVATION, LARGEST_ACTIVATION)

    def moved(self, state: str, target: str, memory: IntegerMemory) -> str:
        """`state` after it moved by its rate to `target`; a difference has 16 bits and a rate 7, so all is exact."""
        graph = self.graph
        rate = exact_float32(memory.mantissa.astype(np.float64) * 2.0 ** -memory.exponent.astype(np.float64))
        before = graph.cast(state, "float32")
        change = graph.node("Mul", graph.node("Sub", target, before), rate)
        after = graph.node("Add", before, graph.node("Floor", graph.scalar("Add", change, 0.5)))
        graph.cast(after, "int16", state + NEXT)
        return after

    def floor_division(self, above: str, below: str) -> str:
        """floor(above / below), right even where Div is not: the remainder shows a quotient that is one off."""
        graph = self.graph
        quotient = graph.node("Floor", graph.node("Div", above, below))
        rest = graph.node("Sub", above, graph.node("Mul", quotient, below))
        too_large = graph.clip(rest, -1, 0)  # -1 where the rest is negative
        too_small = graph.clip(graph.scalar("Add", graph.node("Sub", rest, below), 1), 0, 1)
        return graph.node("Add", graph.node("Add", quotient, too_large), too_small)

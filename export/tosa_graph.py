"""The dense part of the line part as operators of TOSA 1.0, the way to Arm's Ethos-U; tensors (1, N, X, C) int8.

A layer is CONV2D, RESCALE, CLAMP. RESCALE by the multiplier 2**30 and the shift 30 + s, rounding once, is
(sum + 2**(s - 1)) >> s (TOSA 1.0, apply_scale_32), the arithmetic's own rounding of halves: exact by construction for
any weights, without doubled layers. What is here is a plan in plain numbers; hil_tests/executors/tosa_file.py writes
it as a flatbuffer with Arm's library, which is not among ours.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from export.accelerator_graphs import SubGraph
from export.graph_builder import Array
from runtime.cell.integer_cell import LARGEST_ACTIVATION, IntegerCell

MULTIPLIER_BITS = 30
"""Of RESCALE's multiplier, so that no sum leaves the range that its shift allows (a sum is below 2**24)."""
Shape = tuple[int, ...]


@dataclass(frozen=True)
class TosaOperator:
    """One operator; `numbers` are its attributes."""

    kind: str
    """CONV2D, RESCALE or CLAMP."""
    inputs: tuple[str, ...]
    output: str
    shape: Shape
    """Of the output."""
    dtype: str
    """Of the output, `int8` or `int32`."""
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass
class TosaPlan:
    """A graph: operators in the order of their evaluation, constants, names of inputs and outputs."""

    operators: list[TosaOperator] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    inputs: dict[str, Shape] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    """Tensors by the names of the sub-graph's outputs."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one evaluation."""
        return sum(
            int(np.prod(operator.shape)) * self.constants[operator.inputs[1]][0].size
            for operator in self.operators
            if operator.kind == "CONV2D"
        )


def tosa_plan(cell: IntegerCell, name: str, *, n_groups: int, n_columns: int) -> TosaPlan:
    """The sub-graph of this name (runtime/executors/subgraph_cell.py) for tiles of this static size."""
    graph = TosaGraph(cell, "int8", n_groups, n_columns)
    graph.append(name)
    return graph.plan


class TosaGraph(SubGraph):
    """A sub-graph of TOSA's operators."""

    def __init__(self, cell: IntegerCell, activation: str, n_groups: int, n_columns: int) -> None:
        super().__init__(cell, activation, n_groups, n_columns)
        self.plan = TosaPlan()
        self.shapes: dict[str, Shape] = {}

    def operator(self, kind: str, inputs: tuple[str, ...], shape: Shape, dtype: str = "int8", **numbers: Any) -> str:
        """The output's name of one more operator."""
        output = f"{kind.lower()}_{len(self.plan.operators)}"
        self.plan.operators.append(TosaOperator(kind, inputs, output, shape, dtype, numbers))
        self.shapes[output] = shape
        return output

    def constant(self, values: Array) -> str:
        """The name of one more constant."""
        name = f"constant_{len(self.plan.constants)}"
        self.plan.constants[name] = values
        return name

    def source(self, name: str, n_channels: int) -> str:
        """An input."""
        shape = (1, int(self.n_groups), int(self.n_columns), n_channels)
        self.plan.inputs[name] = self.shapes[name] = shape
        return name

    def result(self, name: str, values: str, n_channels: int) -> None:
        """An output."""
        self.plan.outputs.append(values)
        self.plan.renamed[values] = name

    def dense(self, names: list[str], values: str, n_places: int = 1, *, is_positive: bool = False) -> str:
        """One convolution of the layers of these names, rescaled and clipped."""
        layers = [self.layers[name] for name in names]
        weight = np.concatenate([layer.weight for layer in layers])  # (n_out, places n_in)
        bias = np.concatenate([layer.bias for layer in layers])
        shift = np.concatenate([layer.shift for layer in layers]) + np.int8(MULTIPLIER_BITS)
        shape = (*self.shapes[values][:-1], len(weight))
        parameters = (self.constant(weight.reshape(len(weight), 1, n_places, -1)), self.constant(bias))
        beside = n_places // 2
        sums = self.operator("CONV2D", (values, *parameters), shape, "int32", pad=(0, 0, beside, beside))
        multiplier = self.constant(np.full(len(weight), 1 << MULTIPLIER_BITS, np.int32))
        rescaled = self.operator("RESCALE", (sums, multiplier, self.constant(shift)), shape)
        low = 0 if is_positive else -LARGEST_ACTIVATION
        return self.operator("CLAMP", (rescaled,), shape, low=low, high=LARGEST_ACTIVATION)

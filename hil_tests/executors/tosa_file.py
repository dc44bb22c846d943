"""A plan of TOSA operators (export/tosa_graph.py) as a flatbuffer of TOSA 1.0, by Arm's tosa-tools.

Runs in the environment `vela` alone, as `python -m hil_tests.executors.tosa_file`, too.
"""

from pathlib import Path
from typing import Any

import click
import numpy as np
from serializer import tosa_serializer
from tosa import NanPropagationMode, Op, RoundingMode

from export.tosa_graph import TosaOperator, TosaPlan, tosa_plan
from runtime.cell.flight_package import open_integer_package
from runtime.executors.subgraph_cell import subgraph_layers

VERSION = {"tosa_version_major": 1, "tosa_version_minor": 0, "tosa_version_patch": 0, "tosa_version_draft": False}
DType = tosa_serializer.DType
TYPES = {"int8": DType.INT8, "int32": DType.INT32}


def tosa_file(plan: TosaPlan) -> bytes:
    """The bytes of a .tosa file with inputs and outputs in the order of the plan."""
    writer = Writer(plan)
    return bytes(writer.serializer.serialize())


class Writer:
    """A plan while it is written."""

    def __init__(self, plan: TosaPlan) -> None:
        self.serializer: Any = tosa_serializer.TosaSerializer("", **VERSION)
        self.tensors: dict[str, Any] = {}
        block = self.serializer.currRegion.currBasicBlock
        for name, shape in plan.inputs.items():
            self.tensors[name] = block.addTensor(name, shape, DType.INT8)
            block.addInput(name)
        for name, values in plan.constants.items():
            self.tensors[name] = self.constant(values, name)
        self.zeros = {dtype: self.constant(np.zeros(1, dtype), f"zero_{dtype}") for dtype in TYPES}
        for operator in plan.operators:
            self.tensors[operator.output] = block.addTensor(operator.output, operator.shape, TYPES[operator.dtype])
            self.append(operator)
        for name in plan.outputs:
            block.addOutput(name)

    def constant(self, values: Any, name: str) -> Any:
        """A tensor of constants."""
        return self.serializer.addConst(values.shape, TYPES[values.dtype.name], values, name)

    def append(self, operator: TosaOperator) -> None:
        """Write one operator."""
        attribute: Any = tosa_serializer.TosaSerializerAttribute()
        inputs = [self.tensors[name].name for name in operator.inputs]
        kind, numbers = operator.kind, operator.numbers
        if kind == "CONV2D":
            attribute.Conv2dAttribute(list(numbers["pad"]), [1, 1], [1, 1], False, DType.INT32)
            inputs += [self.zeros["int8"].name, self.zeros["int8"].name]
        elif kind == "RESCALE":
            attribute.RescaleAttribute(True, RoundingMode.RoundingMode().SINGLE_ROUND, True, False, False)
            inputs += [self.zeros["int32"].name, self.zeros["int8"].name]
        else:
            low, high = (np.array([numbers[key]], np.int8).tobytes() for key in ("low", "high"))
            mode = NanPropagationMode.NanPropagationMode().PROPAGATE
            attribute.ClampAttribute(self.serializer.builder, low, high, mode)
        self.serializer.addOperator(getattr(Op.Op(), kind), inputs, [operator.output], attribute)


@click.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--groups", required=True, type=int)
@click.option("--columns", required=True, type=int)
def main(package: Path, folder: Path, groups: int, columns: int) -> None:
    """Write every sub-graph of PACKAGE for tiles of this size to FOLDER, as NAME.tosa."""
    cell = open_integer_package(package).cell
    for name in subgraph_layers(cell.shape):
        plan = tosa_plan(cell, name, n_groups=groups, n_columns=columns)
        (folder / f"{name}.tosa").write_bytes(tosa_file(plan))


if __name__ == "__main__":
    main()

"""Nodes and constants of an ONNX graph, collected one after another; equal constants are stored once."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper

OPSET = 18
IR_VERSION = 8
"""The file format that came with opset 18."""
ELEMENT_TYPES = {
    "float32": TensorProto.FLOAT,
    "int8": TensorProto.INT8,
    "uint8": TensorProto.UINT8,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
}
END = np.iinfo(np.int64).max

Array = npt.NDArray[Any]


class GraphBuilder:
    """Appends nodes in the order of their evaluation; a value is known by its name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def constant(self, values: Array) -> str:
        """The name of a constant tensor."""
        values = np.ascontiguousarray(values)
        key = (values.dtype.str, values.shape, values.tobytes())
        return self.constants.setdefault(key, f"constant_{len(self.constants)}")

    def node(self, operator: str, *inputs: str | Array, name: str | None = None, **attributes: Any) -> str:
        """The output's name of one more node; arrays among the inputs become constants."""
        output = name or f"{operator.lower()}_{len(self.nodes)}"
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        self.nodes.append(helper.make_node(operator, names, [output], name=output, **attributes))
        return output

    def cast(self, values: str, dtype: str, name: str | None = None) -> str:
        """`values` in another type; they must fit, for a Cast out of range differs between machines."""
        return self.node("Cast", values, name=name, to=ELEMENT_TYPES[dtype])

    def slice(self, values: str, start: int, stop: int, axis: int) -> str:
        """Part of an axis; negative bounds count from its end."""
        return self.node("Slice", values, *(np.array([bound], np.int64) for bound in (start, stop, axis)))

    def clip(self, values: str, low: float, high: float) -> str:
        """float32 values brought into low..high."""
        return self.node("Clip", values, np.array(low, np.float32), np.array(high, np.float32))

    def scalar(self, operator: str, values: str, number: float) -> str:
        """`values` and one float32 number in an operator of two inputs."""
        return self.node(operator, values, np.array(number, np.float32))

    def add_input(self, name: str, dtype: str, shape: list[int | str]) -> str:
        """One more input of the graph; a str in the shape is an open size."""
        self.inputs.append(helper.make_tensor_value_info(name, ELEMENT_TYPES[dtype], shape))
        return name

    def add_output(self, name: str, dtype: str, shape: list[int | str]) -> None:
        """One more output of the graph."""
        self.outputs.append(helper.make_tensor_value_info(name, ELEMENT_TYPES[dtype], shape))

    def model(self, name: str, domain: str | None = None) -> onnx.ModelProto:
        """The finished, checked model; equal calls give equal bytes. domain: of operators beside ONNX's own."""
        tensors = [
            onnx.numpy_helper.from_array(np.frombuffer(data, dtype).reshape(shape), constant)
            for (dtype, shape, data), constant in self.constants.items()
        ]
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, tensors)
        opset = [helper.make_opsetid("", OPSET), *([helper.make_opsetid(domain, 1)] if domain else [])]
        model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="linerwkv")
        onnx.checker.check_model(model, full_check=True)
        return model

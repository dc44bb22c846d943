"""Executors of the probe's graphs that are inexact on purpose: in floats, step by step, as the classifier is not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from typing_extensions import override

from hil_tests.accelerators.arithmetic_rules import DEFINED, ORDERS, Rule
from runtime.executors.array_executor import ArrayExecutor, Arrays

Floats = npt.NDArray[np.float64]
ROUNDING: dict[str, Callable[[Floats], Floats]] = {
    "halves up": lambda x: np.floor(x + 0.5),
    "halves to even": np.rint,
    "halves away from zero": lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5),
    "halves down": lambda x: np.ceil(x - 0.5),
    "halves to zero": lambda x: np.sign(x) * np.ceil(np.abs(x) - 0.5),
    "down": np.floor,
    "up": np.ceil,
    "to zero": np.trunc,
    "away from zero": lambda x: np.sign(x) * np.ceil(np.abs(x)),
}  # fmt: skip


class InexactExecutor(ArrayExecutor):
    """One convolution of an ONNX file as a rule has it; a Relu behind it where the file has one."""

    def __init__(self, source: Path, rule: Rule = DEFINED) -> None:
        graph = onnx.load(str(source)).graph
        constants = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
        nodes = {node.output[0]: node for node in graph.node}
        convolution = next(node for node in graph.node if node.op_type == "Conv")
        weight, bias = (nodes[name] for name in convolution.input[1:])
        self.weight = constants[weight.input[0]].astype(np.int64)[:, :, 0].transpose(0, 2, 1)  # (M, places, C)
        self.bias = constants[bias.input[0]].astype(np.int64)
        self.scale = np.broadcast_to(constants[weight.input[1]].astype(np.float64), self.bias.shape)
        self.is_lifted = any(node.op_type == "Relu" for node in graph.node)
        self.rule = rule
        self.provider, self.sha256 = "inexact on purpose", ""

    @override
    def run(self, inputs: Arrays) -> Arrays:
        raw = inputs["values"]
        zero_point = 128 if raw.dtype == np.uint8 else 0
        line, beside = raw[0, :, 0], self.weight.shape[1] // 2
        padded = np.pad(line, ((0, 0), (beside, beside)), constant_values=zero_point)
        n_columns = line.shape[1]
        fed = np.concatenate([padded[:, i : i + n_columns] for i in range(2 * beside + 1)])
        found = self.quantised(self.sums(fed, zero_point))
        return {"found": (found + zero_point).astype(raw.dtype)[None, :, None]}

    def sums(self, raw: npt.NDArray[Any], zero_point: int) -> Floats:
        weight, kind = self.weight.reshape(len(self.weight), -1), self.rule.sums
        offset = zero_point
        if self.rule.signs == "activations of the other sign":
            raw = raw.view(np.int8 if raw.dtype == np.uint8 else np.uint8)
        elif self.rule.signs == "activations without zero point":
            offset = 0
        elif self.rule.signs == "weights unsigned":
            weight = weight.astype(np.int8).view(np.uint8).astype(np.int64)
        values = raw.astype(np.int64) - offset
        bias = self.bias[:, None]
        if kind.startswith("saturate at"):
            top = 1 << (int(kind.split()[2]) - 1)
            total = np.clip(np.broadcast_to(bias, (len(weight), values.shape[1])), -top, top - 1)
            for k in range(len(values)):
                total = np.clip(total + weight[:, k : k + 1] * values[k], -top, top - 1)
        elif kind.startswith("saturate by pairs"):
            total = bias - zero_point * weight.sum(1)[:, None]
            for k in range(0, len(values), 2):
                first, second = (weight[:, i : i + 1] * (values[i] + zero_point) for i in (k, k + 1))
                total = total + np.clip(first + second, -32768, 32767)
        else:
            total = (weight.astype(float) @ values.astype(float)).astype(np.int64) + bias
        if kind.startswith("wrap at"):
            size = 1 << int(kind.split()[2])
            total = (total + size // 2) % size - size // 2
        sums = total.astype(np.float64)
        if kind == "become float16":
            sums = np.ldexp(np.ldexp(sums, -10).astype(np.float16).astype(np.float64), 10)
        elif kind == "become bfloat16":
            bits = sums.astype(np.float32).view(np.uint32).astype(np.int64)
            bits = (bits + 0x7FFF + (bits >> 16 & 1)) & ~0xFFFF
            sums = bits.astype(np.uint32).view(np.float32).astype(np.float64)
        return sums

    def quantised(self, sums: Floats) -> npt.NDArray[np.int64]:
        scale = self.scale if self.rule.scale == "of each channel" else self.scale[:1]
        values = sums * scale[:, None]
        is_lifted_first = self.is_lifted and self.rule.order == ORDERS[1]
        if is_lifted_first:
            values = np.maximum(values, 0)
        integers = ROUNDING[self.rule.rounding](values).astype(np.int64)
        if self.rule.saturation == "wraps":
            integers = integers.astype(np.int8).astype(np.int64)
        else:
            integers = np.clip(integers, -128 if self.rule.saturation == "saturates" else -127, 127)
        return np.maximum(integers, 0) if self.is_lifted and not is_lifted_first else integers


def half_even(source: Path) -> InexactExecutor:
    """Rounds halves to even."""
    return InexactExecutor(source, Rule(rounding="halves to even"))


def cut(source: Path) -> InexactExecutor:
    """Rounds down."""
    return InexactExecutor(source, Rule(rounding="down"))


def exact(source: Path) -> InexactExecutor:
    """Follows the arithmetic."""
    return InexactExecutor(source)

"""Straight-line code for lanes, from a plain function on lists of them: its loops run when it is compiled.

`unrolled(function, n)` is a kernel

    kernel(source, i, stride, target, j, target_stride)

that takes n lanes, those at i, i + stride, ... of `source`, hands their list to `function`, and puts the lanes of the
list that it returns at j, j + target_stride, ... of `target`. The function may use + - * / on lanes and numbers, and
`shuffled`. Compiled, it is called once, with lanes that write LLVM's instructions down; otherwise on arrays of eight.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import overload

from runtime.kernels.lanes import INT, LANES, is_row, load, pointer, store, untyped_intrinsic


class LlvmLanes:
    """Lanes as values of LLVM, while its instructions are built."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    def combined(self, name: str, a: Any, b: Any) -> "LlvmLanes":
        """An instruction on two lanes, or lanes and a number."""
        values = [
            x.value if isinstance(x, LlvmLanes) else ir.Constant(self.value.type, [float(x)] * LANES) for x in (a, b)
        ]
        return LlvmLanes(self.builder, getattr(self.builder, name)(*values))

    def __add__(self, other: Any) -> "LlvmLanes":
        return self.combined("fadd", self, other)

    def __sub__(self, other: Any) -> "LlvmLanes":
        return self.combined("fsub", self, other)

    def __mul__(self, other: Any) -> "LlvmLanes":
        return self.combined("fmul", self, other)

    def __rtruediv__(self, other: Any) -> "LlvmLanes":
        return self.combined("fdiv", other, self)


def shuffled(a: Any, b: Any, order: list[int]) -> Any:
    """Lanes of which number n is that of `a` if order[n] < LANES, else that of `b` at order[n] - LANES."""
    if isinstance(a, LlvmLanes):
        mask = ir.Constant(ir.VectorType(INT, LANES), order)
        return LlvmLanes(a.builder, a.builder.shuffle_vector(a.value, b.value, mask))
    return np.concatenate([a, b])[order]


def unrolled(function: Callable[[list[Any]], list[Any]], n: int) -> Any:
    """The kernel of a function on `n` lanes."""

    def kernel(source: Any, i: Any, stride: Any, target: Any, j: Any, target_stride: Any) -> None:
        for q, lanes in enumerate(function([load(source, i + p * stride) for p in range(n)])):
            store(target, j + q * target_stride, lanes)

    @untyped_intrinsic
    def compiled(context: Any, source: Any, i: Any, stride: Any, target: Any, j: Any, target_stride: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            size = source.dtype.bitwidth // 8

            def at(number: int, kind: Any, array: Any, first: Any, stride: Any) -> Any:
                index = builder.add(first, builder.mul(stride, ir.Constant(stride.type, number)))
                return pointer(context, builder, kind, array, index)

            taken = [builder.load(at(p, source, *args[:3]), align=size) for p in range(n)]
            for q, lanes in enumerate(function([LlvmLanes(builder, value) for value in taken])):
                builder.store(lanes.value, at(q, target, *args[3:]), align=size)
            return context.get_dummy_value()

        return types.void(source, types.intp, types.intp, target, types.intp, types.intp), code

    @overload(kernel, strict=False)
    def compiled_kernel(source: Any, i: Any, stride: Any, target: Any, j: Any, target_stride: Any) -> Any:
        if not (is_row(source) and is_row(target) and source.dtype == target.dtype):
            return None
        return lambda source, i, stride, target, j, target_stride: compiled(source, i, stride, target, j, target_stride)

    return kernel


def transpose(rows: list[Any]) -> list[Any]:
    """The transpose of eight lanes, by three rounds of exchanges between pairs, most of them within halves."""
    low, high = [0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15]
    ones = [shuffled(rows[r], rows[r + 1], order) for r in (0, 2, 4, 6) for order in (low, high)]
    low, high = [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]
    twos = [shuffled(ones[r], ones[r + 2], order) for r in (0, 1, 4, 5) for order in (low, high)]
    halves = [0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]
    return [shuffled(twos[r], twos[r + 4], order) for order in halves for r in range(4)]


transposed = unrolled(transpose, LANES)
"""Put columns i.. of eight rows of `source`, `stride` elements apart, as rows of `target`."""

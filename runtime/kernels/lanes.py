"""Eight floats at a time: vectors that stay in registers, for loops that the compiler vectorises badly by itself.

    total = load(sums, i) + spread(share) * load(row, j)
    store(sums, i, total)

Each lane is rounded as IEEE 754 says after every + - * /, in the order written: nothing is fused or regrouped, on any
machine. LLVM splits vectors where registers are shorter. Without compilation the same lines work on arrays of eight.
Indices are not checked in compiled code.
"""

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model

LANES = 8
untyped_intrinsic: Any = intrinsic  # a kernel calls it without the compiler's context
FLOATS = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}
INT = ir.IntType(32)
OPERATORS = {operator.add: "fadd", operator.sub: "fsub", operator.mul: "fmul", operator.truediv: "fdiv"}


class Lanes(types.Type):
    """The compiler's type of LANES floats of one kind."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"lanes({dtype})")


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """A vector of LLVM."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(FLOATS[kind.dtype], LANES))  # type: ignore[no-untyped-call]


def load(array: Any, i: Any) -> Any:
    """The elements i..i + LANES - 1 of `array` (N,), float32 or float64, without gaps."""
    return array[i : i + LANES].copy()


def store(array: Any, i: Any, lanes: Any) -> None:
    """Put lanes of the array's kind at its elements i..i + LANES - 1."""
    array[i : i + LANES] = lanes


def spread(value: Any) -> Any:
    """Lanes that all hold `value`, float32 or float64."""
    return np.full(LANES, value)


def spread_at(array: Any, i: Any) -> Any:
    """Lanes that all hold element `i` of `array`."""
    return np.full(LANES, array[i])


def pointer(context: Any, builder: Any, kind: Any, array: Any, i: Any) -> Any:
    """Where the lanes of an array from element `i` on lie. kind: the array's type."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [i]), ir.VectorType(FLOATS[kind.dtype], LANES).as_pointer())


def is_row(kind: Any) -> bool:
    """True for the type of an array of which lanes can be taken."""
    return isinstance(kind, types.Array) and kind.ndim == 1 and kind.layout == "C" and kind.dtype in FLOATS


@untyped_intrinsic
def load_lanes(context: Any, array: Any, i: Any) -> Any:
    """`load`, compiled."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(pointer(context, builder, array, *args), align=array.dtype.bitwidth // 8)

    return Lanes(array.dtype)(array, types.intp), code


@untyped_intrinsic
def store_lanes(context: Any, array: Any, i: Any, lanes: Any) -> Any:
    """`store`, compiled."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], pointer(context, builder, array, *args[:2]), align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), code


def spread_code(builder: Any, value: Any) -> Any:
    """A vector of one number."""
    undefined = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
    first = builder.insert_element(undefined, value, INT(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(INT, LANES), [0] * LANES))


@untyped_intrinsic
def spread_lanes(context: Any, value: Any) -> Any:
    """`spread`, compiled."""
    return Lanes(value)(value), lambda context, builder, signature, args: spread_code(builder, args[0])


@untyped_intrinsic
def spread_element(context: Any, array: Any, i: Any) -> Any:
    """`spread_at`, compiled."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(array)(context, builder, args[0]).data
        return spread_code(builder, builder.load(builder.gep(data, [args[1]])))

    return Lanes(array.dtype)(array, types.intp), code


def floored(lanes: Any) -> Any:
    """The largest integers that are not above them."""
    return np.floor(lanes)


def bounded_lanes(lanes: Any, low: Any, high: Any) -> Any:
    """Lanes brought into low..high, numbers of their kind."""
    return np.minimum(np.maximum(lanes, low), high)


def product_sum(a: Any, b: Any, total: Any) -> Any:
    """A * b + total, rounded once or twice as the processor likes: for sums of which every part is exact."""
    return a * b + total


def called(builder: Any, name: str, *args: Any) -> Any:
    """What an intrinsic of LLVM on vectors of one kind makes of them."""
    kind = args[0].type
    full = f"llvm.{name}.v{LANES}{'f32' if kind.element == FLOATS[types.float32] else 'f64'}"
    function = builder.module.globals.get(full)
    if function is None:
        function = ir.Function(builder.module, ir.FunctionType(kind, [kind] * len(args)), full)
    return builder.call(function, args)


@untyped_intrinsic
def floored_lanes(context: Any, lanes: Any) -> Any:
    """`floored`, compiled."""
    return lanes(lanes), lambda context, builder, signature, args: called(builder, "floor", *args)


@untyped_intrinsic
def lanes_in_bounds(context: Any, lanes: Any, low: Any, high: Any) -> Any:
    """`bounded_lanes`, compiled."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values, low, high = args[0], *(spread_code(builder, bound) for bound in args[1:])
        values = builder.select(builder.fcmp_ordered("<", values, low), low, values)
        return builder.select(builder.fcmp_ordered(">", values, high), high, values)

    return lanes(lanes, lanes.dtype, lanes.dtype), code


@untyped_intrinsic
def lanes_product_sum(context: Any, a: Any, b: Any, total: Any) -> Any:
    """`product_sum`, compiled."""
    return a(a, a, a), lambda context, builder, signature, args: called(builder, "fmuladd", *args)


@overload(floored, strict=False)
def compiled_floored(lanes: Any) -> Any:
    """Of lanes."""
    return (lambda lanes: floored_lanes(lanes)) if isinstance(lanes, Lanes) else None


@overload(bounded_lanes, strict=False)
def compiled_bounded(lanes: Any, low: Any, high: Any) -> Any:
    """Of lanes."""
    return (lambda lanes, low, high: lanes_in_bounds(lanes, low, high)) if isinstance(lanes, Lanes) else None


@overload(product_sum, strict=False)
def compiled_product_sum(a: Any, b: Any, total: Any) -> Any:
    """Of lanes of one kind."""
    is_fit = isinstance(a, Lanes) and a == b == total
    return (lambda a, b, total: lanes_product_sum(a, b, total)) if is_fit else None


@overload(load, strict=False)
def compiled_load(array: Any, i: Any) -> Any:
    """Of arrays without gaps."""
    return (lambda array, i: load_lanes(array, i)) if is_row(array) else None


@overload(store, strict=False)
def compiled_store(array: Any, i: Any, lanes: Any) -> Any:
    """Of arrays without gaps."""
    is_fit = is_row(array) and isinstance(lanes, Lanes) and array.dtype == lanes.dtype
    return (lambda array, i, lanes: store_lanes(array, i, lanes)) if is_fit else None


@overload(spread, strict=False)
def compiled_spread(value: Any) -> Any:
    """Of floats."""
    return (lambda value: spread_lanes(value)) if value in FLOATS else None


@overload(spread_at, strict=False)
def compiled_spread_at(array: Any, i: Any) -> Any:
    """Of arrays without gaps."""
    return (lambda array, i: spread_element(array, i)) if is_row(array) else None


def compile_operator(symbol: Any, name: str) -> None:
    """Let an operator on lanes be that of LLVM's vectors."""

    @untyped_intrinsic
    def lanes_operation(context: Any, a: Any, b: Any) -> Any:
        return a(a, a), lambda context, builder, signature, args: getattr(builder, name)(*args)

    @overload(symbol, strict=False)
    def lanes_operator(a: Any, b: Any) -> Any:
        return (lambda a, b: lanes_operation(a, b)) if isinstance(a, Lanes) and a == b else None


for symbol, name in OPERATORS.items():
    compile_operator(symbol, name)

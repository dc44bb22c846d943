"""The inner loops of small matrix products, written as LLVM vectors: a tile of sums stays in registers.

Numba vectorises loops but keeps no array in registers, and a library's product needs its operands laid out in memory.
Here each of a tile's rows is an address, so that neighbours along any axis are read where they lie. Vectors have eight
lanes; LLVM splits them where registers are shorter. Addresses are int64; all numbers are float32.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from runtime.kernels.lanes import LANES, spread_code

TILE_ROWS = 6
"""Rows of a tile of sums: with two vectors each, 12 of the 16 registers of AVX2."""
TILE_WEIGHTS = 4
"""Rows of a tile of a weight's gradient."""

INT, FLOAT = ir.IntType(64), ir.FloatType()
VECTOR = ir.VectorType(FLOAT, LANES)
BYTES = 4 * LANES


room: Any = cgutils.alloca_once  # untyped
"""Room for one value on the stack, which LLVM turns into a register."""


def place(builder: Any, address: Any, index: Any, size: int) -> Any:
    """The address of element `index`."""
    return builder.add(address, builder.mul(index, INT(size)))


def read(builder: Any, address: Any, kind: Any, alignment: int = 4) -> Any:
    """The value at an address."""
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=alignment)


def write(builder: Any, value: Any, address: Any) -> None:
    """Store a vector."""
    builder.store(value, builder.inttoptr(address, VECTOR.as_pointer()), align=4)


def accumulate(builder: Any, total: Any, a: Any, b: Any) -> None:
    """Add a * b to a total, in one rounding where the machine can."""
    product = builder.fmul(a, b, flags=("contract",))
    builder.store(builder.fadd(builder.load(total), product, flags=("contract",)), total)


def sums_code(n_vectors: int) -> Any:
    """The code of `sums_16` and `sums_8`."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        addresses, n_segments, n_terms, weight, weight_stride, out, out_stride = args
        totals = [[room(builder, VECTOR) for _ in range(n_vectors)] for _ in range(TILE_ROWS)]
        for total in (total for row in totals for total in row):
            builder.store(ir.Constant(VECTOR, [0.0] * LANES), total)
        with cgutils.for_range(builder, n_segments) as segments:
            first = builder.mul(segments.index, INT(TILE_ROWS))
            rows = [
                read(builder, place(builder, addresses, builder.add(first, INT(r)), 8), INT, 8)
                for r in range(TILE_ROWS)
            ]
            here = place(builder, weight, builder.mul(segments.index, n_terms), BYTES)
            with cgutils.for_range(builder, n_terms) as terms:
                at = place(builder, here, terms.index, BYTES)
                columns = [
                    read(builder, builder.add(at, builder.mul(weight_stride, INT(v))), VECTOR) for v in range(n_vectors)
                ]
                for row, sums in zip(rows, totals, strict=True):
                    value = spread_code(builder, read(builder, place(builder, row, terms.index, 4), FLOAT))
                    for column, total in zip(columns, sums, strict=True):
                        accumulate(builder, total, value, column)
        for r, sums in enumerate(totals):
            for v, total in enumerate(sums):
                write(
                    builder,
                    builder.load(total),
                    builder.add(out, builder.add(builder.mul(out_stride, INT(r)), INT(v * BYTES))),
                )
        return context.get_dummy_value()

    return code


def weights_code(n_vectors: int) -> Any:
    """The code of `weights_24`, `weights_16` and `weights_8`."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        addresses, offset, n_rows, grad, grad_stride, out, out_stride = args
        totals = [[room(builder, VECTOR) for _ in range(n_vectors)] for _ in range(TILE_WEIGHTS)]
        spots = [
            [builder.add(out, builder.add(builder.mul(out_stride, INT(k)), INT(v * BYTES))) for v in range(n_vectors)]
            for k in range(TILE_WEIGHTS)
        ]
        for total in (total for sums in totals for total in sums):
            builder.store(ir.Constant(VECTOR, [0.0] * LANES), total)
        with cgutils.for_range(builder, n_rows) as rows:
            row = builder.add(read(builder, place(builder, addresses, rows.index, 8), INT, 8), offset)
            at = builder.add(grad, builder.mul(grad_stride, rows.index))
            columns = [read(builder, builder.add(at, INT(v * BYTES)), VECTOR) for v in range(n_vectors)]
            for k, sums in enumerate(totals):
                value = spread_code(builder, read(builder, builder.add(row, INT(4 * k)), FLOAT))
                for column, total in zip(columns, sums, strict=True):
                    accumulate(builder, total, value, column)
        for k in range(TILE_WEIGHTS):
            for v in range(n_vectors):
                before = read(builder, spots[k][v], VECTOR)  # added last, so that many small terms are not lost in it
                write(builder, builder.fadd(before, builder.load(totals[k][v])), spots[k][v])
        return context.get_dummy_value()

    return code


SEVEN = types.void(*[types.int64] * 7)


@intrinsic
def sums_16(
    context: Any,
    addresses: Any,
    n_segments: Any,
    n_terms: Any,
    weight: Any,
    weight_stride: Any,
    out: Any,
    out_stride: Any,
) -> Any:
    """Fill TILE_ROWS rows of 16 sums of products."""
    return SEVEN, sums_code(2)


@intrinsic
def sums_8(
    context: Any,
    addresses: Any,
    n_segments: Any,
    n_terms: Any,
    weight: Any,
    weight_stride: Any,
    out: Any,
    out_stride: Any,
) -> Any:
    """As `sums_16`, 8 sums."""
    return SEVEN, sums_code(1)


@intrinsic
def weights_24(
    context: Any, addresses: Any, offset: Any, n_rows: Any, grad: Any, grad_stride: Any, out: Any, out_stride: Any
) -> Any:
    """Add to TILE_WEIGHTS rows of 24 sums."""
    return SEVEN, weights_code(3)


@intrinsic
def weights_16(
    context: Any, addresses: Any, offset: Any, n_rows: Any, grad: Any, grad_stride: Any, out: Any, out_stride: Any
) -> Any:
    """As `weights_24`, 16 sums."""
    return SEVEN, weights_code(2)


@intrinsic
def weights_8(
    context: Any, addresses: Any, offset: Any, n_rows: Any, grad: Any, grad_stride: Any, out: Any, out_stride: Any
) -> Any:
    """As `weights_24`, 8 sums."""
    return SEVEN, weights_code(1)

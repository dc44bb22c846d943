"""Lanes in compiled code are what they are on arrays of eight, bit for bit."""

import operator
from typing import Any

import numpy as np
import pytest
from numba import njit

from runtime.kernels.lanes import LANES, bounded_lanes, floored, load, product_sum, spread, spread_at, store
from runtime.kernels.unrolled import shuffled, transposed, unrolled

KINDS = [np.float32, np.float64]


def numbers(kind: Any, n: int, seed: int = 0) -> Any:
    """Of all sizes and both signs, zeros among them."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=n) * 2.0 ** generator.integers(-20, 20, n)
    values[::7] = 0
    return values.astype(kind)


def combine(a: Any, b: Any, share: Any, i: Any, out: Any) -> None:
    one, two = load(a, i), load(b, i + 3)
    store(out, i, (one * two + spread(share) * one) - two / (two * two + spread(share)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_operation_rounds_as_on_arrays(kind: Any) -> None:
    a, b = numbers(kind, 64), numbers(kind, 64, seed=1)
    ours, theirs = np.zeros(64, kind), np.zeros(64, kind)
    compiled = njit(combine)
    for i in (0, 1, 5, 48):
        compiled(a, b, kind(0.3), i, ours)
        combine(a, b, kind(0.3), i, theirs)
    np.testing.assert_array_equal(ours, theirs)
    assert np.count_nonzero(ours) > 3 * LANES - 10 and not ours[56:].any()


@pytest.mark.parametrize("kind", KINDS)
def test_eight_rows_are_transposed(kind: Any) -> None:
    def run(source: Any, target: Any) -> None:
        transposed(source, 2, 11, target, 5, 9)

    source, ours, theirs = numbers(kind, 99), np.zeros(80, kind), np.zeros(80, kind)
    njit(run)(source, ours)
    run(source, theirs)
    np.testing.assert_array_equal(ours, theirs)
    for column in range(LANES):
        np.testing.assert_array_equal(ours[5 + 9 * column :][:LANES], source[2 + column :: 11][:LANES])


def test_loops_run_when_straight_code_is_written() -> None:
    def function(lanes: list[Any]) -> list[Any]:
        total = lanes[0]
        for other in lanes[1:]:
            total = np.float32(2) / (total * other + np.float32(1.5)) - other
        return [total, shuffled(lanes[0], lanes[1], [8, 0, 9, 1, 15, 7, 3, 3])]

    kernel = unrolled(function, 3)

    def run(source: Any, target: Any) -> None:
        kernel(source, 0, LANES, target, 1, LANES)

    source, ours, theirs = np.abs(numbers(np.float32, 24)), np.zeros(20, np.float32), np.zeros(20, np.float32)
    njit(run)(source, ours)
    run(source, theirs)
    np.testing.assert_array_equal(ours, theirs)
    assert ours[1] != 0 and ours[0] == 0 and not ours[17:].any()


@pytest.mark.parametrize("symbol", [operator.add, operator.mul])
def test_lanes_of_two_kinds_do_not_mix(symbol: Any) -> None:
    def run(a: Any, b: Any) -> None:
        store(a, 0, symbol(load(a, 0), load(b, 0)))

    if not hasattr(njit(run), "py_func"):
        pytest.skip("kernels run without JIT")
    with pytest.raises(Exception, match="No implementation of function"):
        njit(run)(np.zeros(8, np.float32), np.zeros(8))


def rounded_row(values: Any, factors: Any, low: Any, high: Any, out: Any) -> None:
    for i in range(0, values.size, LANES):
        total = product_sum(load(values, i), load(factors, i), spread_at(factors, 0))
        store(out, i, floored(bounded_lanes(total, low, high)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exact_products_are_summed_bounded_and_rounded_down(dtype: Any) -> None:
    generator = np.random.default_rng(0)
    values = generator.integers(-4000, 4000, 8 * LANES).astype(dtype) / dtype(64)
    factors = generator.integers(-60, 60, 8 * LANES).astype(dtype)
    wanted = np.floor(np.clip(values * factors + factors[0], dtype(-127), dtype(127.5)))
    for kernel in (rounded_row, njit(rounded_row)):
        out = np.empty_like(values)
        kernel(values, factors, dtype(-127), dtype(127.5), out)
        np.testing.assert_array_equal(out, wanted)
    assert (wanted == 127).any() and (wanted == -127).any()

"""Weighted least squares: weights from sums of products, by elimination without exchange of rows.

All floats are IEEE 754 with + - * / in the order written here: the compiler may neither fuse nor regroup them, so that
every machine finds the same weights, bit for bit. Triangles are packed as in runtime/adaptive/products.py.
"""

from typing import Any

import numpy as np

from runtime.adaptive.products import place
from runtime.kernels.kernel_cache import njit
from runtime.kernels.lanes import LANES, load, spread, store
from runtime.kernels.no_refcount import no_refcount

RELATIVE_RIDGE = 1.0 / (1 << 16)
ABSOLUTE_RIDGE = 1.0 / (1 << 10)
SMALLEST_PIVOT = 1.0 / (1 << 30)
SMALLEST_FACTOR = 1.0 / (1 << 60)  # What is smaller counts as 0: subnormal numbers, which are slow, never arise


@njit(cache=True, inline="always")
def factor_of(system: Any, i: Any, inverse: Any) -> Any:
    """What a row above is taken times from row `i`; 0 for nearly nothing. system: the row above."""
    factor = system[i] * inverse
    return factor if abs(factor) >= SMALLEST_FACTOR else 0.0


@njit(cache=True, inline="always")
def subtract_rows(first: Any, k: Any, out_inverse: Any, n_rows: Any, width: Any, system: Any) -> None:
    """Subtract rows `k` and then k + 1 from those below both among rows first..first + LANES - 1.

    first: a literal, from which the compiler knows how long the inner loop is.
    """
    upper, lower = place(k, width), place(k + 1, width)
    for i in range(max(first, k + 2), min(first + LANES, n_rows)):
        one, two = factor_of(system, upper + i, out_inverse[k]), factor_of(system, lower + i, out_inverse[k + 1])
        if one == 0.0 and two == 0.0:
            continue
        ones, twos, below = spread(one), spread(two), place(i, width)
        for j in range(first, width, LANES):
            once = load(system, below + j) - ones * load(system, upper + j)
            store(system, below + j, once - twos * load(system, lower + j))


@njit(cache=True, inline="always")
def invert(k: Any, width: Any, system: Any, out_inverse: Any) -> None:
    """One over pivot `k`, or 0 where nothing is left of it."""
    pivot = system[place(k, width) + k]
    out_inverse[k] = 1.0 / pivot if pivot > out_inverse[k] else 0.0


@no_refcount
def eliminate(
    moments: Any, prior: Any, prior_share: Any, n_regressors: Any, lanes: Any, out_system: Any, out_inverse: Any
) -> None:
    """Bring moments + prior_share * prior, with a ridge, to upper triangular form, without exchanging rows.

    moments, prior, out_system: float64, packed, for N rows. lanes: a tuple of length M. out_inverse: (N,), one over
    each pivot; 0 for a regressor that the ones before it explain: it gets no weight.
    """
    width = len(lanes)
    for i in range(out_system.size):
        out_system[i] = moments[i] + prior_share * prior[i]
    for i in range(n_regressors):
        diagonal = place(i, width) + i
        energy = out_system[diagonal]
        out_inverse[i] = SMALLEST_PIVOT * energy
        out_system[diagonal] = energy + (RELATIVE_RIDGE * energy + ABSOLUTE_RIDGE)
    for k in range(0, n_regressors, 2):
        invert(k, width, out_system, out_inverse)
        if k + 1 == n_regressors:
            break
        upper, lower = place(k, width), place(k + 1, width)
        factors = spread(factor_of(out_system, upper + k + 1, out_inverse[k]))
        for j in range(k - k % LANES, width, LANES):
            store(out_system, lower + j, load(out_system, lower + j) - factors * load(out_system, upper + j))
        invert(k + 1, width, out_system, out_inverse)
        subtract_rows(0, k, out_inverse, n_regressors, width, out_system)
        subtract_rows(8, k, out_inverse, n_regressors, width, out_system)
        subtract_rows(16, k, out_inverse, n_regressors, width, out_system)
        if width > 24:
            subtract_rows(24, k, out_inverse, n_regressors, width, out_system)
            subtract_rows(32, k, out_inverse, n_regressors, width, out_system)
            subtract_rows(40, k, out_inverse, n_regressors, width, out_system)


@njit(cache=True)
def back_substitute(
    system: Any, inverse: Any, order: Any, n_regressors: Any, lanes: Any, out_right: Any, out_weights: Any
) -> None:
    """Fill the weights (N,) of the first `order` regressors from `eliminate`'s result; the others get 0.

    The target is column N of the system. out_right: (N,), work space.
    """
    places = np.empty(n_regressors, np.int64)
    for k in range(n_regressors):
        places[k] = place(k, len(lanes))
        out_right[k] = system[places[k] + n_regressors]
        out_weights[k] = 0.0
    for i in range(order - 1, -1, -1):
        weight = out_right[i] * inverse[i]
        if abs(weight) < SMALLEST_FACTOR:
            continue
        out_weights[i] = weight
        for k in range(i):
            out_right[k] -= system[places[k] + i] * weight

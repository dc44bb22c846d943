"""Sums of products of regressors over a block of samples, packed: what lies left of the diagonal is left out by lanes.

Row i of a packed triangle holds columns i - i % LANES to M - 1, M being a multiple of LANES. Sums are float32, the
samples of a batch in pairs, then batch after batch; + - * / in the order written.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.kernels.kernel_cache import njit
from runtime.kernels.lanes import LANES, load, spread, spread_at, store
from runtime.kernels.no_refcount import no_refcount
from runtime.kernels.unrolled import transposed

BATCH = 4  # samples that are added to the products at a time
WIDEST = 48  # M
SMALLEST_PRODUCT = 1.0 / (1 << 40)  # What is smaller counts as 0: subnormal numbers, which are slow, never arise


Singles = npt.NDArray[np.float32]


class ProductWork(NamedTuple):
    """Work space of `add_products`, and its result."""

    shares: Singles  # One for each sample that counts, BATCH - 1 zeros after them
    tile: Singles  # (LANES * M,)
    weighted: Singles  # (BATCH * M,)
    products: Singles  # Packed, for N rows or the next even number


@njit(cache=True, inline="always")
def place(i: Any, width: Any) -> Any:
    """Where column 0 of row `i` would be in a packed triangle; column j >= i lies j further. width: M."""
    above = i - i % LANES
    return above * width - above * (above - LANES) // 2 + (i - above) * (width - above) - above


def packed_size(n_rows: int, width: int) -> int:
    """Elements of a packed triangle; rows are added in twos."""
    return sum(width - i + i % LANES for i in range(n_rows + n_rows % 2))


@njit(cache=True, inline="always")
def add_rows(
    first: Any, n_rows: Any, width: Any, tile: Any, sample: Any, step: Any, weighted: Any, out_products: Any
) -> None:
    """Add a batch of samples to rows first..first + LANES - 1, of the first `n_rows`, two at a time.

    first: a literal, from which the compiler knows how long the inner loop is. tile: samples by rows of length M,
    of which `sample` and every `step`-th after it are the batch. weighted: the batch times its shares.
    """
    t_0, t_1 = sample * width, (sample + step) * width
    t_2, t_3 = (sample + 2 * step) * width, (sample + 3 * step) * width
    for i in range(first, min(first + LANES, n_rows), 2):
        a_0, a_1 = spread_at(weighted, i), spread_at(weighted, width + i)
        a_2, a_3 = spread_at(weighted, 2 * width + i), spread_at(weighted, 3 * width + i)
        b_0, b_1 = spread_at(weighted, i + 1), spread_at(weighted, width + i + 1)
        b_2, b_3 = spread_at(weighted, 2 * width + i + 1), spread_at(weighted, 3 * width + i + 1)
        upper, lower = place(i, width), place(i + 1, width)
        for j in range(first, width, LANES):
            c_0, c_1, c_2, c_3 = load(tile, t_0 + j), load(tile, t_1 + j), load(tile, t_2 + j), load(tile, t_3 + j)
            sums = (a_0 * c_0 + a_1 * c_1) + (a_2 * c_2 + a_3 * c_3)
            store(out_products, upper + j, load(out_products, upper + j) + sums)
            sums = (b_0 * c_0 + b_1 * c_1) + (b_2 * c_2 + b_3 * c_3)
            store(out_products, lower + j, load(out_products, lower + j) + sums)


@no_refcount
def add_products(rows: Any, start: Any, stop: Any, step: Any, n_regressors: Any, lanes: Any, work: Any) -> None:
    """Fill `work.products` with the sum over samples of share * row[i] * row[j], for every j >= i.

    rows: (M, S) float32: regressors, the target, zeros; every `step`-th column (a divisor of LANES / BATCH) from start
    to stop - 1 counts, LANES - 1 finite columns follow. lanes: a tuple of length M <= WIDEST. work: ProductWork, its
    shares filled.
    """
    shares, tile, weighted, out_products = work
    width, stride, flat = len(lanes), rows.shape[1], rows.reshape(-1)
    n_chosen = (stop - start + step - 1) // step
    out_products[:] = np.float32(0)
    for share in range(0, n_chosen, BATCH):
        sample = share * step % LANES
        if sample == 0:
            for j in range(0, width, LANES):
                transposed(flat, j * stride + start + share * step, stride, tile, j, width)
        for k in range(BATCH):
            factor, at = spread(shares[share + k]), (sample + k * step) * width
            for j in range(0, width, LANES):
                store(weighted, k * width + j, factor * load(tile, at + j))
        add_rows(0, n_regressors, width, tile, sample, step, weighted, out_products)
        add_rows(8, n_regressors, width, tile, sample, step, weighted, out_products)
        add_rows(16, n_regressors, width, tile, sample, step, weighted, out_products)
        if width > 24:
            add_rows(24, n_regressors, width, tile, sample, step, weighted, out_products)
            add_rows(32, n_regressors, width, tile, sample, step, weighted, out_products)
            add_rows(40, n_regressors, width, tile, sample, step, weighted, out_products)


@no_refcount
def fade_and_add(added: Any, kept: Any, moments: Any) -> None:
    """Moments = kept * moments + added; what is nearly nothing becomes nothing.

    added: floats. moments: float64, as many, changed in place. kept: 0..1.
    """
    for i in range(moments.size):
        value = kept * moments[i] + np.float64(added[i])
        moments[i] = value if abs(value) >= SMALLEST_PRODUCT else 0.0

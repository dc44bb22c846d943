"""Weighted least squares over blocks of samples: products of regressors, forgetting, and the weights.

All floats are IEEE 754 with + - * / in the order written here: the compiler may neither fuse nor regroup them, so that
every machine finds the same weights, bit for bit.
"""

from typing import Any

import numpy as np
from numba import njit

LANES = 8  # rows are padded to whole vectors of this many float32
BATCH = 4  # samples that are added to the products at a time
SKIPPED, MORE_SKIPPED = 16, 24  # columns left of the diagonal that lower rows of wide products leave out
SHORTEST_LOOP = 24  # a shorter loop of known length is unrolled and not vectorised

RELATIVE_RIDGE = 1.0 / (1 << 16)
ABSOLUTE_RIDGE = 1.0 / (1 << 10)
SMALLEST_PIVOT = 1.0 / (1 << 30)
SMALLEST_PRODUCT = 1.0 / (1 << 40)
SMALLEST_FACTOR = 1.0 / (1 << 60)
"""What is smaller counts as 0, so that data without content never lead to subnormal numbers, which are slow."""


@njit(cache=True, inline="always")
def gather(rows: Any, targets: Any, x: Any, stop: Any, step: Any, lanes: Any, out_batch: Any) -> None:
    """Fill `out_batch` (BATCH * M,) with the columns x, x + step, ... of `rows` (N, X), the target (X,) after each.

    From column `stop` on, what was there before stays.
    """
    width, n_regressors = len(lanes), rows.shape[0]
    if x + (BATCH - 1) * step < stop:
        x_1, x_2, x_3 = x + step, x + 2 * step, x + 3 * step
        for j in range(n_regressors):
            out_batch[j], out_batch[width + j] = rows[j, x], rows[j, x_1]
            out_batch[2 * width + j], out_batch[3 * width + j] = rows[j, x_2], rows[j, x_3]
        out_batch[n_regressors], out_batch[width + n_regressors] = targets[x], targets[x_1]
        out_batch[2 * width + n_regressors], out_batch[3 * width + n_regressors] = targets[x_2], targets[x_3]
    else:
        for i in range((stop - x + step - 1) // step):
            for j in range(n_regressors):
                out_batch[i * width + j] = rows[j, x + i * step]
            out_batch[i * width + n_regressors] = targets[x + i * step]


@njit(cache=True)
def add_products(
    rows: Any, targets: Any, start: Any, stop: Any, shares: Any, step: Any, lanes: Any, batch: Any, out_products: Any
) -> None:
    """Fill `out_products` with the sum over samples of share * row[i] * row[j], for every j >= i.

    rows: (N, X) float32, targets: (X,) float32, of which every `step`-th column from start to stop - 1 counts. shares:
    float32, one for each that counts, BATCH - 1 zeros after them. lanes: a tuple of length M > N, from which the
    compiler knows the length of the inner loops. batch: (BATCH * M,) float32, work space, 0 at first. out_products:
    (N * M,) float32; row i holds regressors, the target, zeros. Sums are float32: the samples of a batch in pairs,
    then batch after batch.
    """
    width, n_regressors = len(lanes), rows.shape[0]
    skipped = SKIPPED if width >= SKIPPED + SHORTEST_LOOP else 0
    more_skipped = MORE_SKIPPED if width >= MORE_SKIPPED + SHORTEST_LOOP else skipped
    out_products[:] = np.float32(0)
    for first in range(0, (stop - start + step - 1) // step, BATCH):
        gather(rows, targets, start + first * step, stop, step, lanes, batch)
        share_0, share_1, share_2, share_3 = shares[first], shares[first + 1], shares[first + 2], shares[first + 3]
        for i in range(n_regressors):
            a_0, a_1 = share_0 * batch[i], share_1 * batch[width + i]
            a_2, a_3 = share_2 * batch[2 * width + i], share_3 * batch[3 * width + i]
            sums = out_products[i * width : (i + 1) * width]
            # three loops, because the compiler makes good ones of known length only
            if i < skipped:
                for j in range(width):
                    pair = a_0 * batch[j] + a_1 * batch[width + j]
                    sums[j] += pair + (a_2 * batch[2 * width + j] + a_3 * batch[3 * width + j])
            elif i < more_skipped:
                for j in range(skipped, width):
                    pair = a_0 * batch[j] + a_1 * batch[width + j]
                    sums[j] += pair + (a_2 * batch[2 * width + j] + a_3 * batch[3 * width + j])
            else:
                for j in range(more_skipped, width):
                    pair = a_0 * batch[j] + a_1 * batch[width + j]
                    sums[j] += pair + (a_2 * batch[2 * width + j] + a_3 * batch[3 * width + j])


@njit(cache=True)
def fade_and_add(added: Any, kept: Any, moments: Any) -> None:
    """Moments = kept * moments + added; what is nearly nothing becomes nothing.

    added: (N * M,) floats. moments: (N * M,) float64, changed in place. kept: 0..1.
    """
    for i in range(added.size):
        value = kept * moments[i] + np.float64(added[i])
        moments[i] = value if abs(value) >= SMALLEST_PRODUCT else 0.0


@njit(cache=True)
def eliminate(
    moments: Any, prior: Any, prior_share: Any, n_regressors: Any, lanes: Any, out_system: Any, out_inverse: Any
) -> None:
    """Bring moments + prior_share * prior, with a ridge, to upper triangular form, without exchanging rows.

    moments, prior: (N * M,) float64, of which j >= i is used. lanes: a tuple of length M. out_system: (N * M,) float64.
    out_inverse: (N,), one over each pivot; 0 for a regressor that the ones before it explain: it gets no weight.
    """
    width = len(lanes)
    for i in range(out_system.size):
        out_system[i] = moments[i] + prior_share * prior[i]
    for i in range(n_regressors):
        energy = out_system[i * width + i]
        out_inverse[i] = SMALLEST_PIVOT * energy
        out_system[i * width + i] = energy + (RELATIVE_RIDGE * energy + ABSOLUTE_RIDGE)
    for k in range(n_regressors):
        row = out_system[k * width : (k + 1) * width]
        pivot = row[k]
        if not pivot > out_inverse[k]:
            out_inverse[k] = 0.0
            continue
        inverse = 1.0 / pivot
        out_inverse[k] = inverse
        for i in range(k + 1, n_regressors):
            factor = row[i] * inverse
            if abs(factor) < SMALLEST_FACTOR:
                continue
            first = i - i % LANES
            below = out_system[i * width + first : (i + 1) * width]
            above = row[first:]
            for j in range(width - first):
                below[j] -= factor * above[j]


@njit(cache=True)
def back_substitute(
    system: Any, inverse: Any, order: Any, n_regressors: Any, lanes: Any, out_right: Any, out_weights: Any
) -> None:
    """Fill the weights (N,) of the first `order` regressors from `eliminate`'s result; the others get 0.

    The target is column N of the system. out_right: (N,), work space.
    """
    width = len(lanes)
    for k in range(n_regressors):
        out_right[k] = system[k * width + n_regressors]
        out_weights[k] = 0.0
    for i in range(order - 1, -1, -1):
        weight = out_right[i] * inverse[i]
        if abs(weight) < SMALLEST_FACTOR:
            continue
        out_weights[i] = weight
        for k in range(i):
            out_right[k] -= system[k * width + i] * weight

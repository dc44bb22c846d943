"""Weights and activations that bring a convolution to chosen sums: halves and their neighbours, ends of every range.

A row is an output of the convolution. Its columns are made for it: activations of one sign, so that no order of adding
matters; on them the other rows meet sums that nobody chose, and a few columns are random.
"""

from typing import NamedTuple

import numpy as np

from hil_tests.accelerators.arithmetic_rules import Integers

ACTIVATION = 127
LARGEST_SUM = (1 << 24) - 1
N_RANDOM = 64
FINE, LONG = 66, 17
"""Weights that are not 0 in a fine row; the shift of long rows, whose sums pass 2**23."""
WHOLE = (0, 1, 64, 100, 126, 127, 128, 200, 300)
"""Parts of the quotients before the point, with both signs."""


class Rows(NamedTuple):
    """The outputs of a convolution of K inputs."""

    weight: Integers
    """(M, K), -127..127."""
    bias: Integers
    """(M,)."""
    shift: Integers
    """(M,)."""


def probe_rows(n_inputs: int, *, one_shift: bool) -> Rows:
    """Fine rows with weights up to 64, long rows with 127, both with signs; two random ones. K at least 416."""
    fine, long = np.zeros(n_inputs, np.int64), np.full(n_inputs, 127)
    fine[:FINE] = 64
    fine[0] = long[0] = 1
    long[1] = 11
    few = np.random.default_rng(1).integers(-63, 64, (2, 4))
    random = np.zeros((2, n_inputs), np.int64)
    random[:, 1:5] = few
    past = 9_900_000  # and the sum passes 2**23 with any column of its sign
    rows = [
        (fine, 0, 12), (-fine, 0, 12), (fine, 77, 11), (fine, -3, 10), (fine, 0, 4), (fine, 5, 1),
        (long, 0, LONG), (-long, 0, LONG), (long, past, LONG), (long, -past, LONG),
        (random[0], 9, 6), (random[1], -10, 7),
    ]  # fmt: skip
    chosen = [row for row in rows if row[2] == LONG or not one_shift]
    weight, bias, shift = zip(*chosen, strict=True)
    return Rows(np.array(weight), np.array(bias), np.array(shift))


def wanted_sums(rows: Rows, row: int) -> list[int]:
    """Sums without the bias that bring a row near whole numbers and halves, if it reaches them by one sign."""
    shift, bias = int(rows.shift[row]), int(rows.bias[row])
    half, most = 1 << (shift - 1), int(np.abs(rows.weight[row]).sum()) * ACTIVATION
    rests = (0, 1, half - 1, half, half + 1, 2 * half - 1)
    quotients = [sign * whole for whole in WHOLE for sign in (1, -1)]
    sums = {(quotient << shift) + rest - bias for quotient in quotients for rest in rests}
    return sorted(one for one in sums if abs(one) <= most and abs(one + bias) <= LARGEST_SUM and one * bias >= 0)


def column_for(weight: Integers, wanted: int) -> Integers:
    """Activations (K,) of one sign whose product with weights of one sign is `wanted`: the largest weights first."""
    column, left = np.zeros(len(weight), np.int64), abs(wanted)
    for k in np.argsort(-np.abs(weight), kind="stable"):
        size = abs(int(weight[k]))
        if size and left:
            column[k] = min(ACTIVATION, left // size)
            left -= int(column[k]) * size
    return column * (1 if (wanted >= 0) == (weight[0] > 0) else -1)


def probe_columns(rows: Rows) -> Integers:
    """All columns (K, X)."""
    n_inputs = rows.weight.shape[1]
    directed = [row for row, weight in enumerate(rows.weight) if weight[0] != 0]
    columns = [column_for(rows.weight[row], wanted) for row in directed for wanted in wanted_sums(rows, row)]
    random = np.random.default_rng(2).integers(-ACTIVATION, ACTIVATION + 1, (N_RANDOM, n_inputs))
    return np.concatenate([np.array(columns), random]).T

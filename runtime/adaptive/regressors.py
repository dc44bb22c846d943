"""The regressors of a band in one line: differences against the sample north, in sample units, float32.

In the first line of a segment there is no north: the sample west takes its place, and what needs older lines is 0.
"""

from typing import Any

import numpy as np

from runtime.adaptive.parameters import N_SEQUENTIAL
from runtime.adaptive.slow_means import UNIT_BITS, UNITS
from runtime.adaptive.state import N_LINES
from runtime.kernels.no_refcount import no_refcount


@no_refcount
def put_difference(values: Any, bits: Any, others: Any, is_there: Any, out_row: Any) -> None:
    """out_row = values / 2**bits - others, or 0 where they are not there; values have `bits` fraction bits.

    The difference is an int32 (below 2**28), rounded to float32 once and then divided by a power of two.
    """
    scale = np.float32(1.0 / (1 << bits))
    if is_there:
        for x in range(out_row.size):
            out_row[x] = np.float32(np.int32(values[x] - (others[x] << bits))) * scale
    else:
        out_row[:] = np.float32(0)


@no_refcount
def put_shifted(values: Any, shift: Any, others: Any, is_there: Any, out_row: Any) -> None:
    """out_row[x] = values[x + shift] - others[x], the last column standing in for those beyond; or 0."""
    n_columns = out_row.size
    if not is_there:
        out_row[:] = np.float32(0)
        return
    first, last = max(0, -shift), min(n_columns, n_columns - shift)
    shifted, beside, inner = values[first + shift : last + shift], others[first:last], out_row[first:last]
    for x in range(inner.size):
        inner[x] = np.float32(np.int32(shifted[x] - beside[x]))
    for x in range(first):
        out_row[x] = np.float32(np.int32(values[0] - others[x]))
    for x in range(last, n_columns):
        out_row[x] = np.float32(np.int32(values[n_columns - 1] - others[x]))


@no_refcount
def fill_regressors(parameters: Any, state: Any, z: Any, doubled: Any, out_rows: Any) -> None:
    """Fill rows N_SEQUENTIAL.. of `out_rows` (N or more, X or more) float32 for band `z`.

    parameters: StageParameters. state: StageState, rows 0..z-1 of its line being known. doubled: (X,) int32, the
    network's s-tilde (zeros without one).
    """
    n_bands, n_columns = state.line.shape
    has_before = state.place[N_LINES] > 0
    line, before, means = state.line, state.line_before, state.means_now
    north = before[z]
    k = N_SEQUENTIAL
    put_difference(means[z], UNIT_BITS, north, has_before, out_rows[k, :n_columns])
    put_shifted(north, -1, north, has_before, out_rows[k + 1, :n_columns])
    put_shifted(north, 1, north, has_before, out_rows[k + 2, :n_columns])
    put_difference(state.line_before_that[z], 0, north, state.place[N_LINES] > 1, out_rows[k + 3, :n_columns])
    put_shifted(means[z], 1, means[z], has_before, out_rows[k + 4, :n_columns])
    for x in range(n_columns):
        out_rows[k + 4, x] *= np.float32(1.0 / UNITS)
    k += 5
    if parameters.has_network:
        put_difference(doubled, 1, north, has_before, out_rows[k, :n_columns])
        for x in range(n_columns):  # zeros before the first band
            out_rows[k + 1, x] = np.float32(state.network_error[x])
        k += 2
    for i in range(1, parameters.n_bands + 1):
        is_there = z >= i
        other = max(z - i, 0)
        if has_before:
            put_difference(line[other], 0, before[other], is_there, out_rows[k, :n_columns])
        else:
            put_shifted(line[other], -1, line[other], is_there, out_rows[k, :n_columns])
            for x in range(n_columns):
                out_rows[k, x] = -out_rows[k, x]
        k += 1
        if i <= parameters.n_means:
            put_difference(means[other], UNIT_BITS, before[other], is_there and has_before, out_rows[k, :n_columns])
            k += 1
        if i <= parameters.n_wests:
            put_shifted(line[other], -1, before[other], is_there and has_before, out_rows[k, :n_columns])
            k += 1
        if i <= parameters.n_corners:
            put_shifted(before[other], -1, before[other], is_there and has_before, out_rows[k, :n_columns])
            put_shifted(before[other], 1, before[other], is_there and has_before, out_rows[k + 1, :n_columns])
            k += 2
    for i in range(1, parameters.n_future + 1):
        is_there = z + i < n_bands and has_before
        other = min(z + i, n_bands - 1)
        put_difference(means[other], UNIT_BITS, before[other], is_there, out_rows[k, :n_columns])
        k += 1

"""What lies between the dense sub-graphs of the cell: memory, gates, clipped sums, states, layout. Host, integers only.

Tensors of sub-graphs are (C, N, X) with a zero point, int8 or uint8: value = integer - zero point; states are (N, X, F)
as in the master cell. Outputs of sub-graphs are clipped here to their layers' ranges: a quantiser's own range has a
-128 that the arithmetic has not. Kernels of arithmetic int8-v2 (docs/arithmetic.md, sections 3.3 and 3.4).
"""

from typing import Any

import numpy as np

from runtime.cell.integer_cell import LARGEST_ACTIVATION
from runtime.kernels.kernel_cache import njit


@njit(cache=True)
def fill_channels(values: Any, zero_point: Any, out: Any) -> None:
    """Fill (C, N, X) with values (N, X, C)."""
    for f in range(values.shape[2]):
        for n in range(values.shape[0]):
            for x in range(values.shape[1]):
                out[f, n, x] = np.int64(values[n, x, f]) + zero_point


@njit(cache=True)
def fill_repeated(values: Any, zero_point: Any, out: Any) -> None:
    """Fill (C, N, X) with values (N, 1, C), equal in all columns."""
    for f in range(values.shape[2]):
        for n in range(values.shape[0]):
            out[f, n, :] = np.int64(values[n, 0, f]) + zero_point


@njit(cache=True)
def fill_features(channels: Any, zero_point: Any, low: Any, out: Any) -> None:
    """Fill (N, X, C) with channels (C, N, X), brought up to `low`."""
    for n in range(out.shape[0]):
        for x in range(out.shape[1]):
            for f in range(out.shape[2]):
                out[n, x, f] = max(np.int64(channels[f, n, x]) - zero_point, low)


@njit(cache=True)
def fill_sum(values: Any, change: Any, zero_point: Any, out: Any) -> None:
    """Fill (N, X, F) with values (N, X, F) plus change (F, N, X), each and the sum in -127..127."""
    bound = LARGEST_ACTIVATION
    for n in range(out.shape[0]):
        for x in range(out.shape[1]):
            for f in range(out.shape[2]):
                step = max(np.int64(change[f, n, x]) - zero_point, -bound)
                out[n, x, f] = min(max(np.int64(values[n, x, f]) + step, -bound), bound)


@njit(cache=True, error_model="numpy")
def fill_memory(projected: Any, rates: Any, sums: Any, zero_point: Any, out_sums: Any, out_gated: Any) -> None:
    """Fill the memory after this line, and the gated mean (F, N, X) of it.

    projected: (3F, N, X), key, value and gate. rates: mantissa and exponent, (F,). sums, out_sums: numerator and
    denominator, (N, X, F) int16.
    """
    (mantissa, exponent), (numerator, denominator), (out_numerator, out_denominator) = rates, sums, out_sums
    n_groups, n_columns, n_features = numerator.shape
    bound = LARGEST_ACTIVATION
    for n in range(n_groups):
        for f in range(n_features):
            rate, shift = np.int64(mantissa[f]), np.int64(exponent[f])
            half = np.int64(1) << (shift - 1)
            for x in range(n_columns):
                weight = max(np.int64(projected[f, n, x]) - zero_point, 0) + 1
                value = max(np.int64(projected[n_features + f, n, x]) - zero_point, -bound)
                gate = max(np.int64(projected[2 * n_features + f, n, x]) - zero_point, 0)
                above, below = np.int64(numerator[n, x, f]), np.int64(denominator[n, x, f])
                above += ((2 * weight * value - above) * rate + half) >> shift
                below += ((128 * weight - below) * rate + half) >> shift
                out_numerator[n, x, f] = above
                out_denominator[n, x, f] = below
                # 128 higher and so never negative: one unsigned division of 32 bits; above < 2**15, below < 2**15
                raised = max(128 * above + 257 * below, 0)
                mean = min(max(np.int64(np.uint32(raised) // np.uint32(2 * below)) - 128, -bound), bound)
                out_gated[f, n, x] = ((gate * mean + 64) >> 7) + zero_point

"""What lies between the dense sub-graphs of the cell: memory, gates, clipped sums, states, layout. Host, integers only.

Tensors of sub-graphs are (C, B, X) with a zero point, int8 or uint8: value = integer - zero point; states are (B, X, F)
as in the master cell. Outputs of sub-graphs are clipped here to their layers' ranges: a quantiser's own range has a
-128 that the arithmetic has not. Kernels of arithmetic int8-v1 (docs/arithmetic.md, sections 3.3 and 3.4).
"""

from typing import Any

import numpy as np

from runtime.cell.integer_cell import LARGEST_ACTIVATION
from runtime.kernels.kernel_cache import njit


@njit(cache=True)
def fill_channels(values: Any, zero_point: Any, out: Any) -> None:
    """Fill (C, B, X) with values (B, X, C)."""
    for f in range(values.shape[2]):
        for b in range(values.shape[0]):
            for x in range(values.shape[1]):
                out[f, b, x] = np.int64(values[b, x, f]) + zero_point


@njit(cache=True)
def fill_features(channels: Any, zero_point: Any, low: Any, out: Any) -> None:
    """Fill (B, X, C) with channels (C, B, X), brought up to `low`."""
    for b in range(out.shape[0]):
        for x in range(out.shape[1]):
            for f in range(out.shape[2]):
                out[b, x, f] = max(np.int64(channels[f, b, x]) - zero_point, low)


@njit(cache=True)
def fill_sum(values: Any, change: Any, zero_point: Any, out: Any) -> None:
    """Fill (B, X, F) with values (B, X, F) plus change (F, B, X), each and the sum in -127..127."""
    bound = LARGEST_ACTIVATION
    for b in range(out.shape[0]):
        for x in range(out.shape[1]):
            for f in range(out.shape[2]):
                step = max(np.int64(change[f, b, x]) - zero_point, -bound)
                out[b, x, f] = min(max(np.int64(values[b, x, f]) + step, -bound), bound)


@njit(cache=True, error_model="numpy")
def fill_memory(projected: Any, rates: Any, sums: Any, zero_point: Any, out_sums: Any, out_gated: Any) -> None:
    """Fill the memory after this line, and the gated mean (F, B, X) of it.

    projected: (3F, B, X), key, value and gate. rates: mantissa and exponent, (F,). sums, out_sums: numerator and
    denominator, (B, X, F) int16.
    """
    (mantissa, exponent), (numerator, denominator), (out_numerator, out_denominator) = rates, sums, out_sums
    n_bands, n_columns, n = numerator.shape
    bound = LARGEST_ACTIVATION
    for b in range(n_bands):
        for f in range(n):
            rate, shift = np.int64(mantissa[f]), np.int64(exponent[f])
            half = np.int64(1) << (shift - 1)
            for x in range(n_columns):
                weight = max(np.int64(projected[f, b, x]) - zero_point, 0) + 1
                value = max(np.int64(projected[n + f, b, x]) - zero_point, -bound)
                gate = max(np.int64(projected[2 * n + f, b, x]) - zero_point, 0)
                above, below = np.int64(numerator[b, x, f]), np.int64(denominator[b, x, f])
                above += ((2 * weight * value - above) * rate + half) >> shift
                below += ((128 * weight - below) * rate + half) >> shift
                out_numerator[b, x, f] = above
                out_denominator[b, x, f] = below
                # 128 higher and so never negative: one unsigned division of 32 bits; above < 2**15, below < 2**15
                raised = max(128 * above + 257 * below, 0)
                mean = min(max(np.int64(np.uint32(raised) // np.uint32(2 * below)) - 128, -bound), bound)
                out_gated[f, b, x] = ((gate * mean + 64) >> 7) + zero_point


@njit(cache=True)
def fill_taps(decoded: Any, weight: Any, bias: Any, shift: Any, low: Any, high: Any, zero_point: Any, out: Any) -> None:
    """Fill the taps (B, X, TAPS) of decoded (F, B, X): the last layer, whose 14 bits no 8-bit quantiser carries.

    weight: (TAPS, F), bias, shift: (TAPS,). Sums are below 2**24 (`IntegerCell.check`), so 32 bits hold them.
    """
    n = decoded.shape[0]
    sums = np.empty(decoded.shape[2], np.int32)
    for b in range(out.shape[0]):
        for k in range(out.shape[2]):
            sums[:] = np.int64(bias[k]) + (np.int64(1) << (np.int64(shift[k]) - 1))
            for f in range(n):
                factor = np.int64(weight[k, f])
                for x in range(out.shape[1]):
                    sums[x] += factor * max(np.int64(decoded[f, b, x]) - zero_point, 0)
            for x in range(out.shape[1]):
                out[b, x, k] = min(max(sums[x] >> np.int64(shift[k]), low), high)

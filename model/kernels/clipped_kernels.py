"""Kernels of a clipped product: tiles of sums, bias and clip forward; masked gradients and those of a weight backward.

Tensors (..., A, ..., n) are seen as rows (N, n). A layout is (A, I, before, places): the axis has A places of I rows
each, and a row sees `places` of them, beginning `before` places earlier; zeros beyond the ends. Nothing is laid side by
side in memory; addresses stay good because what they point into is an argument, or made before the loop that uses it.
Weights come packed as (outputs, strips, sources, places, n, LANES), strips of LANES sums each.
"""

from typing import Any

import numpy as np

from model.kernels import tile_products
from model.kernels.tile_products import TILE_ROWS, TILE_WEIGHTS
from runtime.kernels.kernel_cache import njit
from runtime.kernels.lanes import LANES

SUMS_8: Any = tile_products.sums_8  # an intrinsic's first argument is the compiler's own
SUMS_16: Any = tile_products.sums_16
WEIGHTS_8: Any = tile_products.weights_8
WEIGHTS_16: Any = tile_products.weights_16
WEIGHTS_24: Any = tile_products.weights_24

BLOCK_ROWS = 96
"""Of one piece of a weight's gradient: with three places of 32 features, two thirds of the first cache."""


@njit(inline="always")
def fill_addresses(sources: Any, layout: Any, start: Any, zeros: Any, out_addresses: Any) -> None:
    """Fill (sources, places, rows) with the addresses of what rows from `start` see; past the last row, zeros."""
    n_axis, n_inner, before, n_places = layout
    n_rows, width = sources[0].shape
    for i in range(out_addresses.shape[2]):
        row = start + i
        place = (row // n_inner) % n_axis
        for j in range(n_places):
            is_inside = row < n_rows and 0 <= place + j - before < n_axis
            offset = (row + (j - before) * n_inner) * width * 4
            for m in range(len(sources)):
                out_addresses[m, j, i] = sources[m].ctypes.data + offset if is_inside else zeros


@njit(inline="always")
def sum_tile(sources: Any, layout: Any, start: Any, weight: Any, zeros: Any, out_addresses: Any, out_sums: Any) -> None:
    """Fill the sums (TILE_ROWS, outputs * strips * LANES) of the rows from `start`."""
    fill_addresses(sources, layout, start, zeros.ctypes.data, out_addresses)
    n_strips, n_segments, n_terms = weight.shape[1], weight.shape[2] * weight.shape[3], weight.shape[4]
    size = n_segments * n_terms * LANES * 4
    row = out_sums.shape[1] * 4
    for o in range(weight.shape[0]):
        for s in range(0, n_strips, 2):
            strip = o * n_strips + s
            first, out = weight.ctypes.data + strip * size, out_sums.ctypes.data + strip * LANES * 4
            if s + 1 < n_strips:
                SUMS_16(out_addresses.ctypes.data, n_segments, n_terms, first, size, out, row)
            else:
                SUMS_8(out_addresses.ctypes.data, n_segments, n_terms, first, size, out, row)


@njit(cache=True)
def forward_kernel(sources: Any, layout: Any, weight: Any, bias: Any, low: Any, high: Any, outs: Any) -> None:
    """Fill outs, each (N, F), with clipped sums; bias: (outputs, F); low, high: (outputs,). NaN stays."""
    n_strips, n_terms = weight.shape[1], weight.shape[4]
    addresses = np.empty((weight.shape[2], weight.shape[3], TILE_ROWS), np.int64)
    sums = np.empty((TILE_ROWS, weight.shape[0], n_strips * LANES), np.float32)
    rows, zeros = sums.reshape(TILE_ROWS, -1), np.zeros(n_terms, np.float32)
    n_rows, n_features = outs[0].shape
    for start in range(0, n_rows, TILE_ROWS):
        sum_tile(sources, layout, start, weight, zeros, addresses, rows)
        for o in range(len(outs)):
            out, smallest, largest = outs[o], low[o], high[o]
            for i in range(min(TILE_ROWS, n_rows - start)):
                for f in range(n_features):
                    total = sums[i, o, f] + bias[o, f]
                    total = smallest if total < smallest else total
                    out[start + i, f] = largest if total > largest else total


@njit(cache=True)
def added_kernel(
    sources: Any, layout: Any, weight: Any, bias: Any, low: Any, high: Any, values: Any, out: Any, out_inside: Any
) -> None:
    """As `forward_kernel` for one output, added to values (N, F) and clipped again.

    out_inside: (N, F) uint8, 1 where the sum was inside, plus 2 where the result is.
    """
    addresses = np.empty((weight.shape[2], weight.shape[3], TILE_ROWS), np.int64)
    sums, zeros = np.empty((TILE_ROWS, weight.shape[1] * LANES), np.float32), np.zeros(weight.shape[4], np.float32)
    n_rows, n_features = out.shape
    smallest, largest = low[0], high[0]
    for start in range(0, n_rows, TILE_ROWS):
        sum_tile(sources, layout, start, weight, zeros, addresses, sums)
        for i in range(min(TILE_ROWS, n_rows - start)):
            for f in range(n_features):
                total = sums[i, f] + bias[0, f]
                total = smallest if total < smallest else total
                total = largest if total > largest else total
                result = values[start + i, f] + total
                result = smallest if result < smallest else result
                result = largest if result > largest else result
                out[start + i, f] = result
                is_inside = np.uint8((total > smallest) & (total < largest))
                out_inside[start + i, f] = is_inside | (np.uint8((result > smallest) & (result < largest)) << 1)


@njit(cache=True)
def mask_rows(
    grad: Any, values: Any, low: Any, high: Any, start: Any, n: Any, out_masked: Any, first: Any, out_bias: Any
) -> None:
    """Fill n rows of out_masked from `first` with the gradients of rows from `start` whose values are inside."""
    sums = np.zeros(grad.shape[1], np.float32)
    for i in range(n):
        for f in range(grad.shape[1]):
            value = values[start + i, f]
            passed = grad[start + i, f] if (value > low) & (value < high) else np.float32(0)
            out_masked[first + i, f] = passed
            sums[f] += passed
    for f in range(grad.shape[1]):
        out_bias[f] += sums[f]


@njit(cache=True)
def mask_added_rows(
    grad: Any, inside: Any, start: Any, n: Any, out_masked: Any, first: Any, out_values: Any, out_bias: Any
) -> None:
    """As `mask_rows` after `added_kernel`; out_values is filled with the gradient of the values."""
    sums = np.zeros(grad.shape[1], np.float32)
    for i in range(n):
        for f in range(grad.shape[1]):
            code = inside[start + i, f]
            outer = grad[start + i, f] if code >= 2 else np.float32(0)
            passed = outer if code == 3 else np.float32(0)
            out_values[start + i, f] = outer
            out_masked[first + i, f] = passed
            sums[f] += passed
    for f in range(grad.shape[1]):
        out_bias[f] += sums[f]


@njit(inline="always")
def add_weights(addresses: Any, n: Any, masked: Any, first: Any, column: Any, out_weight: Any) -> None:
    """Add to out_weight (segments, n, sums), from `column` on, what n rows of masked gradients from `first` give."""
    width = masked.shape[1]
    row = out_weight.shape[2] * 4
    grad = masked.ctypes.data + first * width * 4
    for segment in range(out_weight.shape[0]):
        found = addresses.ctypes.data + segment * addresses.shape[2] * 8
        for k in range(0, out_weight.shape[1], TILE_WEIGHTS):
            at = out_weight.ctypes.data + (segment * out_weight.shape[1] + k) * row + column * 4
            s = 0
            while s < width:  # three strips at the end are one tile: one strip alone waits for its own sums
                if s + 3 * LANES == width:
                    WEIGHTS_24(found, k * 4, n, grad + s * 4, width * 4, at + s * 4, row)
                    s += 3 * LANES
                elif s + LANES < width:
                    WEIGHTS_16(found, k * 4, n, grad + s * 4, width * 4, at + s * 4, row)
                    s += 2 * LANES
                else:
                    WEIGHTS_8(found, k * 4, n, grad + s * 4, width * 4, at + s * 4, row)
                    s += LANES


@njit(cache=True)
def weight_kernel(
    sources: Any, layout: Any, grads: Any, values: Any, low: Any, high: Any, masked: Any, out_weight: Any, out_bias: Any
) -> None:
    """Add the gradients of weight and bias, and fill masked, each (N or BLOCK_ROWS, strips * LANES).

    grads, values: (N, F) for each output. out_weight: (sources * places, n, sums), out_bias: (outputs, F) float64.
    """
    n_rows = grads[0].shape[0]
    addresses = np.empty((len(sources), layout[3], BLOCK_ROWS), np.int64)
    zeros = np.zeros(sources[0].shape[1], np.float32)
    for start in range(0, n_rows, BLOCK_ROWS):
        n = min(BLOCK_ROWS, n_rows - start)
        first = start if masked[0].shape[0] == n_rows else 0
        fill_addresses(sources, layout, start, zeros.ctypes.data, addresses)
        for o in range(len(grads)):
            mask_rows(grads[o], values[o], low[o], high[o], start, n, masked[o], first, out_bias[o])
            add_weights(addresses, n, masked[o], first, o * masked[o].shape[1], out_weight)


@njit(cache=True)
def added_weight_kernel(
    sources: Any, layout: Any, grad: Any, inside: Any, masked: Any, out_values: Any, out_weight: Any, out_bias: Any
) -> None:
    """As `weight_kernel` after `added_kernel`."""
    n_rows = grad.shape[0]
    addresses = np.empty((len(sources), layout[3], BLOCK_ROWS), np.int64)
    zeros = np.zeros(sources[0].shape[1], np.float32)
    for start in range(0, n_rows, BLOCK_ROWS):
        n = min(BLOCK_ROWS, n_rows - start)
        fill_addresses(sources, layout, start, zeros.ctypes.data, addresses)
        mask_added_rows(grad, inside, start, n, masked, start, out_values, out_bias[0])
        add_weights(addresses, n, masked, start, 0, out_weight)

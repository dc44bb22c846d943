"""The spectral part of the cell: the small layers that each band has for itself, compiled, on the host.

They see what the current line showed in the bands just before, so a decoder calls them band after band; executors run
the line part, which needs none of it. Every value is an integer in float32, eight columns at a time: a sum stays below
2**24 (`IntegerCell.check`), so order and fused products change nothing (docs/arithmetic.md, section 3.1).

A row of the field holds one feature of all columns of a band, zeros around them.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_inputs import BAND_FEATURES, TAPS
from runtime.cell.folded_layer import folded_layer
from runtime.cell.integer_cell import POSITIVE, IntegerCell
from runtime.kernels.kernel_cache import njit
from runtime.kernels.lanes import LANES, bounded_lanes, floored, load, product_sum, spread_at, store

OUTPUTS = 4  # that are summed at once, of two times LANES columns
STRIP = 2 * LANES
PLACES = 3  # bands, or columns, of a convolution


class SpectralLayers(NamedTuple):
    """Layers of one shape as the kernel reads them: floor(clip([values, 1] @ [weights; bias]))."""

    weights: npt.NDArray[np.float32]  # (N, ceil(n_out / 4), 4 n_in), those of an input side by side
    bias: npt.NDArray[np.float32]  # (N, 4 ceil(n_out / 4))
    low: np.float32
    high: np.float32


class SpectralPart(NamedTuple):
    """All layers of a cell, as many of each as it has."""

    columns: SpectralLayers
    convolutions: SpectralLayers
    decoder: SpectralLayers
    taps: SpectralLayers


class SpectralField(NamedTuple):
    """Work space of a line, and what its last bands left in it; see `spectral_taps` for the rows."""

    values: npt.NDArray[np.float32]  # Flat
    stride: int  # From row to row
    n_features: int  # S, the rows of a layer


def spectral_layers(cell: IntegerCell, names: list[str], n_in: int, n_out: int) -> SpectralLayers:
    """Layers of these names, side by side. Raises Corrupt where float32 would not be exact."""
    folded = [folded_layer(cell.layers[name]) for name in names]
    missing = -n_out % OUTPUTS
    n_blocks = (n_out + missing) // OUTPUTS
    weights = np.zeros((len(names), n_blocks, n_in, OUTPUTS), np.float32)
    bias = np.zeros((len(names), n_out + missing), np.float32)
    for i, layer in enumerate(folded):
        padded = np.pad(layer.weight, ((0, 0), (0, missing)))
        weights[i] = padded.reshape(n_in, n_blocks, OUTPUTS).transpose(1, 0, 2)
        bias[i, :n_out] = layer.bias
    low, high = (folded[0].low, folded[0].high) if folded else POSITIVE
    return SpectralLayers(
        weights.reshape(len(names), n_blocks, n_in * OUTPUTS), bias, np.float32(low), np.float32(high)
    )


def spectral_part(cell: IntegerCell) -> SpectralPart:
    """The layers of a cell, in float32."""
    s = cell.shape.spectral_features
    convolutions = [f"band_convolutions.{i}" for i in range(cell.shape.band_convolutions)]
    return SpectralPart(
        spectral_layers(cell, ["band_columns"], PLACES * BAND_FEATURES, s),
        spectral_layers(cell, convolutions, PLACES * s, s),
        spectral_layers(cell, ["decoder"], 2 * s, s),
        spectral_layers(cell, ["taps"], s, TAPS),
    )


def spectral_field(cell: IntegerCell, n_columns: int) -> SpectralField:
    """Before the first band of a line: zeros."""
    shape = cell.shape
    n_strips = -(-n_columns // STRIP) + 1
    stride = (n_strips | 1) * STRIP  # odd: rows a power of two apart would share few places of the first cache
    n_rows = BAND_FEATURES + (PLACES * shape.band_convolutions + 3) * padded_rows(shape.spectral_features)
    n_rows += padded_rows(TAPS)
    return SpectralField(np.zeros(n_rows * stride + STRIP, np.float32), stride, shape.spectral_features)


@njit(cache=True, inline="always")
def padded_rows(n: Any) -> Any:
    """Rows of a layer of `n` outputs."""
    return (n + OUTPUTS - 1) // OUTPUTS * OUTPUTS


@njit(cache=True)
def fill_layer(values: Any, sources: Any, layers: Any, number: Any, n_columns: Any, target: Any, stride: Any) -> None:
    """Fill the rows from `target` on with layer `number` of the rows that begin at `sources` (n_in,)."""
    all_weights, all_bias, low, high = layers
    bias = all_bias[number]
    for block in range(all_weights.shape[1]):
        weights, first = all_weights[number, block], OUTPUTS * block
        bias_0, bias_1 = spread_at(bias, first), spread_at(bias, first + 1)
        bias_2, bias_3 = spread_at(bias, first + 2), spread_at(bias, first + 3)
        for x in range(0, n_columns, STRIP):
            a0, b0 = bias_0, bias_0
            a1, b1 = bias_1, bias_1
            a2, b2 = bias_2, bias_2
            a3, b3 = bias_3, bias_3
            for i in range(sources.shape[0]):
                place = sources[i] + x
                a, b = load(values, place), load(values, place + LANES)
                weight = spread_at(weights, OUTPUTS * i)
                a0, b0 = product_sum(weight, a, a0), product_sum(weight, b, b0)
                weight = spread_at(weights, OUTPUTS * i + 1)
                a1, b1 = product_sum(weight, a, a1), product_sum(weight, b, b1)
                weight = spread_at(weights, OUTPUTS * i + 2)
                a2, b2 = product_sum(weight, a, a2), product_sum(weight, b, b2)
                weight = spread_at(weights, OUTPUTS * i + 3)
                a3, b3 = product_sum(weight, a, a3), product_sum(weight, b, b3)
            place = target + first * stride + x
            store(values, place, floored(bounded_lanes(a0, low, high)))
            store(values, place + LANES, floored(bounded_lanes(b0, low, high)))
            store(values, place + stride, floored(bounded_lanes(a1, low, high)))
            store(values, place + stride + LANES, floored(bounded_lanes(b1, low, high)))
            store(values, place + 2 * stride, floored(bounded_lanes(a2, low, high)))
            store(values, place + 2 * stride + LANES, floored(bounded_lanes(b2, low, high)))
            store(values, place + 3 * stride, floored(bounded_lanes(a3, low, high)))
            store(values, place + 3 * stride + LANES, floored(bounded_lanes(b3, low, high)))


@njit(cache=True)
def spectral_taps(z: Any, features: Any, contexts: Any, part: Any, field: Any) -> Any:
    """The taps (TAPS, X) of band `z`, integers in float32, until the next band; bands come in order.

    features: (X, BAND_FEATURES) of the band before. contexts: (X, S) of this band. Rows of the field, in order: the
    features; of each convolution its input of three bands; the last output of these; the contexts; the decoder's
    output; the taps.
    """
    values, stride, n = field
    n_columns, n_rows, n_convolutions = contexts.shape[0], padded_rows(n), part.convolutions.weights.shape[0]
    start = np.int64(LANES)
    for x in range(n_columns):
        for f in range(BAND_FEATURES):
            values[start + f * stride + x] = features[x, f]
    sources = np.empty(PLACES * BAND_FEATURES, np.int64)
    for i in range(PLACES * BAND_FEATURES):
        sources[i] = start + i % BAND_FEATURES * stride + i // BAND_FEATURES - 1
    inputs = start + BAND_FEATURES * stride
    spectral = inputs + PLACES * n_convolutions * n_rows * stride
    target = inputs + z % PLACES * n_rows * stride if n_convolutions > 0 else spectral
    fill_layer(values, sources, part.columns, 0, n_columns, target, stride)
    sources = np.empty(PLACES * n, np.int64)
    for c in range(n_convolutions):
        for i in range(PLACES * n):
            band = (z + 1 + i // n) % PLACES  # two bands before, one before, here
            sources[i] = inputs + (band * n_rows + i % n) * stride
        inputs += PLACES * n_rows * stride
        target = inputs + z % PLACES * n_rows * stride if c < n_convolutions - 1 else spectral
        fill_layer(values, sources, part.convolutions, c, n_columns, target, stride)
    own = spectral + n_rows * stride
    for x in range(n_columns):
        for f in range(n):
            values[own + f * stride + x] = contexts[x, f]
    sources = np.empty(2 * n, np.int64)
    for i in range(n):
        sources[i], sources[n + i] = own + i * stride, spectral + i * stride
    hidden = own + n_rows * stride
    fill_layer(values, sources, part.decoder, 0, n_columns, hidden, stride)
    for i in range(n):
        sources[i] = hidden + i * stride
    taps = hidden + n_rows * stride
    fill_layer(values, sources[:n], part.taps, 0, n_columns, taps, stride)
    return values[taps : taps + TAPS * stride].reshape((TAPS, stride))

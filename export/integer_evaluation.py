"""The integer cell evaluated in int64, tile by tile: where a package's expected outputs come from.

Written apart from tests/reference/int8_cell.py, which takes whole lines; the tests hold one against the other.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.cell.integer_cell import LARGEST_ACTIVATION, NUMERATOR_BITS, IntegerCell, IntegerLayer, IntegerMemory

Integers = npt.NDArray[np.int64]
State = dict[str, Integers]


def initial_state(cell: IntegerCell, n_bands: int, n_columns: int) -> State:
    """All states by name before the second line of a segment."""
    n = cell.shape.features
    return {
        state.name: np.full((n_bands if state.is_per_band else 2, n_columns, n), state.initial, np.int64)
        for state in cell.shape.states()
    }


def requantised(layer: IntegerLayer, *parts: Integers) -> Integers:
    """A layer on inputs (B, X, n) that stand side by side."""
    weight, shift = layer.weight.astype(np.int64), layer.shift.astype(np.int64)
    sums = layer.bias.astype(np.int64) + (1 << (shift - 1))
    start = 0
    for part in parts:
        stop = start + part.shape[-1]
        sums = sums + part @ weight[:, start:stop].T
        start = stop
    result: Integers = np.clip(sums >> shift, layer.spec.low, layer.spec.high)
    return result


def column_neighbours(values: Integers) -> tuple[Integers, Integers, Integers]:
    """West, here, east; zeros outside the line."""
    padded = np.pad(values, ((0, 0), (1, 1), (0, 0)))
    return padded[:, :-2], values, padded[:, 2:]


def moved(before: Integers, target: Integers, memory: IntegerMemory) -> Integers:
    """A sum of the memory after one line."""
    exponent = memory.exponent.astype(np.int64)
    half = np.int64(1) << (exponent - 1)
    result: Integers = before + (((target - before) * memory.mantissa.astype(np.int64) + half) >> exponent)
    return result


def clipped(values: Integers) -> Integers:
    """Values in the range of an activation."""
    result: Integers = np.clip(values, -LARGEST_ACTIVATION, LARGEST_ACTIVATION)
    return result


def block(cell: IntegerCell, i: int, values: Integers, state: State) -> Integers:
    """Time mix, then channel mix; the states of the block in `state` move to this line."""

    def layer(name: str, *parts: Integers) -> Integers:
        return requantised(cell.layers[f"blocks.{i}.{name}"], *parts)

    before, state[f"before_{i}"] = state[f"before_{i}"], values
    key, value, gate = (layer(name, before, values) for name in ("key", "value", "gate"))
    weight = key + 1
    numerator = moved(state[f"numerator_{i}"], 2 * weight * value, cell.memories[i])
    denominator = moved(state[f"denominator_{i}"], 128 * weight, cell.memories[i])
    state[f"numerator_{i}"], state[f"denominator_{i}"] = numerator, denominator
    mean = clipped(((numerator << NUMERATOR_BITS) + denominator) // (2 * denominator))
    values = clipped(values + layer("output", (gate * mean + 64) >> 7))
    before, state[f"mix_before_{i}"] = state[f"mix_before_{i}"], values
    return clipped(values + layer("mixed", layer("mix", before, values)))


def evaluate_step(
    cell: IntegerCell, line_features: npt.NDArray[Any], band_features: npt.NDArray[Any], state: State
) -> tuple[Integers, State]:
    """Taps (B, X, TAPS) of a tile of bands, and its states after it; `state` stays as it is.

    line_features: (B, X, LINE_FEATURES). band_features: (B, X, BAND_FEATURES). state: the rows of the tile, and the two
    bands before it of each band convolution.
    """
    state = dict(state)
    spatial = line_features.astype(np.int64)
    for i in range(cell.shape.line_convolutions):
        spatial = requantised(cell.layers[f"line_convolutions.{i}"], *column_neighbours(spatial))
    for i in range(cell.shape.line_blocks):
        spatial = block(cell, i, spatial, state)
    spectral = requantised(cell.layers["band_columns"], *column_neighbours(band_features.astype(np.int64)))
    for i in range(cell.shape.band_convolutions):
        with_before = np.concatenate([state[f"bands_{i}"], spectral])
        state[f"bands_{i}"] = with_before[-2:]
        parts = with_before[:-2], with_before[1:-1], spectral
        spectral = requantised(cell.layers[f"band_convolutions.{i}"], *parts)
    taps = requantised(cell.layers["taps"], requantised(cell.layers["decoder"], spatial, spectral))
    return taps, state

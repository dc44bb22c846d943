"""The integer cell evaluated in int64: where a package's expected outputs come from.

Written apart from tests/reference/int8_cell.py; the tests hold one against the other.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.cell.integer_cell import LARGEST_ACTIVATION, NUMERATOR_BITS, IntegerCell, IntegerLayer, IntegerMemory

Integers = npt.NDArray[np.int64]
State = dict[str, Integers]


def initial_state(cell: IntegerCell, n_groups: int, n_columns: int) -> State:
    """All states by name, each (N, X, F), before the second line of a segment."""
    size = n_groups, n_columns, cell.shape.features
    return {state.name: np.full(size, state.initial, np.int64) for state in cell.shape.states()}


def requantised(layer: IntegerLayer, *parts: Integers) -> Integers:
    """A layer on inputs (N, X, n) that stand side by side; one of a single column stands for all."""
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


def evaluate_line_part(
    cell: IntegerCell, line_features: npt.NDArray[Any], levels: npt.NDArray[Any], state: State
) -> tuple[Integers, State]:
    """Contexts (N, X, G S) of groups of bands, and their states after the line; `state` stays as it is.

    line_features: (N, X, G LINE_FEATURES). levels: (N, 1, G LEVELS).
    """
    state = dict(state)
    features = column_neighbours(line_features.astype(np.int64))
    spatial = requantised(cell.layers["line_convolutions.0"], *features, levels.astype(np.int64))
    for i in range(1, cell.shape.line_convolutions):
        spatial = requantised(cell.layers[f"line_convolutions.{i}"], *column_neighbours(spatial))
    for i in range(cell.shape.line_blocks):
        spatial = block(cell, i, spatial, state)
    return requantised(cell.layers["context"], spatial), state


def evaluate_spectral_part(cell: IntegerCell, contexts: Integers, band_features: npt.NDArray[Any]) -> Integers:
    """Taps (Z, X, TAPS) of all bands of a line. contexts: (N, X, G S). band_features: (Z, X, BAND_FEATURES)."""
    n_bands, s = len(band_features), cell.shape.spectral_features
    by_band = np.concatenate([contexts[..., i : i + s] for i in range(0, contexts.shape[-1], s)], axis=1)
    own = by_band.reshape(-1, contexts.shape[1], s)[:n_bands]
    spectral = requantised(cell.layers["band_columns"], *column_neighbours(band_features.astype(np.int64)))
    for i in range(cell.shape.band_convolutions):
        with_before = np.pad(spectral, ((2, 0), (0, 0), (0, 0)))
        parts = with_before[:-2], with_before[1:-1], spectral
        spectral = requantised(cell.layers[f"band_convolutions.{i}"], *parts)
    return requantised(cell.layers["taps"], requantised(cell.layers["decoder"], own, spectral))

"""Arithmetic int8-v2 written to be read: whole lines, int64, one operation after another (docs/arithmetic.md)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_inputs import LINE_FEATURES
from runtime.cell.integer_cell import INITIAL_DENOMINATOR, IntegerCell

Integers = npt.NDArray[np.int64]


def layer(cell: IntegerCell, name: str, values: Integers) -> Integers:
    """Section 3.1: (Z, X, n_in) to (Z, X, n_out)."""
    found = cell.layers[name]
    shift = found.shift.astype(np.int64)
    total = values @ found.weight.astype(np.int64).T + found.bias
    assert np.abs(total).max() < 1 << 24
    result: Integers = np.clip((total + (1 << (shift - 1))) >> shift, found.spec.low, found.spec.high)
    return result


def columns(values: Integers) -> Integers:
    """Section 3.2: west, here, east; zeros outside the line."""
    nothing = np.zeros_like(values[:, :1])
    west, east = np.concatenate([nothing, values[:, :-1]], 1), np.concatenate([values[:, 1:], nothing], 1)
    return np.concatenate([west, values, east], -1)


def bands(values: Integers) -> Integers:
    """Section 3.2: two bands before, one before, here; zeros before the first band."""
    rows = np.concatenate([np.zeros_like(values[:1]), np.zeros_like(values[:1]), values])
    return np.concatenate([rows[:-2], rows[1:-1], values], -1)


def mean(cell: IntegerCell, i: int, key: Integers, value: Integers, state: dict[str, Integers]) -> Integers:
    """Section 3.4: the memory moves to this line; its weighted mean."""
    memory = cell.memories[i]
    mantissa, exponent = memory.mantissa.astype(np.int64), memory.exponent.astype(np.int64)
    half = 1 << (exponent - 1)
    weight = key + 1
    numerator, denominator = state[f"numerator_{i}"], state[f"denominator_{i}"]
    numerator = numerator + (((2 * weight * value - numerator) * mantissa + half) >> exponent)
    denominator = denominator + (((128 * weight - denominator) * mantissa + half) >> exponent)
    state[f"numerator_{i}"], state[f"denominator_{i}"] = numerator, denominator
    assert np.abs(numerator).max() < 1 << 15 and denominator.min() >= 128 and denominator.max() < 1 << 15
    quotient: Integers = np.clip((128 * numerator + denominator) // (2 * denominator), -127, 127)
    return quotient


def block(cell: IntegerCell, i: int, values: Integers, state: dict[str, Integers]) -> Integers:
    """Section 3.3: time mix, then channel mix; the state takes this line."""
    both = np.concatenate([state[f"before_{i}"], values], -1)
    state[f"before_{i}"] = values
    key, value, gate = (layer(cell, f"blocks.{i}.{name}", both) for name in ("key", "value", "gate"))
    gated = (gate * mean(cell, i, key, value, state) + 64) >> 7
    values = np.clip(values + layer(cell, f"blocks.{i}.output", gated), -127, 127)
    both = np.concatenate([state[f"mix_before_{i}"], values], -1)
    state[f"mix_before_{i}"] = values
    mixed = layer(cell, f"blocks.{i}.mixed", layer(cell, f"blocks.{i}.mix", both))
    total: Integers = np.clip(values + mixed, -127, 127)
    return total


def initial_state(cell: IntegerCell, n_bands: int, n_columns: int) -> dict[str, Integers]:
    """Before the second line of a segment."""
    shape = (cell.shape.groups(n_bands), n_columns, cell.shape.features)
    state = {}
    for i in range(cell.shape.line_blocks):
        for name in ("before", "numerator", "mix_before"):
            state[f"{name}_{i}"] = np.zeros(shape, np.int64)
        state[f"denominator_{i}"] = np.full(shape, INITIAL_DENOMINATOR, np.int64)
    return state


def grouped(values: Integers, group: int) -> Integers:
    """Section 2: (Z, X, n) to (N, X, G n), the bands of a group side by side, zeros where there is no band."""
    n_bands, n_columns, n = values.shape
    full = np.concatenate([values, np.zeros((-n_bands % group, n_columns, n), np.int64)])
    return full.reshape(-1, group, n_columns, n).transpose(0, 2, 1, 3).reshape(-1, n_columns, group * n)


def line_part(
    cell: IntegerCell, line_features: npt.NDArray[Any], levels: npt.NDArray[Any], state: dict[str, Integers]
) -> tuple[Integers, dict[str, Integers]]:
    """Section 3.5: contexts (N, X, G S) of groups of bands, and the state after the line.

    line_features: (N, X, G LINE_FEATURES). levels: (N, 1, G LEVELS).
    """
    state = dict(state)
    n_columns = line_features.shape[1]
    everywhere = np.repeat(levels.astype(np.int64), n_columns, axis=1)
    inputs = np.concatenate([columns(line_features.astype(np.int64)), everywhere], -1)
    spatial = layer(cell, "line_convolutions.0", inputs)
    for i in range(1, cell.shape.line_convolutions):
        spatial = layer(cell, f"line_convolutions.{i}", columns(spatial))
    for i in range(cell.shape.line_blocks):
        spatial = block(cell, i, spatial, state)
    return layer(cell, "context", spatial), state


def spectral_part(cell: IntegerCell, contexts: Integers, band_features: npt.NDArray[Any]) -> Integers:
    """Section 3.6: taps (Z, X, TAPS) of all bands of a line. contexts: (N, X, G S)."""
    n_bands, n_columns = band_features.shape[:2]
    own = contexts.reshape(len(contexts), n_columns, cell.shape.group, -1).transpose(0, 2, 1, 3)
    own = own.reshape(-1, n_columns, cell.shape.spectral_features)[:n_bands]
    spectral = layer(cell, "band_columns", columns(band_features.astype(np.int64)))
    for i in range(cell.shape.band_convolutions):
        spectral = layer(cell, f"band_convolutions.{i}", bands(spectral))
    return layer(cell, "taps", layer(cell, "decoder", np.concatenate([own, spectral], -1)))


def step(
    cell: IntegerCell, features: npt.NDArray[Any], band_features: npt.NDArray[Any], state: dict[str, Integers]
) -> tuple[Integers, dict[str, Integers]]:
    """Taps (Z, X, TAPS) of all bands of a line, and the state after it.

    features: (Z, X, LINE_FEATURES + LEVELS) of each band, the levels equal in all columns.
    """
    group = cell.shape.group
    line_features = grouped(features[..., :LINE_FEATURES].astype(np.int64), group)
    levels = grouped(features[..., LINE_FEATURES:].astype(np.int64), group)[:, :1]
    contexts, state = line_part(cell, line_features, levels, state)
    return spectral_part(cell, contexts, band_features), state

"""The recorded lines of a package: inputs, expected contexts, taps, final states. What differs is refused."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from export.integer_evaluation import evaluate_line_part, evaluate_spectral_part, initial_state
from runtime.cell.conformance import Conformance
from runtime.cell.flight_inputs import (
    BAND_FEATURES,
    LEVELS,
    LINE_FEATURES,
    fill_band_features,
    fill_groups,
    first_state,
    next_state,
)
from runtime.cell.integer_cell import IntegerCell, pack_tensors
from runtime.images.synthetic import synthetic_lines

CONFORMANCE = "conformance.bin"
SCENE_LINES, LEAST_BANDS, N_COLUMNS = 7, 8, 24
SEED = 0x11BE


def recorded_bands(group: int) -> int:
    """Bands of the recorded lines: full groups and, unless a group is one band, one that is not full."""
    return max(1, LEAST_BANDS // group) * group + (group + 1) // 2


class Inputs(NamedTuple):
    """What a cell is given for some lines."""

    line_features: npt.NDArray[np.int8]
    """(Y, N, X, G LINE_FEATURES)."""
    levels: npt.NDArray[np.int8]
    """(Y, N, 1, G LEVELS)."""
    band_features: npt.NDArray[np.int8]
    """(Y, Z, X, BAND_FEATURES)."""


def input_shapes(group: int) -> tuple[tuple[int, ...], ...]:
    """Of one line, as in `Inputs`."""
    n_bands = recorded_bands(group)
    n_groups = -(-n_bands // group)
    features = n_groups, N_COLUMNS, group * LINE_FEATURES
    return features, (n_groups, 1, group * LEVELS), (n_bands, N_COLUMNS, BAND_FEATURES)


def scene_inputs(group: int) -> Inputs:
    """What the host side makes of a synthetic scene, one line less than the scene has."""
    found = Inputs(*(np.empty((SCENE_LINES - 1, *shape), np.int8) for shape in input_shapes(group)))
    n_bands, generator = recorded_bands(group), np.random.default_rng(SEED)
    first, *lines = (line.astype(np.int32) for line in synthetic_lines(SCENE_LINES, n_bands, N_COLUMNS, generator))
    state = first_state(first)
    for y, line in enumerate(lines):
        fill_groups(0, state.arrays, found.line_features[y], found.levels[y])
        for z in range(n_bands):
            fill_band_features(z, line, state.arrays, found.band_features[y, z])
        state = next_state(line, state)
    return found


def extreme_inputs(group: int) -> Inputs:
    """Lines that use the range: all largest, random signs of the largest, everything at random."""
    generator = np.random.default_rng(SEED)
    found = []
    for shape in input_shapes(group):
        signs = generator.choice(np.array([-127, 127], np.int8), shape)
        anything = generator.integers(-127, 128, shape).astype(np.int8)
        found.append(np.stack([np.full(shape, 127, np.int8), signs, anything]))
    return Inputs(*found)


def recorded_sequence(cell: IntegerCell) -> Conformance:
    """The recorded lines with what the arithmetic makes of them."""
    group = cell.shape.group
    inputs = Inputs(*(np.concatenate(pair) for pair in zip(scene_inputs(group), extreme_inputs(group), strict=True)))
    state = initial_state(cell, inputs.levels.shape[1], N_COLUMNS)
    contexts, taps = [], []
    for line_features, levels, band_features in zip(*inputs, strict=True):
        found, state = evaluate_line_part(cell, line_features, levels, state)
        contexts.append(found.astype(np.int8))
        taps.append(evaluate_spectral_part(cell, found, band_features).astype(np.int16))
    memory = {spec.name: state[spec.name].astype(spec.dtype) for spec in cell.shape.states()}
    features, levels, band_features = inputs
    return Conformance(features, levels, np.stack(contexts), band_features, np.stack(taps), memory)


def conformance_part(cell: IntegerCell) -> tuple[bytes, dict[str, Any]]:
    """The bytes of `conformance.bin`, and what the manifest says of them."""
    recorded = recorded_sequence(cell)
    block, table = pack_tensors(recorded.tensors())
    n_lines, n_bands, n_columns = recorded.taps.shape[:3]
    sizes = {"n_lines": n_lines, "n_bands": n_bands, "n_columns": n_columns}
    return block, {"file": CONFORMANCE, **sizes, "tensors": table}

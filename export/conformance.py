"""The recorded lines of a package: inputs, expected taps, final states. An executor that differs is refused."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from export.integer_evaluation import evaluate_step, initial_state
from runtime.cell.conformance import Conformance
from runtime.cell.flight_inputs import (
    BAND_FEATURES,
    LINE_FEATURES,
    fill_band_features,
    fill_line_features,
    first_state,
    next_state,
)
from runtime.cell.integer_cell import IntegerCell, pack_tensors
from runtime.images.synthetic import synthetic_lines

CONFORMANCE = "conformance.bin"
SCENE_LINES, N_BANDS, N_COLUMNS = 7, 11, 24
SEED = 0x11BE


class Features(NamedTuple):
    """Inputs of a cell for some lines."""

    line: npt.NDArray[np.int8]
    """(Y, Z, X, LINE_FEATURES)."""
    band: npt.NDArray[np.int8]
    """(Y, Z, X, BAND_FEATURES)."""


def scene_features() -> Features:
    """What the host side makes of a synthetic scene, one line less than the scene has."""
    shape = (SCENE_LINES - 1, N_BANDS, N_COLUMNS)
    line_features, band_features = (np.empty((*shape, n), np.int8) for n in (LINE_FEATURES, BAND_FEATURES))
    generator = np.random.default_rng(SEED)
    first, *lines = (line.astype(np.int32) for line in synthetic_lines(SCENE_LINES, N_BANDS, N_COLUMNS, generator))
    state = first_state(first)
    for y, line in enumerate(lines):
        for z in range(N_BANDS):
            fill_line_features(z, state.arrays, line_features[y, z])
            fill_band_features(z, line, state.arrays, band_features[y, z])
        state = next_state(line, state)
    return Features(line_features, band_features)


def extreme_features() -> Features:
    """Lines that use the range: all largest, random signs of the largest, everything at random."""
    generator = np.random.default_rng(SEED)
    features = []
    for n in (LINE_FEATURES, BAND_FEATURES):
        shape = (N_BANDS, N_COLUMNS, n)
        signs = generator.choice(np.array([-127, 127], np.int8), shape)
        anything = generator.integers(-127, 128, shape).astype(np.int8)
        features.append(np.stack([np.full(shape, 127, np.int8), signs, anything]))
    return Features(*features)


def recorded_sequence(cell: IntegerCell) -> Conformance:
    """The recorded lines with what the arithmetic makes of them."""
    scene, extremes = scene_features(), extreme_features()
    line_features, band_features = (np.concatenate(pair) for pair in zip(scene, extremes, strict=True))
    state = initial_state(cell, N_BANDS, N_COLUMNS)
    bands = {spec.name: state[spec.name] for spec in cell.shape.states() if not spec.is_per_band}
    taps = []
    for line, band in zip(line_features, band_features, strict=True):
        found, state = evaluate_step(cell, line, band, state | bands)
        taps.append(found.astype(np.int16))
    memory = {spec.name: state[spec.name].astype(spec.dtype) for spec in cell.shape.states() if spec.is_per_band}
    return Conformance(line_features, band_features, np.stack(taps), memory)


def conformance_part(cell: IntegerCell) -> tuple[bytes, dict[str, Any]]:
    """The bytes of `conformance.bin`, and what the manifest says of them."""
    recorded = recorded_sequence(cell)
    block, table = pack_tensors(recorded.tensors())
    n_lines, n_bands, n_columns = recorded.taps.shape[:3]
    sizes = {"n_lines": n_lines, "n_bands": n_bands, "n_columns": n_columns}
    return block, {"file": CONFORMANCE, **sizes, "tensors": table}

"""The recorded lines of an int8 package: what goes into the cell, and what must come out, bit for bit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_inputs import BAND_FEATURES, LEVELS, LINE_FEATURES, TAPS
from runtime.cell.integer_cell import CellShape, check_tensor
from runtime.errors import Corrupt


@dataclass(frozen=True)
class Conformance:
    """Consecutive lines of one segment, beginning with the initial state: Z bands in N groups."""

    line_features: npt.NDArray[np.int8]  # (Y, N, X, G LINE_FEATURES)
    levels: npt.NDArray[np.int8]  # (Y, N, 1, G LEVELS)
    contexts: npt.NDArray[np.int8]  # (Y, N, X, G S), expected of an executor
    band_features: npt.NDArray[np.int8]  # (Y, Z, X, BAND_FEATURES)
    taps: npt.NDArray[np.int16]  # (Y, Z, X, TAPS), expected of the spectral part
    states: dict[str, npt.NDArray[Any]]  # Expected memory of lines after the last one, each (N, X, F)

    @classmethod
    def from_tensors(cls, shape: CellShape, tensors: dict[str, npt.NDArray[Any]]) -> "Conformance":
        """From the tensors of a package. Raises Corrupt."""
        try:
            states = {state.name: tensors[state.name] for state in shape.states()}
            line_part = tensors["line_features"], tensors["levels"], tensors["contexts"]
            found = cls(*line_part, tensors["band_features"], tensors["taps"], states)
        except KeyError as error:
            raise Corrupt(f"conformance: tensor {error} is missing") from error
        if found.taps.ndim != 4:
            raise Corrupt(f"conformance: taps of shape {found.taps.shape}, allowed 4 axes")
        n_lines, n_bands, n_columns = found.taps.shape[:3]
        n_groups, group = shape.groups(n_bands), shape.group
        groups, bands = (n_lines, n_groups, n_columns), (n_lines, n_bands, n_columns)
        check_tensor("conformance: line_features", found.line_features, np.int8, *groups, group * LINE_FEATURES)
        check_tensor("conformance: levels", found.levels, np.int8, n_lines, n_groups, 1, group * LEVELS)
        n_contexts = group * shape.spectral_features
        check_tensor("conformance: contexts", found.contexts, np.int8, *groups, n_contexts)
        check_tensor("conformance: band_features", found.band_features, np.int8, *bands, BAND_FEATURES)
        check_tensor("conformance: taps", found.taps, np.int16, *bands, TAPS)
        for state in shape.states():
            wanted = np.dtype(state.dtype).type
            size = n_groups, n_columns, shape.features
            check_tensor(f"conformance: {state.name}", found.states[state.name], wanted, *size)
        return found

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """All arrays by name, in a fixed order."""
        inputs = {"line_features": self.line_features, "levels": self.levels, "contexts": self.contexts}
        return {**inputs, "band_features": self.band_features, "taps": self.taps, **self.states}

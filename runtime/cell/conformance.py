"""The recorded lines of an int8 package: what goes into the cell, and what must come out, bit for bit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_inputs import BAND_FEATURES, LINE_FEATURES, TAPS
from runtime.cell.integer_cell import CellShape, check_tensor
from runtime.errors import Corrupt


@dataclass(frozen=True)
class Conformance:
    """Consecutive lines of one segment, beginning with the initial state."""

    line_features: npt.NDArray[np.int8]  # (Y, Z, X, LINE_FEATURES)
    band_features: npt.NDArray[np.int8]  # (Y, Z, X, BAND_FEATURES)
    taps: npt.NDArray[np.int16]  # (Y, Z, X, TAPS), expected
    states: dict[str, npt.NDArray[Any]]  # Expected memory of lines after the last one, each (Z, X, F)

    @classmethod
    def from_tensors(cls, shape: CellShape, tensors: dict[str, npt.NDArray[Any]]) -> "Conformance":
        """From the tensors of a package. Raises Corrupt."""
        try:
            states = {state.name: tensors[state.name] for state in shape.states() if state.is_per_band}
            found = cls(tensors["line_features"], tensors["band_features"], tensors["taps"], states)
        except KeyError as error:
            raise Corrupt(f"conformance: tensor {error} is missing") from error
        size = found.taps.shape[:-1]
        if len(size) != 3:
            raise Corrupt(f"conformance: taps of shape {found.taps.shape}, allowed 4 axes")
        check_tensor("conformance: line_features", found.line_features, np.int8, *size, LINE_FEATURES)
        check_tensor("conformance: band_features", found.band_features, np.int8, *size, BAND_FEATURES)
        check_tensor("conformance: taps", found.taps, np.int16, *size, TAPS)
        for state in shape.states():
            if state.is_per_band:
                wanted = np.dtype(state.dtype).type
                check_tensor(f"conformance: {state.name}", found.states[state.name], wanted, *size[1:], shape.features)
        return found

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """All arrays by name, in a fixed order."""
        features = {"line_features": self.line_features, "band_features": self.band_features}
        return features | {"taps": self.taps} | self.states

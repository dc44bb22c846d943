"""What turns lines into mapped residuals and back: DPCM, and a network with its memory of the segment.

A predictor works on one line at a time and hands its state in and out; it never sees how many lines follow.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_package import FloatPackage
from runtime.cell.integer_base import base_samples, doubled_predictions
from runtime.errors import BadArgument, Corrupt
from runtime.executors.executor import CellState, Executor, initial_state
from runtime.kernels.mapping import map_samples, unmap_samples
from runtime.prediction import dpcm
from runtime.prediction.normalise import Normalisation, from_first_line, normalised

Line = npt.NDArray[np.int32]
"""(Z, X) samples of one line, quantised where the stream is near-lossless."""


class SegmentState(NamedTuple):
    """What a predictor knows of the segment so far."""

    line_before: Line
    normalisation: Normalisation
    cell: CellState


class Predictor(Protocol):
    """Lines to mapped residuals and back; None is the state before the first line of a segment.

    The state is the predictor's own: whoever drives it hands back what came out of the line before.
    """

    def encode_line(self, line: Line, state: Any, out_mapped: Line) -> Any:
        """Fill the mapped residuals of `line`, and return the state after it."""

    def decode_line(self, mapped: Line, state: Any, out_line: Line) -> Any:
        """Fill the line whose mapped residuals these are, and return the state after it; raises Corrupt."""


class DpcmPredictor:
    """Every line by itself: over columns in band 0, from the band before in the others."""

    def __init__(self, smallest: int, largest: int, max_error: int = 0) -> None:
        self.limits = (max_error, smallest, largest)

    def encode_line(self, line: Line, state: SegmentState | None, out_mapped: Line) -> None:
        """As in `Predictor`; keeps no state."""
        self.encode(line, out_mapped, np.empty_like(line))

    def encode(self, line: Line, out_mapped: Line, out_restored: Line) -> None:
        """Fill the mapped residuals of `line`, and what the decoder makes of them."""
        dpcm.map_line(line, *self.limits, out_mapped, out_restored)

    def decode_line(self, mapped: Line, state: SegmentState | None, out_line: Line) -> None:
        """As in `Predictor`; keeps no state."""
        if not dpcm.unmap_line(mapped, *self.limits, out_line):
            raise Corrupt("a decoded residual leads outside the sample range")


class NetworkPredictor:
    """The first line by DPCM, every other by the network, band after band.

    The float32 cell is stepped one band at a time on both sides, because a step over all bands may round differently
    from a step over one; the encoder pays for what only the decoder needs.
    """

    def __init__(self, package: FloatPackage, executor: Executor, smallest: int, largest: int) -> None:
        self.package = package
        self.executor = executor
        self.smallest = smallest
        self.largest = largest
        self.first_line = DpcmPredictor(smallest, largest)

    def encode_line(self, line: Line, state: SegmentState | None, out_mapped: Line) -> SegmentState:
        """As in `Predictor`."""
        if state is None:
            self.first_line.encode_line(line, None, out_mapped)
            return self.start(line)
        doubled = np.empty((1, line.shape[1]), np.int32)
        cell = state.cell
        for z in range(len(line)):
            cell = self.predict_band(z, line, state, cell, doubled)
            map_samples(line[z : z + 1], doubled, 0, self.smallest, self.largest, out_mapped[z : z + 1])
        return SegmentState(line.copy(), state.normalisation, self.rewound(cell))

    def decode_line(self, mapped: Line, state: SegmentState | None, out_line: Line) -> SegmentState:
        """As in `Predictor`."""
        if state is None:
            self.first_line.decode_line(mapped, None, out_line)
            return self.start(out_line)
        doubled = np.empty((1, mapped.shape[1]), np.int32)
        cell = state.cell
        for z in range(len(mapped)):
            cell = self.predict_band(z, out_line, state, cell, doubled)
            row = slice(z, z + 1)
            if not unmap_samples(mapped[row], doubled, 0, self.smallest, self.largest, out_line[row]):
                raise Corrupt(f"a decoded residual in band {z} leads outside the sample range")
        return SegmentState(out_line.copy(), state.normalisation, self.rewound(cell))

    def start(self, first_line: Line) -> SegmentState:
        """The state after the first line of a segment."""
        n_bands, n_columns = first_line.shape
        constants = self.package.manifest["normalisation"]
        if constants["kind"] == "first-line":
            normalisation = from_first_line(first_line)
        else:
            normalisation = Normalisation(*(np.array(constants[name], np.int32) for name in Normalisation._fields))
            if len(normalisation.mean) != n_bands:
                raise BadArgument(f"package is for {len(normalisation.mean)} bands, the image has {n_bands}")
        return SegmentState(first_line.copy(), normalisation, initial_state(self.package, n_bands, n_columns))

    def rewound(self, cell: CellState) -> CellState:
        """The state for the next line: the memory of lines, and the initial state over bands."""
        n_columns = next(iter(cell.band.values())).shape[1]
        return CellState(cell.line, initial_state(self.package, 0, n_columns).band)

    def predict_band(self, z: int, line: Line, state: SegmentState, cell: CellState, out_doubled: Line) -> CellState:
        """Fill s-tilde (1, X) of band `z` from rows 0..z-1 of `line`, and return the state after it.

        The arrays of `cell.line` are large and are written in place: row `z` is read here and nowhere later in a line.
        """
        row = slice(z, z + 1)
        before = slice(z - 1, z) if z > 0 else row
        statistics = state.normalisation
        line_before = state.line_before[row]
        band_now = line[before] if z > 0 else np.zeros_like(line_before)
        band_before = state.line_before[before] if z > 0 else band_now
        normalised_line = normalised(line_before, Normalisation(*(values[row] for values in statistics)))
        normalised_band = normalised(band_now, Normalisation(*(values[before] for values in statistics)))
        is_first = np.full((1, 1), 1 if z == 0 else 0, np.float32)
        rows = {name: values[row] for name, values in cell.line.items()}
        correction, after = self.executor.step(normalised_line, normalised_band, is_first, CellState(rows, cell.band))
        for name, values in after.line.items():
            cell.line[name][row] = values
        base = base_samples(self.package.base, line_before, band_now, band_before, statistics.mean[row, None])
        doubled_predictions(correction, base, statistics.scale[row], self.smallest, self.largest, out_doubled)
        return CellState(cell.line, after.band)

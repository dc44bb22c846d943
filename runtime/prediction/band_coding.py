"""From the network's predictions of a band to mapped residuals and back: as they are, or through the adaptive stage."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from runtime.adaptive.band import Band
from runtime.adaptive.parameters import stage_parameters
from runtime.adaptive.stage import begin_line, end_line, run_band
from runtime.adaptive.state import StageState, initial_state
from runtime.errors import Corrupt
from runtime.kernels.mapping import map_samples, unmap_samples
from runtime.stream.kinds import AdaptiveStage

Row = npt.NDArray[np.int32]
"""(X,) of one band."""
MarkRow = npt.NDArray[np.uint8]
"""(X,) of one band, or (0,)."""


class BandCoding(Protocol):
    """Bands come in order, between `begin` and `end` of each line. The state is changed in place."""

    def initial_state(self, n_bands: int, n_columns: int) -> StageState | None:
        """Before the first line of a segment; None where nothing is learned."""
        return None

    def begin(self, state: StageState | None) -> None:
        """Before the first band of a line."""
        return

    def end(self, state: StageState | None) -> None:
        """After the last band of a line."""
        return

    def encode(
        self, state: StageState | None, z: int, doubled: Row, samples: Row, mapped: Row, out_known: Row, marks: MarkRow
    ) -> None:
        """Fill the mapped residuals of band `z`; doubled: the network's s-tilde.

        With a maximum error `samples` become what a decoder restores, and `out_known` what predictions learn from.
        marks: samples that a decoder knows already, or (0,); their mapped residuals are 0.
        """

    def decode(
        self, state: StageState | None, z: int, doubled: Row, samples: Row, mapped: Row, out_known: Row, marks: MarkRow
    ) -> None:
        """Fill the samples of band `z` that are not marked, and `out_known` as `encode`.

        Raises Corrupt for a residual out of range.
        """


class PlainBands(BandCoding):
    """The network's prediction is the prediction."""

    def __init__(self, smallest: int, largest: int, max_error: int) -> None:
        self.limits = (max_error, smallest, largest)

    @override
    def encode(
        self, state: StageState | None, z: int, doubled: Row, samples: Row, mapped: Row, out_known: Row, marks: MarkRow
    ) -> None:
        map_samples(samples, doubled, *self.limits, mapped)
        if marks.size:
            mapped[marks != 0] = 0
        if self.limits[0]:
            self.decode(state, z, doubled, samples, mapped, out_known, marks)

    @override
    def decode(
        self, state: StageState | None, z: int, doubled: Row, samples: Row, mapped: Row, out_known: Row, marks: MarkRow
    ) -> None:
        known = samples[marks != 0] if marks.size else None
        if not unmap_samples(mapped, doubled, *self.limits, samples):
            raise Corrupt(f"a decoded residual in band {z} leads outside the sample range")
        if known is not None:
            samples[marks != 0] = known
        if self.limits[0]:
            out_known[:] = samples


class StagedBands(BandCoding):
    """The network's prediction is one regressor of the adaptive stage."""

    def __init__(self, stage: AdaptiveStage, smallest: int, largest: int, max_error: int) -> None:
        self.parameters = stage_parameters(stage, has_network=True)
        self.max_error = max_error
        self.range = (smallest, largest)

    @override
    def initial_state(self, n_bands: int, n_columns: int) -> StageState:
        return initial_state(self.parameters, n_bands, n_columns)

    @override
    def begin(self, state: StageState | None) -> None:
        begin_line(state)

    @override
    def end(self, state: StageState | None) -> None:
        end_line(state)

    @override
    def encode(
        self, state: StageState | None, z: int, doubled: Row, samples: Row, mapped: Row, out_known: Row, marks: MarkRow
    ) -> None:
        assert state is not None
        run_band(self.parameters, state, Band(z, doubled, self.max_error, *self.range, False, samples, mapped, marks))
        if self.max_error:
            out_known[:] = state.line[z]

    @override
    def decode(
        self, state: StageState | None, z: int, doubled: Row, samples: Row, mapped: Row, out_known: Row, marks: MarkRow
    ) -> None:
        assert state is not None
        run_band(self.parameters, state, Band(z, doubled, self.max_error, *self.range, True, mapped, samples, marks))
        if self.max_error:
            out_known[:] = state.line[z]


def band_coding(stage: AdaptiveStage, smallest: int, largest: int, max_error: int) -> BandCoding:
    """The coding of an option; samples are in smallest..largest, and restored within max_error."""
    if stage is AdaptiveStage.NONE:
        return PlainBands(smallest, largest, max_error)
    return StagedBands(stage, smallest, largest, max_error)

"""The network's predictions of a line to mapped residuals and back: as they are, or through the adaptive stage."""

from typing import Protocol

from typing_extensions import override

from runtime.adaptive.parameters import stage_parameters
from runtime.adaptive.stage import begin_line, code_line, end_line
from runtime.adaptive.state import StageState, initial_state
from runtime.errors import Corrupt
from runtime.prediction.network_bands import ALL_INSIDE, LineCoding, NetworkLine, code_plain, code_staged
from runtime.prediction.predictors import DpcmPredictor
from runtime.stream.kinds import AdaptiveStage


class BandCoding(Protocol):
    """Bands come in order, between `begin` and `end` of each line. The state is changed in place.

    A mapped residual that leads outside the sample range raises Corrupt; the state is of no use then.
    """

    def initial_state(self, n_bands: int, n_columns: int) -> StageState | None:
        """Before the first line of a segment; None where nothing is learned."""
        return None

    def begin(self, state: StageState | None) -> None:
        """Before the first band of a line."""
        return

    def end(self, state: StageState | None) -> None:
        """After the last band of a line."""
        return

    def code_first(self, state: StageState | None, line: LineCoding) -> None:
        """Code the first line of a segment, which has no contexts."""

    def code(self, state: StageState | None, bands: range, network: NetworkLine, line: LineCoding) -> None:
        """Code some bands of a line, of which `network` has the contexts."""


class PlainBands(BandCoding):
    """The network's prediction is the prediction; the first line is that of DPCM."""

    @override
    def code_first(self, state: StageState | None, line: LineCoding) -> None:
        first = DpcmPredictor(line.smallest, line.largest, line.max_error)
        if line.is_decoder:
            first.decode_line(line.mapped, None, line.samples, line.marks)
        else:
            first.encode_line(line.samples, None, line.mapped, line.marks)
        if line.max_error:
            line.known[:] = line.samples

    @override
    def code(self, state: StageState | None, bands: range, network: NetworkLine, line: LineCoding) -> None:
        check_inside(code_plain(bands.start, bands.stop, network, line))


class StagedBands(BandCoding):
    """The network's prediction is one regressor of the adaptive stage."""

    def __init__(self, stage: AdaptiveStage) -> None:
        parameters = stage_parameters(stage, has_network=True)
        self.kind = parameters, parameters.lanes, parameters.mixed

    @override
    def initial_state(self, n_bands: int, n_columns: int) -> StageState:
        return initial_state(self.kind[0], n_bands, n_columns)

    @override
    def begin(self, state: StageState | None) -> None:
        begin_line(state)

    @override
    def end(self, state: StageState | None) -> None:
        end_line(state)

    @override
    def code_first(self, state: StageState | None, line: LineCoding) -> None:
        values, out_values = (line.mapped, line.samples) if line.is_decoder else (line.samples, line.mapped)
        limits = line.max_error, line.smallest, line.largest
        check_inside(code_line(*self.kind, state, limits, line.is_decoder, values, out_values, line.marks))
        if line.max_error and state is not None:
            line.known[:] = state.line

    @override
    def code(self, state: StageState | None, bands: range, network: NetworkLine, line: LineCoding) -> None:
        check_inside(code_staged(bands.start, bands.stop, network, line, *self.kind, state))


def check_inside(band: int) -> None:
    """Raise Corrupt for a band of a mapped residual that leads outside the sample range."""
    if band != ALL_INSIDE:
        raise Corrupt(f"a decoded residual in band {band} leads outside the sample range")


def band_coding(stage: AdaptiveStage) -> BandCoding:
    """The coding of an option."""
    return PlainBands() if stage is AdaptiveStage.NONE else StagedBands(stage)

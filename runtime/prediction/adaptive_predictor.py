"""The adaptive stage as a predictor of its own: a training-free codec."""

from typing_extensions import override

from runtime.adaptive.parameters import stage_parameters
from runtime.adaptive.stage import begin_line, code_line, end_line
from runtime.adaptive.state import StageState, initial_state
from runtime.errors import Corrupt
from runtime.kernels.marks import Marks, kernel_marks
from runtime.prediction.predictors import Line, Predictor
from runtime.stream.kinds import AdaptiveStage


class AdaptivePredictor(Predictor):
    """A `Predictor` without a network; its state is changed in place."""

    def __init__(self, stage: AdaptiveStage, smallest: int, largest: int, max_error: int = 0) -> None:
        self.parameters = stage_parameters(stage, has_network=False)
        self.limits = (max_error, smallest, largest)

    @override
    def encode_line(
        self, line: Line, state: StageState | None, out_mapped: Line, marks: Marks | None = None
    ) -> StageState:
        state = state or initial_state(self.parameters, *line.shape)
        self.code(state, line, out_mapped, marks, is_decoder=False)
        return state

    @override
    def decode_line(
        self, mapped: Line, state: StageState | None, out_line: Line, marks: Marks | None = None
    ) -> StageState:
        state = state or initial_state(self.parameters, *mapped.shape)
        band = self.code(state, mapped, out_line, marks, is_decoder=True)
        if band >= 0:
            raise Corrupt(f"a decoded residual in band {band} leads outside the sample range")
        return state

    def code(self, state: StageState, values: Line, out_values: Line, marks: Marks | None, *, is_decoder: bool) -> int:
        """Run the kernels over a line; the band that leads outside the sample range, or -1."""
        parameters, known = self.parameters, kernel_marks(marks, len(values))
        kind = (parameters, parameters.lanes, parameters.mixed)
        begin_line(state)
        band = int(code_line(*kind, state, self.limits, is_decoder, values, out_values, known))
        end_line(state)
        return band

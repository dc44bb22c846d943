"""What it costs that a band of the adaptive stage knows nothing of the band before but its samples.

Then two threads could code neighbouring bands of a line (python -m benchmarks.bench_prior_two_bands).
"""

import io
from types import FunctionType
from typing import Any

import numpy as np
from numba import njit

from benchmarks.harness.record import SCENES, save
from runtime.adaptive.band import PRIOR_SAMPLES, code_band
from runtime.adaptive.column_correction import teach_columns
from runtime.adaptive.products import fade_and_add
from runtime.adaptive.stage import begin_line, end_line
from runtime.adaptive.state import N_LINES, StageState
from runtime.codec.decoder import StreamReader
from runtime.codec.encoder import Encoder
from runtime.coders import range_residuals
from runtime.coders.residual_contexts import end_band, fill_known
from runtime.coders.residual_contexts import end_line as end_contexts
from runtime.images.scene_reader import Scene, describe, open_scene
from runtime.prediction.adaptive_predictor import AdaptivePredictor
from runtime.prediction.predictors import Line
from runtime.segments.residual_segment import ResidualSegments
from runtime.stream.stream_format import AdaptiveStage, PredictorKind

NAMES = (
    "enmap_potsdam_a",
    "hyspecnet_dt4950_x03110438",
    "jasper_ridge",
    "samson",
    "hyperion_paris",
    "neon_mlbs/neon_mlbs_05",
)
LARGEST_LINES = 128
PRIOR, PREDICTOR, EVERYTHING = 1, 2, 3
"""What is two bands old: the prior alone; whatever a prediction is made of; the contexts of the range coder too."""


@njit(cache=True)
def code_line(
    parameters: Any, lanes: Any, mixed: Any, what: Any, state: Any, error: Any, smallest: Any, largest: Any,
    is_decoder: Any, values: Any, out_values: Any,
) -> Any:  # fmt: skip
    """Code a line (Z, X) as `runtime.adaptive.stage.code_line` does, `what` being two bands old.

    The kernel of a band finds older values where those of the band before lie otherwise.
    """
    begin_line(state)
    prior, older_prior = state.prior.copy(), state.prior.copy()  # after the last band, and after the one before it
    columns, older_columns = state.column_moments.copy(), state.column_moments.copy()
    own_sizes, own_errors = state.sizes[0].copy(), state.column_errors[0, 0].copy()
    n_columns, n_before = values.shape[1], state.place[N_LINES]
    n_taught = max(n_before - 1, np.int64(0)) * n_columns + n_columns
    share = PRIOR_SAMPLES / (PRIOR_SAMPLES + np.float64(n_taught))
    for z in range(values.shape[0]):
        below = max(z - 1, 0)
        state.prior[:] = older_prior
        if what >= PREDICTOR and z > 0:
            state.column_moments[:] = older_columns
            own_sizes[:], own_errors[:] = state.sizes[below], state.column_errors[0, below]
            state.sizes[below], state.column_errors[0, below] = 0, 0
            if z > 1:
                state.sizes[below], state.column_errors[0, below] = state.sizes[z - 2], state.column_errors[0, z - 2]
        if not code_band(
            parameters, lanes, mixed, state, z, values[z], error, smallest, largest, is_decoder, values[z],
            out_values[z],
        ):  # fmt: skip
            return np.int64(z)
        older_prior[:], older_columns[:] = prior, columns
        for memory in range(prior.shape[0]):
            fade_and_add(state.moments[z, memory], share, prior[memory])
        if what >= PREDICTOR:
            if z > 0:
                state.sizes[below], state.column_errors[0, below] = own_sizes, own_errors
            if parameters.has_correction and n_before > 0:
                teach_columns(state.around, state.column_errors[0, z], columns)
            state.column_moments[:] = columns
    end_line(state)
    return np.int64(-1)


class TwoBandsOld(AdaptivePredictor):
    """The adaptive stage with `what` two bands old."""

    def __init__(self, stage: AdaptiveStage, what: int, max_error: int, smallest: int, largest: int) -> None:
        super().__init__(stage, smallest, largest, max_error)
        self.what = what

    def code(self, state: StageState, values: Line, out_values: Line, *, is_decoder: bool) -> int:
        """As in `AdaptivePredictor`."""
        parameters = self.parameters
        kind = (parameters, parameters.lanes, parameters.mixed)
        return int(code_line(*kind, self.what, state, *self.limits, is_decoder, values, out_values))


@njit
def fill_known_late(z: Any, line: Any, contexts: Any, out_known: Any) -> None:
    """`fill_known` where the band before has told its mean only in the lines before."""
    if z > 1:
        end_band(z - 2, line[z - 2], contexts)
        if contexts.n_lines[0] == 0:
            contexts.means[z - 1] = contexts.means[z - 2]
    fill_known(z, line, contexts, out_known)


@njit
def end_band_later(z: Any, row: Any, contexts: Any) -> None:
    """Nothing: `fill_known_late` does it."""


@njit
def end_line_late(line: Any, contexts: Any) -> None:
    """`end_line` of the contexts, the last two bands' means being due."""
    for z in range(max(line.shape[0] - 2, 0), line.shape[0]):
        end_band(z, line[z], contexts)
    end_contexts(line, contexts)


def with_late_means(kernel: Any) -> Any:
    """A kernel of the range coder with the functions above in place of its own."""
    late = {"fill_known": fill_known_late, "end_band": end_band_later, "end_line": end_line_late}
    function = kernel.py_func
    return njit(FunctionType(function.__code__, {**function.__globals__, **late}, function.__name__))


def stream_bytes(scene: Scene, stage: AdaptiveStage, what: int) -> int:
    """Of the whole stream, which is decoded and compared."""
    encoder = Encoder(describe(scene, None), predictor=PredictorKind.RLS, stage=stage)
    codec = encoder.codec
    assert isinstance(codec, ResidualSegments)
    predictor = codec.lines_predictor
    assert isinstance(predictor, AdaptivePredictor)
    if what:
        codec.lines_predictor = TwoBandsOld(stage, what, *predictor.limits)
    own = range_residuals.encode_line, range_residuals.decode_line
    if what == EVERYTHING:
        range_residuals.encode_line, range_residuals.decode_line = LATE
    try:
        stream = encoder.header + b"".join(encoder.push(line) for line in scene.lines()) + encoder.finish()
        reader = StreamReader(io.BytesIO(stream))
        restored = [line for header, payload in reader.segments() for line in codec.lines(header, payload)]
    finally:
        range_residuals.encode_line, range_residuals.decode_line = own
    assert np.array_equal(restored, scene.samples)
    return len(stream)


LATE = with_late_means(range_residuals.encode_line), with_late_means(range_residuals.decode_line)


def main() -> None:
    """Bits per sample of both stages on each scene."""
    rows: list[dict[str, Any]] = []
    for name in NAMES:
        scene = open_scene(SCENES / f"{name}.hdr")
        scene = Scene(np.array(scene.samples[:LARGEST_LINES]), scene.metadata)
        for stage in (AdaptiveStage.FAST, AdaptiveStage.BEST):
            sizes = [8 * stream_bytes(scene, stage, what) / scene.samples.size for what in range(4)]
            rows.append({"scene": name, "stage": stage.name.lower(), "b": sizes[0]} | {str(i): sizes[i]-sizes[0] for i in (1,2,3)})
            print(rows[-1], flush=True)


if __name__ == "__main__":
    main()

"""Where the adaptive stage spends a sample's time, part by part, at widths from a few columns to those of an imager.

A scene goes through the stage, then each kernel of a band runs alone on the arrays that it left. Thread CPU time, best
of 5. `solve` is given for a solution; a band is solved for before every block of its first 1024 samples and every
384 to 512 samples later, so that narrow images solve more often in a segment.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_stage_parts
"""

from typing import Any

import numpy as np

from benchmarks.harness.record import SCENES, best_of_5, save
from benchmarks.harness.reference_loop import loop_msteps_per_s
from runtime.adaptive.band import EARLY_SAMPLES, Band, BlockWork, code_block, fill_shares
from runtime.adaptive.column_correction import begin_band, update_column_moments
from runtime.adaptive.mixed_prediction import predict_rows, solve
from runtime.adaptive.parameters import StageParameters, stage_parameters
from runtime.adaptive.products import BATCH, ProductWork, add_products, fade_and_add
from runtime.adaptive.regressors import fill_regressors
from runtime.adaptive.stage import begin_line, end_line
from runtime.adaptive.state import ERROR_FLOOR, StageState
from runtime.images.scene_reader import open_scene
from runtime.kernels.kernel_cache import njit
from runtime.kernels.lanes import LANES
from runtime.prediction.adaptive_predictor import AdaptivePredictor
from runtime.stream.depth import bit_depth, sample_range
from runtime.stream.kinds import AdaptiveStage

SCENE, WIDTHS, BAND, N_LINES = "jasper_ridge", (25, 100, 800), 40, 8
ROUNDS = 500
SEGMENT_LINES = 64


@njit()
def repeated(kernel: Any, n_rounds: Any, arguments: Any) -> None:
    """Call a kernel so often, without Python between."""
    for _ in range(n_rounds):
        kernel(*arguments)


def seconds(kernel: Any, *arguments: Any) -> float:
    """Of one call."""
    return best_of_5(lambda: repeated(kernel, ROUNDS, arguments)) / ROUNDS


def coded_state(lines: list[Any], stage: AdaptiveStage) -> tuple[StageState, tuple[int, int]]:
    """What the stage knows after the lines, and the range of their samples."""
    lowest, highest = min(int(line.min()) for line in lines), max(int(line.max()) for line in lines)
    smallest, largest = sample_range(bit_depth(lowest, highest), is_signed=lowest < 0)
    predictor, state = AdaptivePredictor(stage, smallest, largest), None
    for line in lines:
        state = predictor.encode_line(line.copy(), state, np.empty(line.shape, np.int32))
    assert isinstance(state, StageState)
    return state, (smallest, largest)


def part_times(parameters: StageParameters, state: StageState, line: Any, limits: tuple[int, int]) -> dict[str, float]:
    """Seconds a sample of each part, and of a solution."""
    n_columns, n = line.shape[1], parameters.n_regressors
    stop, width = min(parameters.block, n_columns), len(parameters.lanes)
    unmarked, nothing = np.empty(0, np.uint8), np.zeros(n_columns, np.int32)
    values = line[BAND].copy()
    band = Band(BAND, nothing, 0, *limits, False, values, np.empty_like(values), unmarked)
    sums = ProductWork(
        np.ones(n_columns + BATCH, np.float32), np.empty(LANES * width, np.float32),
        np.empty(BATCH * width, np.float32), np.zeros(state.moments.shape[2], np.float32),
    )  # fmt: skip
    mixed = parameters.mixed
    partial = np.zeros((len(mixed), state.rows.shape[1]), np.float32)
    work = BlockWork(partial, np.full(len(mixed), ERROR_FLOOR), np.empty(len(mixed)), np.empty(n_columns, np.int32))
    moments, weights = state.moments[BAND].copy(), state.weights[BAND]
    found = {
        "regressors": seconds(fill_regressors, parameters, state, BAND, nothing, state.rows) / n_columns,
        "sums of rows": seconds(predict_rows, state.rows, weights, 0, stop, np.empty(n, np.float32), partial) / stop,
        "sample by sample": seconds(code_block, parameters, mixed, state, band, 0, stop, work) / stop,
        "products": seconds(add_products, state.rows, 0, stop, parameters.step, n, parameters.lanes, sums) / stop,
        "moments": len(moments) * seconds(fade_and_add, sums.products, 0.99, moments[0].copy()) / stop,
        "shares": seconds(fill_shares, work.sizes, nothing, unmarked, 0, stop, 0, parameters.step, sums.shares) / stop,
        "correction": 0.0,
    }
    if parameters.has_correction:
        begin = (BAND, state.column_moments, state.column_errors, state.trend.copy(), state.around,
                 state.column_weights, state.known_part)  # fmt: skip
        learn = state.around, state.column_errors[0, BAND], state.column_moments
        found["correction"] = (seconds(begin_band, *begin) + seconds(update_column_moments, *learn)) / n_columns
    found["once a line"] = (seconds(begin_line, state) + seconds(end_line, state)) / line.size
    found["solve"] = seconds(solve, parameters, parameters.lanes, moments, state.prior, 0.1, weights.copy())
    return found


def n_solutions(parameters: StageParameters, n_columns: int) -> float:
    """A sample, on average over a segment."""
    n_blocks = max(1, n_columns // parameters.block)
    n_found, unsolved = 0, 0
    for line in range(SEGMENT_LINES):
        for block in range(n_blocks):
            start, stop = block * n_columns // n_blocks, (block + 1) * n_columns // n_blocks
            if max(line - 1, 0) * n_columns + start < EARLY_SAMPLES or unsolved >= parameters.interval:
                n_found, unsolved = n_found + 1, 0
            unsolved += stop - start
    return n_found / (SEGMENT_LINES * n_columns)


def whole(stage: AdaptiveStage, lines: list[Any]) -> float:
    """Seconds a sample of a segment, all parts together."""
    n_samples = len(lines) * int(lines[0].size)
    return best_of_5(lambda: coded_state(lines, stage)) / n_samples


def main() -> None:
    """Both stages at each width."""
    scene = [np.ascontiguousarray(line).astype(np.int32) for line in open_scene(SCENES / f"{SCENE}.hdr").lines()]
    rows: list[dict[str, Any]] = []
    for stage in (AdaptiveStage.FAST, AdaptiveStage.BEST):
        parameters = stage_parameters(stage, has_network=False)
        for n_columns in WIDTHS:
            n_copies = -(-n_columns // scene[0].shape[1])
            lines = [np.ascontiguousarray(np.tile(line, (1, n_copies))[:, :n_columns]) for line in scene]
            state, limits = coded_state(lines[:N_LINES], stage)
            times = part_times(parameters, state, lines[N_LINES], limits)
            solution = times.pop("solve")
            times["solutions"] = solution * n_solutions(parameters, n_columns)
            row = {"stage": stage.name.lower(), "columns": n_columns, "one solution, us": round(solution * 1e6, 2)}
            row["whole, ns a sample"] = round(whole(stage, lines[:SEGMENT_LINES]) * 1e9, 1)
            rows.append(row | {part: round(found * 1e9, 1) for part, found in times.items()})
    save(
        "stage_parts", "OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_stage_parts", rows,
        loop_msteps_per_s=round(loop_msteps_per_s(), 1), unit="ns a sample, without the coder", scene=SCENE,
    )  # fmt: skip


if __name__ == "__main__":
    main()

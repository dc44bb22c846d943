"""How fast two threads could code neighbouring bands of a line at best, from thread CPU times of one thread.

The second thread follows some columns behind the first. Parts are timed by running the product's kernels one by one:
what is done once a line; what a band does beside its samples (regressors, weights, sums); the rest is the chain, which
goes from band to band at equal columns, and inside a band from sample to sample.
"""

import threading
import time
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from benchmarks.bench_adaptive_speed import encoded
from benchmarks.harness.record import best_of_5
from runtime.adaptive.band import EARLY_SAMPLES, fill_shares
from runtime.adaptive.mixed_prediction import solve
from runtime.adaptive.products import BATCH, add_products, fade_and_add
from runtime.adaptive.regressors import fill_regressors
from runtime.adaptive.stage import begin_line, end_line
from runtime.kernels.lanes import LANES
from runtime.prediction.adaptive_predictor import AdaptivePredictor
from runtime.segments.residual_segment import ResidualSegments
from runtime.segments.segment_codec import Samples
from runtime.stream.stream_format import AdaptiveStage, Arithmetic, PredictorKind, SegmentHeader

N_HANDOVERS = 2000
WORD = ir.IntType(64)
written: Any = intrinsic  # untyped: a kernel calls it without the compiler's context


@njit(cache=True)
def both_ends(state: Any) -> None:
    """What is done once a line."""
    begin_line(state)
    end_line(state)


@njit(cache=True)
def solve_and_teach(parameters: Any, lanes: Any, state: Any, n_known: Any) -> None:
    """What a line needs beside the chain from band to band: regressors, weights, sums, as in `code_band`.

    n_known: samples of a band before the line that count.
    """
    n_columns, width, n_regressors = state.line.shape[1], len(lanes), state.weights.shape[2]
    n_blocks = max(1, n_columns // parameters.block)
    shares, tile = np.empty(n_columns + BATCH, np.float32), np.empty(LANES * width, np.float32)
    products, weighted = np.empty(state.moments.shape[2], np.float32), np.empty(BATCH * width, np.float32)
    for z in range(state.line.shape[0]):
        fill_regressors(parameters, state, z, state.line[z], state.rows)
        for block in range(n_blocks):
            start, stop = block * n_columns // n_blocks, (block + 1) * n_columns // n_blocks
            if n_known + start < EARLY_SAMPLES or state.unsolved[z] >= parameters.interval:
                solve(parameters, lanes, state.moments[z], state.prior, 0.01, state.weights[z])
                state.unsolved[z] = 0
            state.unsolved[z] += stop - start
            fill_shares(state.sizes[z], state.sizes[max(z - 1, 0)], start, stop, 0, parameters.step, shares)
            add_products(
                state.rows, start, stop, shares, parameters.step, n_regressors, lanes, tile, weighted, products
            )
            for memory in range(state.moments.shape[1]):
                fade_and_add(products, 0.98, state.moments[z, memory])
        for memory in range(state.moments.shape[1]):
            fade_and_add(state.moments[z, memory], 0.01, state.prior[memory])


@written
def read(context: Any, address: Any) -> Any:
    """The number at an address, with all that was written before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(arguments[0], WORD.as_pointer()), "acquire", 8)

    return types.int64(types.int64), generate


@written
def write(context: Any, address: Any, value: Any) -> Any:
    """Put a number at an address, after all that was written before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[1], builder.inttoptr(arguments[0], WORD.as_pointer()), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@njit(nogil=True)
def take_turns(own: Any, other: Any, lead: Any, n_turns: Any) -> None:
    """Count up at the address `own` as soon as the count at `other` is `lead` ahead."""
    for turn in range(n_turns):
        while read(other) < turn + lead:
            pass
        write(own, np.int64(turn + 1))


def handover_ns() -> float:
    """Wall time from a thread's count to the other thread's next one, best of 20."""
    times = []
    for _ in range(20):
        counts = np.zeros(32, np.int64)  # 128 bytes apart
        first, second = counts.ctypes.data, counts[16:].ctypes.data
        take_turns(first, second, -N_HANDOVERS, 0)
        thread = threading.Thread(target=take_turns, args=(second, first, 1, N_HANDOVERS))
        start = time.perf_counter()
        thread.start()
        take_turns(first, second, 0, N_HANDOVERS)
        thread.join()
        times.append((time.perf_counter() - start) / (2 * N_HANDOVERS))
    return 1e9 * min(times)


class Parts(NamedTuple):
    """Of coding a segment in one direction, thread CPU time in s."""

    line: float
    """Done once a line, by one thread."""
    beside: float
    """What bands need beside the chain."""
    chain: float
    coder: float
    """Of residuals, one stream of bits."""
    handovers: float

    def speed_ups(self, *, must_finish_chain: bool, is_coder_beside: bool) -> str:
        """At best, with handovers waited for and with free ones.

        All but `line` is shared evenly, the coder only where it works on another line meanwhile. must_finish_chain: a
        band's chain begins where that of the band before has ended.
        """
        single = self.line + (0.0 if is_coder_beside else self.coder)
        whole = self.line + self.beside + self.chain + self.coder
        both = single + max((whole - single) / 2, self.chain if must_finish_chain else 0.0)
        return f"{whole / (both + self.handovers):.2f} to {whole / both:.2f}"

    def __str__(self) -> str:
        """Shares of the time of one thread."""
        whole = self.line + self.beside + self.chain + self.coder
        return ", ".join(f"{name} {100 * seconds / whole:.0f} %" for name, seconds in self._asdict().items())


def two_threads(codec: ResidualSegments, lines: list[Samples], handover_ns: float) -> str:
    """The parts, and the speed-ups that they allow."""
    predictor = codec.lines_predictor
    assert isinstance(predictor, AdaptivePredictor)
    n_bands, n_columns = codec.shape
    parameters = predictor.parameters
    coder, payload = encoded(codec, lines)
    kind, n_bytes = PredictorKind.RLS, len(payload)
    header = SegmentHeader(0, len(lines), kind, Arithmetic.NONE, codec.stage, coder, n_bytes, payload_crc=0)
    mapped, restored = np.empty((len(lines), *codec.shape), np.int32), np.empty(codec.shape, np.int32)
    samples = [line.astype(np.int32) for line in lines]

    def predict() -> Any:
        state = None
        for line, out in zip(samples, mapped, strict=True):
            state = predictor.encode_line(line, state, out)
        return state

    def restore() -> None:
        state = None
        for line in mapped:
            state = predictor.decode_line(line, state, restored)

    def decode() -> None:
        for _ in codec.lines(header, payload):
            pass

    state = predict()

    def teach() -> None:
        for y in range(len(lines)):
            solve_and_teach(parameters, parameters.lanes, state, max(y - 1, 0) * n_columns)

    def ends() -> None:
        for _ in lines:
            both_ends(state)

    beside, line = best_of_5(teach), best_of_5(ends)
    n_blocks = max(1, n_columns // parameters.block)
    handovers = len(lines) * n_bands * n_blocks * handover_ns / 1e9
    texts = []
    for what, both, alone in (("encode", lambda: encoded(codec, lines), predict), ("decode", decode, restore)):
        predicting = best_of_5(alone)
        parts = Parts(line, beside, predicting - beside - line, best_of_5(both) - predicting, handovers)
        is_free = what == "encode" and codec.stage is AdaptiveStage.FAST  # samples are known, and nothing corrects
        must = n_blocks == 1 and not is_free
        best, worse = (
            parts.speed_ups(must_finish_chain=must, is_coder_beside=is_beside) for is_beside in (True, False)
        )
        texts.append(f"{what} {best}, {worse} with the coder in turn ({parts})")
    return "; ".join(texts)

"""How much faster lines that come live are coded on two threads than on one, and what their parts allow.

A scene of 224 bands, 250 columns and 128 lines in segments of 32, pushed line by line; both numbers of threads in turn,
wall time, best of five. The longest part is the one that the second thread has, or what is left: two threads cannot be
faster than one by more than one over its share. The memory is of processes of their own that encode 130 lines of 1000
columns from a pipe.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_live_threads
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import click
import numpy as np

from benchmarks.bench_threads import FORMS, N_BANDS, N_COLUMNS, ROUNDS, SEGMENT_LINES, THREADS, WEIGHED, memory
from benchmarks.harness.record import save
from benchmarks.harness.reference_loop import loop_msteps_per_s
from runtime.codec.coding_options import CodingOptions, coding_options
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import opened_encoder
from runtime.coders.residual_coders import ResidualWriter
from runtime.images.synthetic import synthetic_lines
from runtime.prediction.flight_predictor import FlightPredictor
from runtime.segments.ccsds123_segment import Ccsds123Writer
from runtime.stream.image_description import ImageDescription

N_LINES = 128
IMAGE = ImageDescription(N_BANDS, N_COLUMNS, 13, is_signed=False)


def seconds(options: CodingOptions, lines: Any, n_threads: int) -> float:
    """Wall time of the lines, the encoder being there."""
    with opened_encoder(options, IMAGE, n_threads=n_threads) as encoder:
        start = time.perf_counter()
        for line in lines:
            encoder.push(line)
        encoder.finish()
        return time.perf_counter() - start


@contextlib.contextmanager
def clocked(owner: type, name: str) -> Iterator[list[float]]:
    """Seconds of each call of a method in the block."""
    called: Callable[..., Any] = getattr(owner, name)
    spent: list[float] = []

    def clocking(*words: Any) -> Any:
        start = time.perf_counter()
        try:
            return called(*words)
        finally:
            spent.append(time.perf_counter() - start)

    setattr(owner, name, clocking)
    try:
        yield spent
    finally:
        setattr(owner, name, called)


def shares(options: CodingOptions, lines: Any) -> tuple[float, float]:
    """Of the time on one thread: of the network's line part, of the coder."""
    with (
        clocked(FlightPredictor, "contexts_of") as network, clocked(ResidualWriter, "push") as coder,
        clocked(Ccsds123Writer, "code") as standard_coder,
    ):  # fmt: skip
        whole = seconds(options, lines, 1)
    return sum(network) / whole, sum(coder + standard_coder) / whole


def measured(form: str, lines: Any) -> dict[str, Any]:
    """The row of a form."""
    options = replace(coding_options(FORMS[form]), segment_lines=SEGMENT_LINES, network=NetworkUse.ALWAYS)
    seconds(options, lines[:SEGMENT_LINES], THREADS[-1])  # kernels are compiled
    rounds = [[seconds(options, lines, n) for n in THREADS] for _ in range(ROUNDS)]
    one, two = (lines.size / min(times) / 1e6 for times in zip(*rounds, strict=True))
    network, coder = shares(options, lines)
    beside = network or coder
    row = {
        "form": form, "Msamples/s, 1": round(one, 2), "Msamples/s, 2": round(two, 2), "ratio": round(two / one, 2),
        "network share": round(network, 2), "coder share": round(coder, 2),
        "limit of the parts": round(1 / max(beside, 1 - beside), 2),
    }  # fmt: skip
    weighed = form in WEIGHED
    return row | {f"MiB, {n}": memory(FORMS[form], n, is_live=True) if weighed else "" for n in THREADS}


@click.command()
def main() -> None:
    """Measure and save."""
    lines = np.stack(list(synthetic_lines(N_LINES, N_BANDS, N_COLUMNS, np.random.default_rng(0))))
    rows = [measured(form, lines) for form in FORMS]
    command = "OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_live_threads"
    save("live_threads", command, rows, **{"reference loop Msteps/s": round(loop_msteps_per_s(), 1)})


if __name__ == "__main__":
    main()

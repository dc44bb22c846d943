"""The INT8 pipelines at an imager's size: 224 bands, 1000 or 100 columns, one core: speed each way, and memory.

Thread CPU time, the best of five lines, with all that a line needs: features, cell, filter, adaptive stage, mapping.
The yardstick is a float32 product with a 64 x 64 matrix of as many multiply-accumulates as the cell has, timed between
the lines. Memory is the resident set of a process of its own that encodes and decodes 1000 columns, after each stage.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_int8_line
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from benchmarks.harness.record import save
from benchmarks.harness.reference_loop import loop_msteps_per_s
from runtime.executors.array_executor import ArrayExecutor

N_BANDS, N_COLUMNS = 224, 1000
WIDTHS = (N_COLUMNS, 100)
PACKAGES = ("flight", "flight-large")
ROUNDS = 5
WARM_LINES = 3
MIB = 1 << 20


def resident_mib() -> float:
    """Of this process, on Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MIB


def cpu_seconds(work: Callable[[], Any]) -> float:
    """Of this thread."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


def lines(n_lines: int, n_columns: int) -> Any:
    """(Y, Z, X) samples of 13 bits."""
    from runtime.images.synthetic import synthetic_lines

    return np.stack(list(synthetic_lines(n_lines, N_BANDS, n_columns, np.random.default_rng(0)))).astype(np.int32)


def memory(name: str) -> dict[str, float]:
    """MiB of a process that runs a package, by what came when."""
    from runtime.cell.flight_package import open_integer_package
    from runtime.executors.executors import make_executor
    from runtime.prediction.flight_predictor import FlightPredictor
    from runtime.stream.kinds import AdaptiveStage

    libraries = resident_mib()
    package = open_integer_package(Path(name))
    executor: Any = make_executor(package)
    loaded = resident_mib()
    generator = np.random.default_rng(0)
    predictor = FlightPredictor(package, executor, 0, 8191, stage=AdaptiveStage.BEST)
    line = generator.integers(0, 8192, (N_BANDS, N_COLUMNS)).astype(np.int32)
    mapped = np.empty_like(line)
    state = predictor.encode_line(line, None, mapped)
    stage = sum(array.nbytes for array in state.stage or ())
    cell = sum(array.nbytes for array in state.memory.values())
    host = sum(array.nbytes for array in (state.host.line_1, state.host.line_2, state.host.slow, state.host.sums))
    for _ in range(2):
        state = predictor.encode_line(generator.integers(0, 8192, line.shape).astype(np.int32), state, mapped)
    return {
        "interpreter and libraries": libraries,
        "package and sessions": loaded - libraries,
        "state of the cell": cell / MIB,
        "state of the host": host / MIB,
        "state of the adaptive stage": stage / MIB,
        "buffers and compiled code": resident_mib() - loaded - (cell + host + stage) / MIB,
        "all": resident_mib(),
    }


class Timed(ArrayExecutor):
    """An executor and the thread CPU time that it took."""

    def __init__(self, executor: Any) -> None:
        self.executor = executor
        self.provider: str = executor.provider
        self.sha256: str = executor.sha256
        self.seconds = 0.0

    @override
    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        start = time.thread_time()
        outputs: dict[str, Any] = self.executor.run(inputs)
        self.seconds += time.thread_time() - start
        return outputs


def measure(name: str, n_columns: int) -> list[dict[str, Any]]:
    """One row for each adaptive stage."""
    from runtime.cell.flight_package import open_integer_package
    from runtime.executors.executors import make_executor
    from runtime.prediction.flight_predictor import FlightPredictor
    from runtime.stream.kinds import AdaptiveStage

    package = open_integer_package(Path(name))
    executor = Timed(make_executor(package))
    scene, n_samples = lines(WARM_LINES + ROUNDS, n_columns), N_BANDS * n_columns
    matrix = np.ones((64, 64), np.float32)
    product = np.ones((n_samples * package.cell.shape.macs // 64**2, 64), np.float32)
    rows = []
    for stage in AdaptiveStage:
        predictor = FlightPredictor(package, executor, 0, 8191, stage=stage)
        decoder = FlightPredictor(package, executor, 0, 8191, stage=stage)
        state = other = None
        encoding, decoding, yardstick, shares = [], [], [], []
        for y, line in enumerate(scene):
            mapped, found = np.empty_like(line), np.empty_like(line)

            def encode() -> None:
                nonlocal state
                state = predictor.encode_line(line, state, mapped)  # noqa: B023  # called at once

            def decode() -> None:
                nonlocal other
                other = decoder.decode_line(mapped, other, found)  # noqa: B023

            executor.seconds = 0.0
            seconds = cpu_seconds(encode), cpu_seconds(decode)
            share = executor.seconds / sum(seconds)
            assert np.array_equal(found, line)
            if y >= WARM_LINES:
                encoding.append(seconds[0])
                decoding.append(seconds[1])
                shares.append(share)
                yardstick.append(cpu_seconds(lambda: product @ matrix))
        rows.append(
            {
                "package": name,
                "columns": n_columns,
                "adaptive stage": stage.name.lower(),
                "encoding Msamples/s": round(n_samples / min(encoding) / 1e6, 3),
                "decoding Msamples/s": round(n_samples / min(decoding) / 1e6, 3),
                "encoding by the product": round(min(encoding) / min(yardstick), 2),
                "decoding by the product": round(min(decoding) / min(yardstick), 2),
                "share of the cell": round(float(np.median(shares)), 2),
            }
        )
    return rows


def main() -> None:
    """Measure, print and write the table."""
    if sys.argv[1:2] == ["memory"]:
        print(json.dumps(memory(sys.argv[2])))
        return
    mib = {}
    for name in PACKAGES:
        alone = [sys.executable, "-m", "benchmarks.bench_int8_line", "memory", name]
        report = subprocess.run(alone, capture_output=True, text=True, check=True).stdout
        mib[name] = {part: round(value, 1) for part, value in json.loads(report.splitlines()[-1]).items()}
    rows = [row for name in PACKAGES for n_columns in WIDTHS for row in measure(name, n_columns)]
    loop = round(loop_msteps_per_s(), 1)
    command = "OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_int8_line"
    save("int8_line", command, rows, memory_mib=mib, integer_loop_msteps_per_s=loop)


if __name__ == "__main__":
    main()

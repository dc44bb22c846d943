"""Kernels compiled ahead of time into an extension module (numba.pycc), against the cache that `prepare` fills.

The kernel is `code_line` of the stage `fast`: the module's process and the cache's code the same lines, and their
residuals are compared. Then a whole `compress` with an empty cache and with a full one; what the emulated board takes
to compile is in the deploy step of benchmarks/results/hil_emulated_aarch64. Wall time, the best of three with a cache.

    python -m benchmarks.bench_kernels_ahead      # needs a C compiler
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.harness.record import save
from runtime.adaptive.stage import code_line
from runtime.prediction import adaptive_predictor
from runtime.prediction.adaptive_predictor import AdaptivePredictor
from runtime.stream.kinds import AdaptiveStage

MODULE = "kernels_ahead"
N_LINES, N_BANDS, N_COLUMNS, DEPTH = 20, 96, 200, 12
ROUNDS = 3


def coded() -> bytes:
    """The residuals of lines of random walks."""
    lines = np.random.default_rng(0).integers(-40, 41, (N_LINES, N_BANDS, N_COLUMNS), np.int32).cumsum(1) + 2048
    predictor, state = AdaptivePredictor(AdaptiveStage.FAST, 0, (1 << DEPTH) - 1), None
    mapped = np.empty(lines.shape, np.int32)
    for line, residuals in zip(lines.clip(0, (1 << DEPTH) - 1).astype(np.int32), mapped, strict=True):
        state = predictor.encode_line(line, state, residuals)
    return mapped.tobytes()


def build(folder: Path) -> float:
    """Put the extension module there; seconds."""
    coded()  # the signature is that of use
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numba.pycc is pending deprecation
        made: Any = importlib.import_module("numba.pycc").CC(MODULE)
        made.output_dir = str(folder)
        made.export("code_line", code_line.signatures[0])(code_line.py_func)
        start = time.perf_counter()
        made.compile()
    return time.perf_counter() - start


def timed(folder: str) -> None:
    """Print the seconds of the first coding and of the best of five more, and the residuals' hash; "" is the cache."""
    if folder:
        sys.path.insert(0, folder)
        vars(adaptive_predictor)["code_line"] = __import__(MODULE).code_line
    times = []
    for _ in range(6):
        start = time.perf_counter()
        residuals = coded()
        times.append(time.perf_counter() - start)
    print(json.dumps({"first s": times[0], "later s": min(times[1:]), "residuals": residuals.hex()[:4096]}))


def kernel_rows(folder: Path) -> list[dict[str, Any]]:
    """The kernel from both places."""
    built = build(folder)
    script = "import sys; from benchmarks.bench_kernels_ahead import timed; timed(sys.argv[1])"
    found = {}
    for way, argument in (("from the cache", ""), ("extension module", str(folder))):
        command = [sys.executable, "-c", script, argument]
        runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(ROUNDS)]
        found[way] = min(runs, key=lambda run: float(run["first s"]))
    assert len({run["residuals"] for run in found.values()}) == 1
    n_samples = N_LINES * N_BANDS * N_COLUMNS
    return [
        {
            "what": "code_line",
            "way": way,
            "made in s": round(built, 1) if way == "extension module" else None,
            "first coding s": round(run["first s"], 3),
            "ns a sample": round(run["later s"] / n_samples * 1e9, 1),
        }
        for way, run in found.items()
    ]


def start_rows(folder: Path) -> list[dict[str, Any]]:
    """`compress --predictor rls --stage fast` of a line, with an empty cache and with a full one."""
    words = [folder / "line.npy", folder / "line.lrwk", "--predictor", "rls", "--stage", "fast", "--threads", "1"]
    command = [sys.executable, "-m", "runtime.commands.cli", "compress", *map(str, words)]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder / "cache")}
    times = []
    for _ in range(1 + ROUNDS):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment, cwd=folder)
        times.append(time.perf_counter() - start)
    ways = {"compiled": times[0], "from the cache": min(times[1:])}
    return [
        {"what": "compress", "way": way, "made in s": None, "first coding s": round(s, 2), "ns a sample": None}
        for way, s in ways.items()
    ]


@click.command()
def main() -> None:
    """Measure and save."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "line.npy", np.random.default_rng(0).integers(0, 4096, (1, 224, 100), np.int16))
        rows = kernel_rows(folder) + start_rows(folder)
    save("kernels_ahead", "python -m benchmarks.bench_kernels_ahead", rows)


if __name__ == "__main__":
    main()

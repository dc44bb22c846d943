"""How long a command takes to its first coded line, warm and with an empty cache of kernels, and its memory then.

Each time is that of a whole process, `compress` of one line of 224 bands and 100 columns on one thread: wall time, the
best of five warm ones, and of one with an empty cache. Modules are bytecode already, as those of an installed wheel.

    python -m benchmarks.bench_start
"""

import compileall
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.harness.record import save

ROUNDS = 5
FORMS = {
    "flight, best": (),
    "flight, fast": ("--stage", "fast"),
    "rls, best": ("--predictor", "rls"),
    "rls, fast": ("--predictor", "rls", "--stage", "fast"),
    "ccsds123": ("--predictor", "ccsds123"),
}


def started(folder: Path, words: tuple[str, ...], cache: Path) -> tuple[float, float]:
    """Wall seconds of a process, and its largest memory in MiB."""
    command = [sys.executable, "-m", "runtime.commands.cli", "compress", folder / "line.npy", folder / "line.lrwk"]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    start = time.perf_counter()
    done = subprocess.run(
        [*map(str, command), *words, "--threads", "1", "--json"], check=True, capture_output=True, env=environment
    )
    return time.perf_counter() - start, json.loads(done.stdout)["peak_memory_mib"]


@click.command()
def main() -> None:
    """Measure and save."""
    compileall.compile_dir("runtime", quiet=1)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples = np.random.default_rng(0).integers(0, 4096, (1, 224, 100), np.int16)
        np.save(folder / "line.npy", samples)
        for form, words in FORMS.items():
            cache = folder / form
            cold, _ = started(folder, words, cache)
            warm = [started(folder, words, cache) for _ in range(ROUNDS)]
            seconds, memory = min(warm)
            rows.append({"form": form, "warm s": round(seconds, 2), "warm MiB": memory, "cold s": round(cold, 1)})
    save("start", "python -m benchmarks.bench_start", rows)


if __name__ == "__main__":
    main()

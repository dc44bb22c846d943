"""One executor on the recorded lines of a package, and how fast its steps are.

Run as `python -m hil_tests.accelerators.trial` in the environment of the executor, so that the processor time of the
executor is that of the process; what it found is written as JSON.
"""

import json
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from runtime.cell.flight_inputs import LEVELS, LINE_FEATURES
from runtime.cell.flight_package import IntegerPackage, open_integer_package
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.executor_registry import load_executor
from runtime.executors.line_part import initial_memory
from runtime.executors.self_test import recorded_findings

ENMAP_BANDS, ENMAP_COLUMNS = 224, 1000
ROUNDS = 5


def cpu_speed(package: IntegerPackage, executor: ArrayExecutor, n_groups: int) -> float:
    """Msamples/s by processor time, all threads: the best of five rounds over a line of EnMAP in tiles."""
    generator = np.random.default_rng(0)
    shape = package.cell.shape
    group, n_steps = shape.group, max(1, shape.groups(ENMAP_BANDS) // n_groups)
    features, levels = (n_groups, ENMAP_COLUMNS, group * LINE_FEATURES), (n_groups, 1, group * LEVELS)
    inputs = {
        "line_features": generator.integers(-127, 128, features).astype(np.int8),
        "levels": generator.integers(-127, 128, levels).astype(np.int8),
        **initial_memory(package, n_groups * group, ENMAP_COLUMNS),
    }
    executor.run(inputs)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(n_steps):
            executor.run(inputs)
        best = min(best, time.process_time() - start)
    return n_steps * n_groups * group * ENMAP_COLUMNS / best / 1e6


@click.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--executor", required=True)
@click.option("--tile", "tiles", multiple=True, type=int, help="Time steps of so many groups of bands.")
@click.option("--output", required=True, type=click.Path(path_type=Path))
def main(package: Path, executor: str, tiles: tuple[int, ...], output: Path) -> None:
    """Try one executor on PACKAGE."""
    opened = open_integer_package(package)
    found = load_executor(executor, package)
    result: dict[str, Any] = {
        "provider": found.provider,
        "recorded_lines": dict(recorded_findings(opened, found)),
        "msamples_per_s": {str(tile): cpu_speed(opened, found, tile) for tile in tiles},
    }
    output.write_text(json.dumps(result))


if __name__ == "__main__":
    main()

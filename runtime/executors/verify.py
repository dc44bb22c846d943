"""What here reproduces an int8 package bit for bit, and how fast: the table of `linerwkv verify`."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from runtime.cell.flight_inputs import LEVELS, LINE_FEATURES
from runtime.cell.flight_package import IntegerPackage
from runtime.errors import BadArgument, LineRwkvError
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.cell_executor import OPTIMISATION, OnnxRuntimeCell
from runtime.executors.executor_registry import ONNXRUNTIME, executor_names
from runtime.executors.executors import unchecked_executor
from runtime.executors.line_part import initial_memory
from runtime.executors.self_test import EQUAL, recorded_findings, spectral_difference

OPTIMISATIONS = {
    "no": OPTIMISATION.ORT_DISABLE_ALL,
    "basic": OPTIMISATION.ORT_ENABLE_BASIC,
    "extended": OPTIMISATION.ORT_ENABLE_EXTENDED,
    "all": OPTIMISATION.ORT_ENABLE_ALL,
}
TIMED_COLUMNS, TIMED_ROUNDS = 1000, 5


@dataclass(frozen=True)
class Verdict:
    """One row of the table."""

    executor: str
    setting: str  # What was varied: threads, graph optimisation
    tile: str  # Groups of bands of a step, or `all`; nothing where no executor takes part
    is_equal: bool | None  # None: the executor is not here (a library, device or environment is missing)
    finding: str  # `equal`, the first difference, or why it did not run
    msamples_per_s: float | None  # Of the line part alone, wall time, best of five, steps of one group of 1000 columns

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def candidates(package: IntegerPackage, names: list[str]) -> Iterator[tuple[str, str, Callable[[], ArrayExecutor]]]:
    """Executor, setting, and what makes it."""
    for name in names:
        if name != ONNXRUNTIME:
            yield name, "", partial(unchecked_executor, package, name)
            continue
        for level, value in OPTIMISATIONS.items():
            yield name, f"1 thread, {level} graph optimisation", partial(OnnxRuntimeCell, package, 1, value)
        yield name, "2 threads, all graph optimisation", partial(OnnxRuntimeCell, package, 2)


def speed(package: IntegerPackage, executor: ArrayExecutor) -> float:
    """Msamples/s of steps of one group on inputs of full size."""
    generator = np.random.default_rng(0)
    group = package.cell.shape.group
    features, levels = (1, TIMED_COLUMNS, group * LINE_FEATURES), (1, 1, group * LEVELS)
    inputs = {
        "line_features": generator.integers(-127, 128, features).astype(np.int8),
        "levels": generator.integers(-127, 128, levels).astype(np.int8),
        **initial_memory(package, group, TIMED_COLUMNS),
    }
    executor.run(inputs)
    best = float("inf")
    for _ in range(TIMED_ROUNDS):
        start = time.perf_counter()
        executor.run(inputs)
        best = min(best, time.perf_counter() - start)
    return group * TIMED_COLUMNS / best / 1e6


def verdicts(package: IntegerPackage, only: str | None = None) -> Iterator[Verdict]:
    """Every executor, or the one named, in every setting and tiling, then the spectral part.

    An executor that cannot run here is a row too.
    """
    for name, setting, make in candidates(package, [only] if only else executor_names()):
        try:
            executor = make()
        except LineRwkvError as error:
            yield Verdict(name, setting, "", None if isinstance(error, BadArgument) else False, str(error), None)
            continue
        try:
            rate = round(speed(package, executor), 3)
        except LineRwkvError as error:
            yield Verdict(executor.provider, setting, "", False, str(error), None)
            continue
        for tile, finding in recorded_findings(package, executor):
            yield Verdict(executor.provider, setting, tile, finding == EQUAL, finding, rate)
    yield spectral_verdict(package)


def spectral_verdict(package: IntegerPackage) -> Verdict:
    """The row of the part that no executor runs."""
    finding = spectral_difference(package) or EQUAL
    return Verdict("spectral part", "compiled on this machine", "", finding == EQUAL, finding, None)

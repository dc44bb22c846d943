"""The self-test of an executor: the package's recorded lines, in several tilings, compared bit for bit."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_package import IntegerPackage
from runtime.errors import Corrupt, LineRwkvError
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.cell_executor import initial_bands, initial_memory, step_tile

COMPARED_TILES = (1, 8)
EQUAL = "equal"


def run_line(
    package: IntegerPackage, executor: ArrayExecutor, tile: int, y: int, memory: Arrays
) -> npt.NDArray[np.int16]:
    """Taps (Z, X, TAPS) of the recorded line `y`, `tile` bands a step; `memory` is updated in place."""
    line_features, band_features = package.conformance.line_features[y], package.conformance.band_features[y]
    n_bands, n_columns = line_features.shape[:2]
    bands = initial_bands(package, n_columns)
    parts = []
    for first in range(0, n_bands, tile):
        rows = slice(first, min(n_bands, first + tile))
        taps, bands = step_tile(executor, rows, line_features[rows], band_features[rows], memory, bands)
        parts.append(taps)
    return np.concatenate(parts)


def first_difference(package: IntegerPackage, executor: ArrayExecutor, tile: int) -> str | None:
    """Where the executor first differs with `tile` bands a step: the taps of each line, then the memory at the end."""
    recorded = package.conformance
    n_lines, n_bands, n_columns = recorded.taps.shape[:3]
    memory = initial_memory(package, n_bands, n_columns)
    for y in range(n_lines):
        taps = run_line(package, executor, tile, y, memory)
        if difference := compared("taps", y, taps, recorded.taps[y]):
            return difference
    ends = (compared(name, n_lines - 1, memory[name], expected) for name, expected in recorded.states.items())
    return next(filter(None, ends), None)


def recorded_findings(package: IntegerPackage, executor: ArrayExecutor) -> Iterator[tuple[str, str]]:
    """Bands of a step (1 is the band step, `all` the line step), and `equal`, the first difference, or what failed."""
    n_bands = package.conformance.taps.shape[1]
    for tile in dict.fromkeys((*COMPARED_TILES, n_bands)):
        try:
            finding = first_difference(package, executor, tile) or EQUAL
        except LineRwkvError as error:
            finding = str(error)
        yield "all" if tile == n_bands else str(tile), finding


def compared(name: str, y: int, found: npt.NDArray[np.integer], expected: npt.NDArray[np.integer]) -> str | None:
    """The first place in the order of bands, columns, features where two arrays (Z, X, F) differ."""
    if found.shape != expected.shape:
        raise Corrupt(f"{name}: shape {found.shape}, expected {expected.shape}")
    places = np.argwhere(found != expected)
    if not len(places):
        return None
    z, x, f = places[0]
    return f"{name} at line {y}, band {z}, column {x}: {found[z, x, f]}, expected {expected[z, x, f]}"


def check_executor(package: IntegerPackage, executor: ArrayExecutor) -> None:
    """Line steps and band steps on the recorded lines. Raises Corrupt where the executor must not be trusted."""
    for tile in (package.conformance.taps.shape[1], 1):
        if difference := first_difference(package, executor, tile):
            place = f"package {package.source}, {'band step' if tile == 1 else 'line step'}"
            raise Corrupt(f"{executor.provider} failed the self-test ({place}): {difference}")

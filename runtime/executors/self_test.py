"""The self-test of an executor: the package's recorded lines, in several tilings, compared bit for bit."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_package import IntegerPackage
from runtime.errors import Corrupt, LineRwkvError
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.cell_executor import initial_bands, initial_memory, step_tile

COMPARED_TILES = (1, 8)
EQUAL = "equal"


@dataclass(frozen=True)
class Difference:
    """The first place where an executor leaves the recorded integers."""

    tensor: str
    line: int
    band: int
    column: int
    found: int
    expected: int

    def __str__(self) -> str:
        """For people."""
        place = f"line {self.line}, band {self.band}, column {self.column}"
        return f"{self.tensor} at {place}: {self.found}, expected {self.expected}"


def run_line(
    package: IntegerPackage,
    executor: ArrayExecutor,
    tile: int,
    line_features: npt.NDArray[np.int8],
    band_features: npt.NDArray[np.int8],
    memory: Arrays,
) -> npt.NDArray[np.int16]:
    """Taps (Z, X, TAPS) of one line, `tile` bands a step; `memory` is moved in place."""
    n_bands, n_columns = line_features.shape[:2]
    bands = initial_bands(package, n_columns)
    parts = []
    for first in range(0, n_bands, tile):
        rows = slice(first, min(n_bands, first + tile))
        taps, bands = step_tile(executor, rows, line_features[rows], band_features[rows], memory, bands)
        parts.append(taps)
    return np.concatenate(parts)


def first_difference(package: IntegerPackage, executor: ArrayExecutor, tile: int) -> Difference | None:
    """Where the executor first differs with `tile` bands a step: the taps of each line, then the memory at the end."""
    recorded = package.conformance
    n_lines, n_bands, n_columns = recorded.taps.shape[:3]
    memory = initial_memory(package, n_bands, n_columns)
    for y in range(n_lines):
        taps = run_line(package, executor, tile, recorded.line_features[y], recorded.band_features[y], memory)
        found = compared("taps", y, taps, recorded.taps[y])
        if found:
            return found
    for name, expected in recorded.states.items():
        found = compared(name, n_lines - 1, memory[name], expected)
        if found:
            return found
    return None


def recorded_findings(package: IntegerPackage, executor: ArrayExecutor) -> Iterator[tuple[str, str]]:
    """Bands of a step (1 is the band step, `all` the line step), and `equal`, the first difference, or what failed."""
    n_bands = package.conformance.taps.shape[1]
    for tile in dict.fromkeys((*COMPARED_TILES, n_bands)):
        try:
            difference = first_difference(package, executor, tile)
            finding = EQUAL if difference is None else str(difference)
        except LineRwkvError as error:
            finding = str(error)
        yield "all" if tile == n_bands else str(tile), finding


def compared(name: str, y: int, found: npt.NDArray[np.integer], expected: npt.NDArray[np.integer]) -> Difference | None:
    """The first place in the order of bands, columns, features where two arrays (Z, X, F) differ."""
    if found.shape != expected.shape:
        raise Corrupt(f"{name}: shape {found.shape}, expected {expected.shape}")
    places = np.argwhere(found != expected)
    if not len(places):
        return None
    z, x, _ = (int(i) for i in places[0])
    place = tuple(places[0])
    return Difference(name, y, z, x, int(found[place]), int(expected[place]))


def check_executor(package: IntegerPackage, executor: ArrayExecutor) -> None:
    """Line steps and band steps on the recorded lines. Raises Corrupt where the executor must not be trusted."""
    for tile in (package.conformance.taps.shape[1], 1):
        difference = first_difference(package, executor, tile)
        if difference:
            step = "band step" if tile == 1 else "line step"
            place = f"package {package.source}, {step}"
            raise Corrupt(f"{executor.provider} failed the self-test ({place}): {difference}")

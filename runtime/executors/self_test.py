"""The self-test: the package's recorded lines, compared bit for bit, before what runs them is trusted.

An executor computes the line part of them, in several tilings of groups; the kernels of this machine the spectral part.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_inputs import TAPS
from runtime.cell.flight_package import IntegerPackage
from runtime.cell.spectral_part import spectral_field, spectral_part, spectral_taps
from runtime.errors import Corrupt, LineRwkvError
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.line_part import initial_memory, step_groups

COMPARED_TILES = (1, 8)
EQUAL = "equal"


def run_line(
    package: IntegerPackage, executor: ArrayExecutor, tile: int, y: int, memory: Arrays
) -> npt.NDArray[np.int8]:
    """Contexts (N, X, G S) of the recorded line `y`, `tile` groups a step; `memory` is updated in place."""
    features, levels = package.conformance.line_features[y], package.conformance.levels[y]
    parts = []
    for first in range(0, len(features), tile):
        groups = slice(first, min(len(features), first + tile))
        parts.append(step_groups(package.cell.shape, executor, groups, features[groups], levels[groups], memory))
    return np.concatenate(parts)


def first_difference(package: IntegerPackage, executor: ArrayExecutor, tile: int) -> str | None:
    """Where the executor first differs with `tile` groups a step: contexts of each line, then the memory at the end."""
    recorded = package.conformance
    n_lines, n_bands, n_columns = recorded.taps.shape[:3]
    memory = initial_memory(package, n_bands, n_columns)
    for y in range(n_lines):
        contexts = run_line(package, executor, tile, y, memory)
        if difference := compared("contexts", y, "group", contexts, recorded.contexts[y]):
            return difference
    ends = (compared(name, n_lines - 1, "group", memory[name], expected) for name, expected in recorded.states.items())
    return next(filter(None, ends), None)


def recorded_findings(package: IntegerPackage, executor: ArrayExecutor) -> Iterator[tuple[str, str]]:
    """Groups of a step (`all`: the whole line), and `equal`, the first difference, or what failed."""
    n_groups = package.conformance.contexts.shape[1]
    for tile in dict.fromkeys((*(tile for tile in COMPARED_TILES if tile < n_groups), n_groups)):
        try:
            finding = first_difference(package, executor, tile) or EQUAL
        except LineRwkvError as error:
            finding = str(error)
        yield "all" if tile == n_groups else str(tile), finding


def line_taps(package: IntegerPackage, y: int) -> npt.NDArray[np.int32]:
    """Taps (Z, X, TAPS) of the recorded line `y`, by the kernels of this machine."""
    contexts, features = package.conformance.contexts[y], package.conformance.band_features[y]
    shape, (n_bands, n_columns) = package.cell.shape, features.shape[:2]
    part, field = spectral_part(package.cell), spectral_field(package.cell, n_columns)
    taps = np.empty((n_bands, n_columns, TAPS), np.int32)
    for z in range(n_bands):
        place = z % shape.group * shape.spectral_features
        own = contexts[z // shape.group, :, place : place + shape.spectral_features]
        taps[z] = spectral_taps(z, features[z], own, part, field)[:, :n_columns].T
    return taps


def spectral_difference(package: IntegerPackage) -> str | None:
    """Where the spectral part on this machine first differs from the recorded taps, given the recorded contexts."""
    recorded = package.conformance
    found = (compared("taps", y, "band", line_taps(package, y), expected) for y, expected in enumerate(recorded.taps))
    return next(filter(None, found), None)


def compared(
    name: str, y: int, axis: str, found: npt.NDArray[np.integer], expected: npt.NDArray[np.integer]
) -> str | None:
    """The first place in the order of their axes where two arrays (groups or bands, columns, features) differ."""
    if found.shape != expected.shape:
        raise Corrupt(f"{name}: shape {found.shape}, expected {expected.shape}")
    places = np.argwhere(found != expected)
    if not len(places):
        return None
    z, x, f = places[0]
    return f"{name} at line {y}, {axis} {z}, column {x}: {found[z, x, f]}, expected {expected[z, x, f]}"


def check_executor(package: IntegerPackage, executor: ArrayExecutor) -> None:
    """Both parts on the recorded lines. Raises Corrupt where executor or machine must not be trusted."""
    for tile in dict.fromkeys((package.conformance.contexts.shape[1], 1)):
        if difference := first_difference(package, executor, tile):
            place = f"package {package.source}, {'one group a step' if tile == 1 else 'whole lines'}"
            raise Corrupt(f"{executor.provider} failed the self-test ({place}): {difference}")
    if difference := spectral_difference(package):
        raise Corrupt(f"this machine failed the self-test (package {package.source}, spectral part): {difference}")

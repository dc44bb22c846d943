"""What an instrument of its own wrote to a file: power by its clock, and where a known load pattern is in it."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hil_tests.meters.clocks import LARGEST_DRIFT, Clock, clock_from_markers
from hil_tests.meters.integral import joules_until
from hil_tests.meters.meter import MeterFailed

Floats = npt.NDArray[np.float64]
Span = tuple[float, float]

N_PULSES = 5
CELLS = 10
"""Of the shortest pulse, in the search."""
LEAST_AGREEMENT = 0.8
"""Correlation of the power with the load, 1 where they are alike."""


@dataclass(frozen=True)
class Recording:
    """Samples by the instrument's clock: seconds (N,), strictly increasing, N >= 2; watts (N,) of each rail."""

    seconds: Floats
    watts: dict[str, Floats]
    is_integrating: bool


def pulse_pattern(number: int, unit_s: float) -> list[Span]:
    """Pause before and length of each pulse in seconds, one to three units, another pattern for each number."""
    choice = random.Random(number)
    return [(choice.randint(1, 3) * unit_s, choice.randint(1, 3) * unit_s) for _ in range(N_PULSES)]


def align(recording: Recording, groups: Sequence[Sequence[Span]], unit_s: float) -> Clock:
    """The instrument's clock in ours, by groups of load pulses (began, ended) that its first rail shows.

    The load is idle for one unit around each group. Groups are found by correlation, at distances that a clock within
    1 % allows; then each edge by the energy around it. Where the meter does not integrate, nothing shows at which time
    between two samples an edge lies, so half of their distance counts as uncertain. Raises MeterFailed (not found, or a
    clock that cannot be).
    """
    watts = next(iter(recording.watts.values()))
    cell_s = unit_s / CELLS
    n_cells = int((recording.seconds[-1] - recording.seconds[0]) / cell_s)
    grid = recording.seconds[0] + cell_s * np.arange(n_cells + 1)
    grid[-1] = min(grid[-1], recording.seconds[-1])
    power = np.diff(joules_until(recording.seconds, watts, recording.is_integrating, grid)) / cell_s
    agreements = [agreement(power, template(group, unit_s, cell_s)) for group in groups]
    if any(len(found) == 0 for found in agreements):
        raise MeterFailed("the recording is shorter than the load pattern that marks it")
    theirs: list[float] = []
    for group, index in zip(groups, placed(agreements, groups, cell_s), strict=True):
        shift = grid[index] + unit_s - group[0][0]
        theirs += edges(recording, watts, [time + shift for pulse in group for time in pulse], unit_s)
    clock = clock_from_markers(theirs, [time for group in groups for pulse in group for time in pulse])
    half_s = 0.0 if recording.is_integrating else float(np.diff(recording.seconds).max()) / 2
    return replace(clock, uncertainty=clock.uncertainty + half_s)


def template(group: Sequence[Span], unit_s: float, cell_s: float) -> Floats:
    """Share of each cell in which the load is on, from one unit before the group to one unit after it."""
    began = group[0][0] - unit_s
    cells = began + cell_s * np.arange(math.ceil((group[-1][1] + unit_s - began) / cell_s) + 1)
    loaded = sum(np.clip(cells, on, off) - on for on, off in group)
    return np.asarray(np.diff(loaded) / cell_s, np.float64)


def agreement(power: Floats, load: Floats) -> Floats:
    """Correlation of the load with the power at every place of it, -1 to 1; empty where the power is shorter."""
    if len(power) < len(load):
        return np.empty(0)
    wanted = load - load.mean()
    centred = power - power.mean()
    sums, squares = (np.cumsum(np.concatenate(([0.0], values))) for values in (centred, centred**2))
    spread = squares[len(load) :] - squares[: -len(load)] - (sums[len(load) :] - sums[: -len(load)]) ** 2 / len(load)
    is_flat = spread <= 1e-12 * len(load) * float((power**2).max())
    products = np.correlate(centred, wanted, "valid")
    return np.where(is_flat, 0.0, products / np.sqrt(np.where(is_flat, 1.0, spread) * float((wanted**2).sum())))


def placed(agreements: Sequence[Floats], groups: Sequence[Sequence[Span]], cell_s: float) -> list[int]:
    """The cell in which each group begins, where all agree best together. Raises MeterFailed (they do not)."""
    distances = [(group[0][0] - groups[0][0][0]) / cell_s for group in groups]
    best: list[tuple[int, float]] = []
    for first in range(len(agreements[0])):
        places = [best_near(found, first, cells) for found, cells in zip(agreements, distances, strict=True)]
        if not best or sum(agrees for _, agrees in places) > sum(agrees for _, agrees in best):
            best = places
    least = min(agrees for _, agrees in best)
    if least < LEAST_AGREEMENT:
        raise MeterFailed(
            f"the load pattern is not in the recording: agreement {least:.2f}, {LEAST_AGREEMENT:g} is needed"
        )
    return [place for place, _ in best]


def best_near(found: Floats, first: int, distance: float) -> tuple[int, float]:
    """Where a group agrees best, and how well, so many cells after `first` by a clock that may be 1 % off."""
    slack = 2 + math.ceil(LARGEST_DRIFT * distance)
    begin = max(0, first + round(distance) - slack)
    part = found[begin : first + round(distance) + slack + 1]
    return (begin + int(part.argmax()), float(part.max())) if len(part) else (0, -1.0)


def edges(recording: Recording, watts: Floats, expected: Sequence[float], unit_s: float) -> list[float]:
    """Where the power steps near each expected time, by the instrument's clock.

    With the levels on both sides known, the energy around an edge says where it is; exact for a meter that integrates.
    """

    def joules(began: float, ended: float) -> float:
        times = np.clip(np.array([began, ended]), recording.seconds[0], recording.seconds[-1])
        until = joules_until(recording.seconds, watts, recording.is_integrating, times)
        return float(until[1] - until[0])

    found = []
    bounds = [expected[0] - unit_s, *expected, expected[-1] + unit_s]
    for before, edge, after in zip(bounds[:-2], bounds[1:-1], bounds[2:], strict=True):
        left, right = edge - before, after - edge
        low = joules(edge - 0.75 * left, edge - 0.25 * left) / (0.5 * left)
        high = joules(edge + 0.25 * right, edge + 0.75 * right) / (0.5 * right)
        if low == high:
            raise MeterFailed(f"the recording shows no step of power at its {edge:.3f} s")
        half = 0.5 * min(left, right)
        around = joules(edge - half, edge + half)
        found.append((around + low * (edge - half) - high * (edge + half)) / (low - high))
    return found

"""Runs a workload while meters run, until the joules per million samples are known well enough (docs/energy.md).

    meters = make_meters(board["meters"], target)            # hil_tests/meters/meter_factory.py
    plan = make_plan(board.get("energy", {}))
    metered = measure_energy(meters, workload, msamples, label=target.label, run_began=run_began, plan=plan)

`workload()` does the same work each time, `msamples` million samples of it, and returns when it is done; everything in
the call counts, so whatever has to be started, deployed or compiled is ready before. `metered.energies` and
`metered.phases` go into `Findings` as they are, each line of `metered.not_measured` into its notes, and
`metered.joules_per_msample` against the board's limit.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

from msgspec import Meta

from hil_tests.board.board import Amount, Seconds
from hil_tests.energy.account import Batch, account_of, energy_of
from hil_tests.energy.adequacy import Span
from hil_tests.findings.findings import Energy, Phase
from hil_tests.meters.meter import Meter, PowerTrace
from runtime.checked_table import checked_table
from runtime.errors import BadArgument, LineRwkvError


@dataclass(frozen=True)
class EnergyPlan:
    """How long and how often; the table `[energy]` of a board file. Times in seconds."""

    warm_up_s: Amount = 10.0
    """Work before anything counts."""
    idle_s: Seconds = 10.0
    settle_s: Seconds = 2.0
    """Left out on both sides of the idle span and of the windows: samples there see idle and work together."""
    window_s: Seconds = 10.0
    """At least; a window is a whole number of calls of the workload."""
    min_windows: Annotated[int, Meta(ge=2)] = 8
    max_windows: Annotated[int, Meta(ge=2)] = 20
    relative_half_width: Amount = 0.02
    """Of the 95 % interval of J/Msample of the first rail of each meter, at which the run ends."""

    def __post_init__(self) -> None:
        """Refuse fewer windows at most than at least."""
        if self.max_windows < self.min_windows:
            lowest = f"min_windows, {self.min_windows}"
            raise BadArgument(f"max_windows: found {self.max_windows}, allowed int at least {lowest}")


def make_plan(table: dict[str, Any], where: str = "board file") -> EnergyPlan:
    """The plan of the table `[energy]` of a board file; `where`: the file, for errors. Raises BadArgument."""
    return checked_table(EnergyPlan, table, where, "energy")


@dataclass
class Metered:
    """What an energy run found."""

    energies: list[Energy] = field(default_factory=list)
    """One for each rail of each meter that did not fail."""
    phases: list[Phase] = field(default_factory=list)
    msamples_per_s: float = 0.0
    """Of the performance run, without meters."""
    not_measured: list[str] = field(default_factory=list)
    """For each meter that failed, its name and why; one line where there is no meter."""
    joules_per_msample: float | None = None
    """Of the first rail of the first meter, idle included, for a limit; None is not measured."""


@dataclass
class Readings:
    """What one meter has read so far: for each recording, traces of all rails and the marks in them."""

    meter: Meter
    traces: list[list[PowerTrace]] = field(default_factory=list)
    marks: list[tuple[Span, list[Span]]] = field(default_factory=list)

    def batches(self, rail_index: int) -> list[Batch]:
        """Of one rail."""
        return [
            Batch(traces[rail_index], idle, windows)
            for traces, (idle, windows) in zip(self.traces, self.marks, strict=True)
        ]


class Work:
    """The workload, and the phases that it leaves in the report."""

    def __init__(
        self, workload: Callable[[], None], clock: Callable[[], float], run_began: float, phases: list[Phase]
    ) -> None:
        self.workload, self.clock, self.run_began, self.phases = workload, clock, run_began, phases

    def until(self, name: str, seconds: float) -> tuple[Span, int]:
        """Work until so much time has passed, once at least: when it began and ended, and how often it was done."""
        began, calls = self.clock(), 0
        while calls == 0 or self.clock() - began < seconds:
            self.workload()
            calls += 1
        return self.marked(name, began), calls

    def times(self, name: str, calls: int) -> Span:
        """When so many calls began and ended."""
        began = self.clock()
        for _ in range(calls):
            self.workload()
        return self.marked(name, began)

    def marked(self, name: str, began: float) -> Span:
        """From then to now, as a phase of the report."""
        ended = self.clock()
        self.phases.append(Phase(name, began - self.run_began, ended - self.run_began))
        return began, ended


def measure_energy(
    meters: Sequence[Meter],
    workload: Callable[[], None],
    msamples: float,
    *,
    label: str,
    run_began: float,
    idle: Callable[[float], None] = time.sleep,
    plan: EnergyPlan | None = None,
    clock: Callable[[], float] = time.monotonic,
    log: Callable[[str], None] = lambda text: None,
) -> Metered:
    """The account of every rail: warm-up, performance run, then recordings of an idle span and windows of work.

    workload: does `msamples` million samples. label: what a figure of the target may be called. run_began: by `clock`,
    the zero of the report's times. idle: lets so many seconds pass without work. log: called with what happens now.

    A meter that fails is left out and named in `not_measured`; what the workload raises ends the run, with the meters
    stopped.
    """
    plan = plan or EnergyPlan()
    metered = Metered()
    if not meters:
        metered.not_measured.append("energy: not measured, the board file names no meter")
        return metered
    work = Work(workload, clock, run_began, metered.phases)
    log("energy: warm-up")
    work.until("warm-up", plan.warm_up_s)
    log("energy: performance run")
    (began, ended), calls = work.until("performance", plan.window_s)
    metered.msamples_per_s = calls * msamples / (ended - began)

    left = {meter.name: Readings(meter) for meter in meters}
    n_windows, wanted = 0, plan.min_windows
    while left and n_windows < wanted:
        numbers = range(n_windows + 1, wanted + 1)
        record(left, partial(idle_and_windows, work, idle, plan, calls, numbers, log), metered.not_measured)
        n_windows, needed = wanted, [0]
        for name, readings in list(left.items()):
            with noted(name, metered.not_measured, left):
                needed.append(windows_needed(readings.batches(0), calls * msamples, plan))
        wanted = min(max(needed), plan.max_windows)
    for name, readings in list(left.items()):
        with noted(name, metered.not_measured, left):
            metered.energies += [
                energy_of(
                    rail,
                    readings.batches(index),
                    calls * msamples,
                    label=label,
                    run_began=run_began,
                    performance_msamples_per_s=metered.msamples_per_s,
                    target=plan.relative_half_width,
                )
                for index, rail in enumerate(readings.meter.rails)
            ]
    of_first = [energy.joules_per_msample for energy in metered.energies if energy.meter == meters[0].name]
    metered.joules_per_msample = of_first[0] if of_first else None
    return metered


def idle_and_windows(
    work: Work,
    idle: Callable[[float], None],
    plan: EnergyPlan,
    calls: int,
    numbers: range,
    log: Callable[[str], None],
) -> tuple[Span, list[Span]]:
    """One span without work, and windows of so many calls each: when each began and ended."""
    log("energy: idle")
    idle(plan.settle_s)
    began = work.clock()
    idle(plan.idle_s)
    idle_span = work.marked(f"idle before window {numbers[0]}", began)
    idle(plan.settle_s)
    work.until("settling", plan.settle_s)
    windows = []
    for number in numbers:
        log(f"energy: window {number} of {numbers[-1]}, {plan.max_windows} at most")
        windows.append(work.times(f"window {number}", calls))
    work.until("settling", plan.settle_s)
    return idle_span, windows


def record(left: dict[str, Readings], action: Callable[[], tuple[Span, list[Span]]], not_measured: list[str]) -> None:
    """Do it while the meters run, and add to each what it read; a meter that fails leaves `left`."""
    running: list[tuple[str, Readings]] = []
    try:
        for name, readings in list(left.items()):
            with noted(name, not_measured, left):
                readings.meter.start()
                running.append((name, readings))
        if running:
            marks = action()
    finally:
        for name, readings in running:
            with noted(name, not_measured, left):
                readings.traces.append(readings.meter.stop())
    for readings in left.values():
        readings.marks.append(marks)


@contextmanager
def noted(name: str, not_measured: list[str], left: dict[str, Readings]) -> Iterator[None]:
    """Whatever a meter raises here takes it out of `left` and is noted in `not_measured`; the run continues."""
    try:
        yield
    except Exception as error:  # not MeterFailed alone: a fault of a meter's library must not end a run either
        kind = "" if isinstance(error, LineRwkvError) else f"{type(error).__name__}: "
        not_measured.append(f"{name}: not measured, {kind}{' '.join(str(error).split())}")
        del left[name]


def windows_needed(batches: Sequence[Batch], msamples: float, plan: EnergyPlan) -> int:
    """How many windows in all make the interval narrow, by the spread of those so far; 0 where it is narrow."""
    account = account_of(batches, msamples)
    if account.relative_half_width <= plan.relative_half_width:
        return 0
    excess = account.relative_half_width / max(plan.relative_half_width, account.relative_half_width * 1e-3)
    return account.n_windows + math.ceil(account.n_windows * (excess**2 - 1))

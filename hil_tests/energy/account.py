"""One meter's account of an energy run: pure functions of traces and marked spans."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil_tests.energy.adequacy import Adequacy, Span, adequacy
from hil_tests.energy.interval import half_width
from hil_tests.findings.findings import Energy
from hil_tests.meters.integral import joules_until
from hil_tests.meters.meter import PowerTrace

IDLE_SLICES = 5
"""Of each idle span; their spread says how well the idle power is known."""
PICTURE_POINTS = 2000


@dataclass(frozen=True)
class Batch:
    """One recording of one rail, with an idle span and the windows of work in it, by the trace's clock."""

    trace: PowerTrace
    idle: Span
    windows: list[Span]


@dataclass(frozen=True)
class Account:
    """Energy of one rail over all batches, by windows of the same work."""

    idle_watts: float
    active_watts: float
    msamples_per_s: float
    joules_per_msample: float
    half_width: float
    """Of the 95 % interval of `joules_per_msample`."""
    joules_per_msample_above_idle: float
    half_width_above_idle: float
    n_windows: int

    @property
    def relative_half_width(self) -> float:
        """Of `joules_per_msample`, 0 where there is no spread at all."""
        return self.half_width / abs(self.joules_per_msample) if self.half_width else 0.0


def account_of(batches: Sequence[Batch], msamples: float) -> Account:
    """The account of a rail; msamples: work of each window, in millions of samples. Two windows or more.

    J/Msample = W / (Msample/s), with watts and rate of the same windows. Above idle, the idle power of the same time is
    taken off, and its own uncertainty counts. Raises MeterFailed (samples do not cover a span).
    """
    idle, windows, lengths = [], [], []
    for batch in batches:
        began, ended = batch.idle
        idle += powers(batch.trace, np.linspace(began, ended, IDLE_SLICES + 1))
        for window in batch.windows:
            windows += powers(batch.trace, np.array(window))
            lengths.append(window[1] - window[0])
    idle_watts = float(np.mean(idle))
    joules = np.array(windows) * np.array(lengths)
    above = joules - idle_watts * np.array(lengths)
    seconds_per_msample = float(np.mean(lengths)) / msamples
    idle_energy = [watts * seconds_per_msample for watts in idle]
    return Account(
        idle_watts=idle_watts,
        active_watts=float(joules.sum() / np.sum(lengths)),
        msamples_per_s=1 / seconds_per_msample,
        joules_per_msample=float(joules.mean()) / msamples,
        half_width=half_width(list(joules / msamples)),
        joules_per_msample_above_idle=float(above.mean()) / msamples,
        half_width_above_idle=half_width(list(above / msamples), idle_energy),
        n_windows=len(windows),
    )


def powers(trace: PowerTrace, times: npt.NDArray[np.float64]) -> list[float]:
    """Mean watts between each two times that follow each other."""
    joules = joules_until(trace.seconds, trace.watts, trace.is_integrating, times)
    return [float(watts) for watts in np.diff(joules) / np.diff(times)]


def worst_adequacy(batches: Sequence[Batch]) -> Adequacy:
    """Of the batch that is inadequate if one is, then of the one with the fewest values."""
    found = [adequacy(batch.trace, [batch.idle, *batch.windows]) for batch in batches]
    return min(found, key=lambda one: (one.is_adequate, one.values_per_window))


def picture_of(batches: Sequence[Batch]) -> tuple[list[float], list[float]]:
    """Times and mean watts since the time before, some thousand points at most in all batches together."""
    seconds: list[float] = []
    watts: list[float] = []
    for batch in batches:
        trace = batch.trace
        step = -(-len(trace.seconds) * len(batches) // PICTURE_POINTS)
        kept = np.unique(np.concatenate((np.arange(0, len(trace.seconds), step), [len(trace.seconds) - 1])))
        times = trace.seconds[kept]
        seconds += [float(time) for time in times[1:]]
        watts += powers(trace, times)
    return seconds, watts


def energy_of(
    rail: str,
    batches: Sequence[Batch],
    msamples: float,
    *,
    label: str,
    run_began: float,
    performance_msamples_per_s: float,
    target: float,
) -> Energy:
    """What the report says of a rail. run_began: by the clock of the traces. target: relative half width asked for.

    performance_msamples_per_s: of the same work without a meter. Raises MeterFailed.
    """
    account = account_of(batches, msamples)
    trace = batches[0].trace
    sampling = worst_adequacy(batches)
    notes = [
        str(sampling),
        f"above idle within {account.half_width_above_idle:.3g} J/Msample",
    ]
    if account.relative_half_width > target:
        notes.append(
            f"interval NOT narrow: {account.relative_half_width:.1%} after {account.n_windows} windows, "
            f"{target:.1%} was asked for"
        )
    slowed = 1 - account.msamples_per_s / performance_msamples_per_s
    if abs(slowed) > target:
        notes.append(f"the work ran {abs(slowed):.1%} {'slower' if slowed > 0 else 'faster'} than without meters")
    seconds, watts = picture_of(batches)
    return Energy(
        meter=trace.meter,
        rail=rail,
        label=trace.label or label,
        accuracy=trace.accuracy,
        seconds=[time - run_began for time in seconds],
        watts=watts,
        idle_watts=account.idle_watts,
        active_watts=account.active_watts,
        msamples_per_s=account.msamples_per_s,
        joules_per_msample=account.joules_per_msample,
        joules_per_msample_above_idle=account.joules_per_msample_above_idle,
        uncertainty=account.half_width,
        n_windows=account.n_windows,
        note="; ".join([*([trace.caveat] if trace.caveat else []), *notes]),
        uncertainty_above_idle=account.half_width_above_idle,
        is_adequate=sampling.is_adequate,
    )

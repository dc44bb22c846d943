"""A rehearsal of the energy run: boards and meters in software whose true joules are known, by a clock of their own."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hil_tests.energy.energy_run import EnergyPlan, measure_energy
from hil_tests.findings.findings import Energy
from hil_tests.meters.clocks import RoundTrip, clock_from_round_trips
from hil_tests.meters.counters import mean_power
from hil_tests.meters.meter import Meter, PowerTrace
from hil_tests.meters.target_program import N_ROUND_TRIPS

Floats = npt.NDArray[np.float64]
START_S = 1000.0
SIMULATED = "simulated"


@dataclass(frozen=True)
class Case:
    """A board, its work and the meter. Watts, seconds, shares."""

    idle_watts: float
    load_watts: float
    """Mean while it works."""
    call_s: float
    """Mean of one call, which codes `msamples`."""
    msamples: float
    spread: float
    """Standard deviation of a call's time and, apart from it, of its power above idle."""
    swing: float
    """Amplitude of the power above idle within a call, a sine of `swing_s`."""
    swing_s: float
    sampling_hz: float
    is_integrating: bool
    noise: float
    """Standard deviation of a sample of a meter that does not integrate."""
    missing: float
    """Share of the samples that are lost."""
    offset_s: float
    """The meter's clock less ours."""
    drift: float
    """A second of ours is 1 + drift of the meter's."""
    longest_trip_s: float
    """Of a question about the time and its answer, which is given at any moment of it."""

    @property
    def true_joules(self) -> float:
        """J/Msample, idle included: what infinitely many calls come to."""
        return self.load_watts * self.call_s / self.msamples

    @property
    def true_joules_above_idle(self) -> float:
        """J/Msample."""
        return (self.load_watts - self.idle_watts) * self.call_s / self.msamples


def random_case(random: np.random.Generator, sampling_hz: float | None = None) -> Case:
    """Any board from a hat's to a workstation, any meter from 10 Hz on; sampling_hz: that one, not integrating."""
    idle = 10 ** random.uniform(-0.3, 1.7)
    return Case(
        idle_watts=idle,
        load_watts=idle * random.uniform(1.1, 5.0),
        call_s=random.uniform(0.3, 3.0),
        msamples=10 ** random.uniform(-2, 1),
        spread=10 ** random.uniform(-3, -1.3),
        swing=random.uniform(0.0, 0.3),
        swing_s=random.uniform(0.3, 2.0),
        sampling_hz=sampling_hz or 10 ** random.uniform(1, 2.5),
        is_integrating=sampling_hz is None and bool(random.integers(2)),
        noise=10 ** random.uniform(-3, -1.3),
        missing=random.choice([0.0, random.uniform(0.0, 0.2)]),
        offset_s=random.uniform(-1e6, 1e6),
        drift=random.uniform(-2e-4, 2e-4),
        longest_trip_s=10 ** random.uniform(-4, -1.6),
    )


@dataclass
class SimulatedBoard:
    """Its time goes on when it works or waits; the power follows from what it did."""

    case: Case
    random: np.random.Generator
    now: float = START_S
    began: list[float] = field(default_factory=list)
    """Of each call, and so on."""
    lengths: list[float] = field(default_factory=list)
    watts: list[float] = field(default_factory=list)
    """Above idle."""

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Nothing is done."""
        self.now += seconds

    def work(self) -> None:
        """One call."""
        case = self.case
        factors = np.maximum(0.1, self.random.normal(1.0, case.spread, 2))
        self.began.append(self.now)
        self.lengths.append(float(case.call_s * factors[0]))
        self.watts.append(float((case.load_watts - case.idle_watts) * factors[1]))
        self.now += self.lengths[-1]

    def joules_until(self, times: Floats) -> Floats:
        """True joules from the start to each time, idle included, float64."""
        began, lengths, watts = (np.array(values) for values in (self.began, self.lengths, self.watts))
        idle = self.case.idle_watts * (times - START_S)
        if len(began) == 0:
            return np.asarray(idle, np.float64)
        whole = np.concatenate(([0.0], np.cumsum(self.call_joules(began, began + lengths, watts))))
        index = np.clip(np.searchsorted(began, times, side="right") - 1, 0, None)
        since = np.clip(times, began[index], began[index] + lengths[index])
        return np.asarray(idle + whole[index] + self.call_joules(began[index], since, watts[index]), np.float64)

    def call_joules(self, began: Floats, ended: Floats, watts: Floats) -> Floats:
        """Above idle, from the begin of a call to a time in it."""
        turn = 2 * np.pi / self.case.swing_s
        swung = (np.cos(turn * began) - np.cos(turn * ended)) / turn
        return np.asarray(watts * (ended - began + self.case.swing * swung), np.float64)

    def watts_at(self, times: Floats) -> Floats:
        """True power, float64."""
        step = 1e-6
        return (self.joules_until(times + step) - self.joules_until(times - step)) / (2 * step)


class SimulatedMeter(Meter):
    """A `Meter` of a simulated board, with another clock, samples that are lost, and noise."""

    name = SIMULATED
    rails: tuple[str, ...] = ("board",)

    def __init__(self, board: SimulatedBoard) -> None:
        self.board = board

    def theirs(self, ours: Floats) -> Floats:
        """The meter's clock."""
        case = self.board.case
        return START_S + case.offset_s + (1 + case.drift) * (ours - START_S)

    def round_trips(self) -> list[RoundTrip]:
        """Questions about the time, each answered at any moment of its trip."""
        trips = []
        for _ in range(N_ROUND_TRIPS):
            sent = self.board.now
            length = float(self.board.random.uniform(0.1, 1.0) * self.board.case.longest_trip_s)
            answered = sent + length * self.board.random.random()
            self.board.wait(length)
            trips.append(RoundTrip(sent, float(self.theirs(np.array(answered))), self.board.now))
        return trips

    @override
    def start(self) -> None:
        self.before = self.round_trips()
        self.began = self.board.now
        self.board.wait(2 / self.board.case.sampling_hz)

    @override
    def stop(self) -> list[PowerTrace]:
        case, random = self.board.case, self.board.random
        self.board.wait(2 / case.sampling_hz)
        times = np.arange(self.began, self.board.now, 1 / case.sampling_hz)
        is_kept = random.random(len(times)) >= case.missing
        is_kept[[0, -1]] = True
        times = times[is_kept]
        after = self.round_trips()
        seconds = clock_from_round_trips(self.before, after)
        ours = seconds.ours(self.theirs(times))
        if case.is_integrating:
            watts = mean_power(self.theirs(times), self.board.joules_until(times) * (1 + case.drift))
        else:
            watts = self.board.watts_at(times) * random.normal(1.0, case.noise, len(times))
        return [
            PowerTrace(
                self.name, ours, watts, case.is_integrating, "exact", clock_uncertainty_s=seconds.uncertainty,
                update_s=None if case.is_integrating else 1 / case.sampling_hz,
            )
        ]  # fmt: skip


@dataclass(frozen=True)
class Rehearsed:
    """What the method found of a case."""

    case: Case
    energy: Energy

    @property
    def is_flagged(self) -> bool:
        """Whether the report says that the sampling is not adequate."""
        return not self.energy.is_adequate

    @property
    def share(self) -> float:
        """Distance from the true joules by the stated half width of the 95 % interval; 1 or less is within it."""
        return abs(self.energy.joules_per_msample - self.case.true_joules) / self.energy.uncertainty


def rehearsed(case: Case, random: np.random.Generator, plan: EnergyPlan) -> Rehearsed:
    """The energy run of a case, by the same code as on a real board."""
    board = SimulatedBoard(case, random)
    metered = measure_energy(
        [SimulatedMeter(board)], board.work, case.msamples, label=SIMULATED, run_began=START_S, idle=board.wait,
        plan=plan, clock=board.clock,
    )  # fmt: skip
    (energy,) = metered.energies
    return Rehearsed(case, energy)


def rehearsal(n_cases: int, seed: int, sampling_hz: float | None = None) -> list[Rehearsed]:
    """So many random cases; sampling_hz: of all meters, none of which then integrates."""
    plan = EnergyPlan()
    cases = []
    for number in range(n_cases):
        random = np.random.default_rng([seed, number])
        cases.append(rehearsed(random_case(random, sampling_hz), random, plan))
    return cases


def summary(cases: Sequence[Rehearsed]) -> dict[str, float | int]:
    """Counts over the cases, and the largest distance of those that are not flagged."""
    sound = [one.share for one in cases if not one.is_flagged]
    return {
        "cases": len(cases),
        "flagged": len(cases) - len(sound),
        "within": sum(share <= 1 for share in sound),
        "beyond_3": sum(share > 3 for share in sound),
        "largest": max(sound, default=0.0),
    }

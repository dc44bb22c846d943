"""What a run on a target found: the content of report.json, and nothing that is not measured."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """Of a step or a limit."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Step:
    """One state of the run: bring-up, deploy, self-test, probe, encode, decode, soak, energy, a fault."""

    name: str
    outcome: Outcome
    began_s: float
    """Since the start of the run."""
    seconds: float
    detail: str
    """One line."""


@dataclass(frozen=True)
class Speed:
    """Throughput of one phase on the target; samples are Z * X * Y of the scene."""

    phase: str
    """`encode` or `decode`."""
    samples: int
    seconds: float
    cpu_seconds: float
    label: str
    """`measured`, `emulated`, `simulated`, `estimated by ...`."""

    @property
    def msamples_per_s(self) -> float:
        """Samples by wall-clock time; not a number where no time passed."""
        return self.samples / self.seconds / 1e6 if self.seconds > 0 else math.nan


@dataclass(frozen=True)
class Latency:
    """Time from passing a line in to its return, in milliseconds, first line included, compilation not."""

    phase: str
    lines_ms: list[float]
    """Every line in order."""


@dataclass(frozen=True)
class LineRate:
    """A recording at the imager's rate, replayed with the measured latencies."""

    lines_per_s: float
    duty_cycle: float
    """Share of time in which lines arrive, 0..1; 1 is real time without pause."""
    buffer_lines: int
    late: int
    dropped: int
    largest_backlog: int
    real_time_factor: float
    """Measured speed divided by the speed that the line rate asks for; 1 or more is real time."""


@dataclass(frozen=True)
class Reading:
    """Counters of the target at one time; None is not measured."""

    seconds: float
    """Since the start of the run."""
    clock_mhz: float | None
    temperature_c: float | None
    msamples_per_s: float | None


@dataclass(frozen=True)
class Phase:
    """A marked span of the run, for the power picture. Seconds since the start of the run."""

    name: str
    began_s: float
    ended_s: float


@dataclass(frozen=True)
class Energy:
    """One meter's account of the energy run (docs/energy.md); lists are for the picture."""

    meter: str
    rail: str
    label: str
    accuracy: str
    seconds: list[float]
    """Since the start of the run."""
    watts: list[float]
    idle_watts: float
    active_watts: float
    msamples_per_s: float
    joules_per_msample: float
    """Idle included."""
    joules_per_msample_above_idle: float
    uncertainty: float
    """Half width of the 95 % interval of joules_per_msample."""
    n_windows: int
    note: str
    """On the adequacy of the sampling rate, one line."""
    uncertainty_above_idle: float | None = None
    """Half width of the 95 % interval of joules_per_msample_above_idle."""
    is_adequate: bool = True
    """Whether the sampling was quick enough; where it was not, the joules are not to be relied on."""
    form: str = ""
    """Of the coding, where a run metered several."""


@dataclass(frozen=True)
class FormCost:
    """What one way to code the scene costs on the target; None is not measured."""

    form: str
    """As `[[forms]]` of a board file names it; a package of its own stands behind a comma."""
    executor: str
    """Of the network, empty where there is none."""
    label: str
    """Of the times."""
    bits_per_sample: float
    msamples_per_s: float
    """Without meters."""
    cpu_seconds_per_msample: float
    line_ms_median: float
    line_ms_largest: float
    meter: str = ""
    """And its first rail, which the joules are of."""
    joules_label: str = ""
    joules_per_msample: float | None = None
    """Idle included."""
    uncertainty: float | None = None
    """Half width of the 95 % interval, as of the next one."""
    joules_per_msample_above_idle: float | None = None
    uncertainty_above_idle: float | None = None
    is_adequate: bool = True
    """As `Energy`."""
    parts: dict[str, float] = field(default_factory=dict)
    """CPU s/Msample of network, host side, predictor and coder on one thread, and wall s/Msample of waiting for the
    network (runtime/target/part_times.py); those that the form has."""


@dataclass(frozen=True)
class ProbedOperator:
    """By which rules an executor computes one operator of dense sub-graphs (docs/accelerators.md, The probe)."""

    operator: str
    outputs: int
    """That were held against the rules."""
    rounding: str
    """`not known` where no known rules explain every output, as the next two."""
    saturation: str
    """Past the ends of 8 bits."""
    sums: str
    """What the accumulator does."""
    finding: str
    """In words, or why the executor does not run it."""
    is_exact: bool
    """Whether layers can be made so that it is."""


@dataclass(frozen=True)
class Certificate:
    """What the probe found of an executor on the target."""

    executor: str
    """As the board file names it."""
    provider: str
    activation: str
    """`uint8` or `int8`."""
    is_usable: bool
    """Whether sub-graphs can be exact there."""
    verdict: str
    """One sentence: exact, under which conditions, or why not."""
    is_deciding: bool
    """Whether the executor runs sub-graphs, so that a refusal fails the step; else only the self-test decides."""
    operators: list[ProbedOperator] = field(default_factory=list)


@dataclass(frozen=True)
class Limit:
    """A limit of the board file against what was found; found None is not measured."""

    name: str
    is_ceiling: bool
    """Found must not be above, else not below."""
    allowed: float
    found: float | None
    unit: str

    @property
    def outcome(self) -> Outcome:
        """Whether it is met."""
        if self.found is None:
            return Outcome.NOT_MEASURED
        met = self.found <= self.allowed if self.is_ceiling else self.found >= self.allowed
        return Outcome.PASSED if met else Outcome.FAILED


@dataclass(frozen=True)
class Findings:
    """A whole run."""

    board: str
    label: str
    """Of the target: `measured`, `emulated` or `simulated`."""
    started: str
    """UTC, ISO 8601."""
    commit: str
    machine: dict[str, str]
    """Of the target: processor, system, Python, versions of libraries, executor."""
    package: str
    package_sha256: str
    scene: str
    scene_kind: str
    """`real` or `synthetic`."""
    scene_shape: tuple[int, int, int]
    """(Y, Z, X)."""
    steps: list[Step] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    speeds: list[Speed] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    line_rates: list[LineRate] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    energy: list[Energy] = field(default_factory=list)
    forms: list[FormCost] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    peak_memory_mib: float | None = None
    bits_per_sample: float | None = None
    telemetry: list[dict[str, Any]] = field(default_factory=list)
    """Of the runtime, one entry a segment."""
    estimates: list[dict[str, Any]] = field(default_factory=list)
    """Of tools that estimate, each with a key `label`; never mixed with what was measured."""
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """One step or limit was met at least, and none was missed or missing that the board file asks for."""
        outcomes = [step.outcome for step in self.steps] + [limit.outcome for limit in self.limits]
        return Outcome.PASSED in outcomes and set(outcomes) <= {Outcome.PASSED, Outcome.SKIPPED}

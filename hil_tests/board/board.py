"""A board file: how a target is reached, what a run on it does, and the limits that it must meet (docs/hil.md)."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta

from hil_tests.findings.limits import LIMITS
from runtime.checked_table import AtLeast0, AtLeast1, checked_table, checked_value, dotted, read_file, toml_table
from runtime.errors import BadArgument

Transport = Literal["local", "ssh", "qemu", "labgrid"]
STEPS = ("bring-up", "deploy", "self-test", "probe", "encode", "decode", "soak", "energy")
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\Z", description="letters, digits, '_', '.', '-'")]
Variable = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\Z", description="letters, digits, '_'")]
Seconds = Annotated[float, Meta(gt=0, le=1e6)]
"""Of a deadline or a pause: at most what the system's timers take."""
Amount = Annotated[float, Meta(ge=0)]


@dataclass(frozen=True)
class SceneChoice:
    """Table `[scene]`: what is compressed. 0 lines, bands or columns are all that the scene has."""

    name: str = "enmap_potsdam_a"
    """A scene of ../shared/scenes, `synthetic`, or a file, relative to the board file. Where a scene of that name is
    not there, the synthetic one replaces it, and the report says so."""
    lines: AtLeast0 = 64
    bands: AtLeast0 = 0
    columns: AtLeast0 = 0
    short_lines: AtLeast1 = 16
    """Lines of a short run."""


@dataclass(frozen=True)
class Imager:
    """A table of `[[imager]]`: a recording that the measured latencies are held against."""

    lines_per_s: Annotated[float, Meta(gt=0, le=1e6)]
    name: str = "imager"
    bands: AtLeast0 = 0
    """0: as many as the scene. Else latencies are scaled by the samples of a line."""
    columns: AtLeast0 = 0
    duty_cycle: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """Share of the time in which lines arrive; 1 is real time without pause."""
    buffer_lines: AtLeast1 = 64
    """Lines that may wait, the one in work included; one more is dropped."""
    recording_lines: AtLeast1 = 1000
    """Lines between two pauses."""


@dataclass(frozen=True)
class PowerMode:
    """Table `[power]`: what is set on the target each time it comes up, and read back into the report."""

    nvpmodel: str = ""
    """Name of a mode of a Jetson's /etc/nvpmodel.conf, as `15W`; empty: as it is."""
    jetson_clocks: bool = False
    """Pin the clocks of a Jetson to the highest of its mode."""
    governor: Annotated[str, Meta(pattern=r"^[a-z_]*\Z", description="name of a cpufreq governor")] = ""
    """Of every processor, as `performance`; empty: as it is."""
    sudo: bool = False
    """Whether `sudo -n` goes before what needs root."""


@dataclass(frozen=True)
class FormChoice:
    """A table of `[[forms]]`: a way to code whose cost an energy run measures."""

    name: Literal["network none", "network fast", "network best", "rls fast", "rls best", "ccsds123"]
    executor: str = ""
    """Of the network, `name` or `name:provider,option=value`; empty: the board's."""
    package: str = ""
    """Of the network, as `package` of the board file; empty: the board's."""

    def __post_init__(self) -> None:
        """Refuse an executor or package of a form that has no network."""
        for key in ("executor", "package"):
            if getattr(self, key) and not self.has_network:
                raise BadArgument(f"{key}: form {self.name} has no network, allowed for the forms network ...")

    @property
    def has_network(self) -> bool:
        """Whether an executor runs part of it."""
        return self.name.startswith("network")


@dataclass(frozen=True)
class Board:
    """A whole board file."""

    name: Name
    path: Path
    sha256: str
    """Of the file."""
    transport: Transport
    label: Literal["measured", "emulated", "simulated"] = "measured"
    python: str = ""
    """The interpreter there, where the transport lets it be chosen; none: the transport's own choice."""
    package: str = "flight"
    """Flight package: a folder or zip, relative to the board file, or the name of a shipped one."""
    executor: str = "onnxruntime"
    provider: str = ""
    """Execution provider of the executor, where it takes one."""
    provider_options: dict[str, str] = field(default_factory=dict)
    stage: Literal["", "none", "fast", "best"] = ""
    """Adaptive stage: none, fast or best; without a word the best that the package allows."""
    segment_lines: AtLeast1 = 64
    processors: list[AtLeast0] = field(default_factory=list)
    """Numbers of the processors that the runtime may use; none: all."""
    variables: dict[Variable, str] = field(default_factory=dict)
    """Environment variables of the runtime there."""
    start_seconds: Seconds = 600.0
    """Deadline for import, self-test and compilation there, each."""
    line_seconds: Seconds = 60.0
    """Deadline for a sign of life while lines are coded; a reading comes every `reading_seconds`."""
    reading_seconds: Seconds = 1.0
    soak_minutes: Amount = 5.0
    """0: no soak."""
    faults: list[str] = field(default_factory=list)
    """Names of faults to inject (hil_tests/faults)."""
    meters: list[dict[str, Any]] = field(default_factory=list)
    """Tables `[[meters]]`, docs/energy.md."""
    energy: dict[str, Any] = field(default_factory=dict)
    """Table `[energy]`: how long and how often, docs/energy.md."""
    limits: dict[str, Amount] = field(default_factory=dict)
    scene: SceneChoice = field(default_factory=SceneChoice)
    imager: list[Imager] = field(default_factory=list)
    """Tables `[[imager]]`."""
    forms: list[FormChoice] = field(default_factory=list)
    """Tables `[[forms]]`; none: the form that every step codes by."""
    power: PowerMode = field(default_factory=PowerMode)
    options: dict[str, Any] = field(default_factory=dict)
    """The table named by the transport, read by its target."""

    def __post_init__(self) -> None:
        """Refuse limits on what no run finds."""
        for key in self.limits:
            if key not in LIMITS:
                raise BadArgument(f"{dotted('limits', key)}: not known, allowed {', '.join(LIMITS)}")

    @property
    def step_names(self) -> list[str]:
        """The steps of a run, in order."""
        return [*STEPS, *(f"fault {name}" for name in self.faults)]

    @property
    def executor_words(self) -> str:
        """The executor as the runtime takes it: `name`, or `name:provider,option=value`."""
        if not self.provider:
            return self.executor
        return ",".join([f"{self.executor}:{self.provider}", *(f"{k}={v}" for k, v in self.provider_options.items())])


def load_board(path: Path) -> Board:
    """Read and check a board file. Raises BadArgument on one line: what was found, what is allowed, and where."""
    where = board_file(path)
    text = read_file(path, where)
    values = toml_table(text, where)
    transport: Any = values.get("transport")
    options: dict[str, Any] = {}
    if transport in get_args(Transport):
        options = checked_value(dict[str, Any], values.pop(transport, {}), where, transport)
    sha256 = hashlib.sha256(text).hexdigest()
    return checked_table(Board, values, where, path=path.resolve(), sha256=sha256, options=options)


def board_file(path: Path) -> str:
    """What errors call a board file."""
    return f"board file {path}"

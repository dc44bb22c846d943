"""A board file: how a target is reached, what a run on it does, and the limits that it must meet (docs/hil.md)."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil_tests.board.toml_table import read_toml, table_of, tables
from hil_tests.findings.limits import LIMITS
from runtime.errors import BadArgument

TRANSPORTS = ("local", "ssh", "qemu", "labgrid")
LABELS = ("measured", "emulated", "simulated")
STEPS = ("bring-up", "deploy", "self-test", "encode", "decode", "soak", "energy")
STAGES = ("", "none", "fast", "best")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LONGEST_S = 1e6
"""Of a deadline: what the system's timers take."""


@dataclass(frozen=True)
class SceneChoice:
    """Table `[scene]`: what is compressed. 0 lines, bands or columns are all that the scene has."""

    name: str = "enmap_potsdam_a"
    """A scene of ../shared/scenes, `synthetic`, or a file, relative to the board file. Where a scene of that name is
    not there, the synthetic one stands in, and the report says so."""
    lines: int = 64
    bands: int = 0
    columns: int = 0
    short_lines: int = 16
    """Lines of a short run."""


@dataclass(frozen=True)
class Imager:
    """A table of `[[imager]]`: a recording that the measured latencies are held against."""

    lines_per_s: float
    name: str = "imager"
    bands: int = 0
    """0: as many as the scene. Else latencies are scaled by the samples of a line."""
    columns: int = 0
    duty_cycle: float = 1.0
    """Share of the time in which lines arrive; 1 is real time without pause."""
    buffer_lines: int = 64
    """Lines that may wait, the one in work included; one more is dropped."""
    recording_lines: int = 1000
    """Lines between two pauses."""


@dataclass(frozen=True)
class Board:
    """A whole board file."""

    name: str
    path: Path
    sha256: str
    """Of the file."""
    transport: str
    label: str = "measured"
    python: str = ""
    """The interpreter there, where the transport lets it be chosen; none: the transport's own choice."""
    package: str = "flight"
    """Flight package: a folder or zip, relative to the board file, or the name of a shipped one."""
    executor: str = "onnxruntime"
    provider: str = ""
    """Execution provider of the executor, where it takes one."""
    provider_options: dict[str, str] = field(default_factory=dict)
    stage: str = ""
    """Adaptive stage: none, fast or best; without a word the best that the package allows."""
    segment_lines: int = 64
    processors: list[int] = field(default_factory=list)
    """Numbers of the processors that the runtime may use; none: all."""
    variables: dict[str, str] = field(default_factory=dict)
    """Environment variables of the runtime there."""
    start_seconds: float = 600.0
    """Deadline for import, self-test and compilation there, each."""
    line_seconds: float = 60.0
    """Deadline for a sign of life while lines are coded; a reading comes every `reading_seconds`."""
    reading_seconds: float = 1.0
    soak_minutes: float = 5.0
    """0: no soak."""
    faults: list[str] = field(default_factory=list)
    """Names of faults to inject (hil_tests/faults)."""
    meters: list[dict[str, Any]] = field(default_factory=list)
    """Tables `[[meters]]`, docs/energy.md."""
    energy: dict[str, Any] = field(default_factory=dict)
    """Table `[energy]`: how long and how often, docs/energy.md."""
    limits: dict[str, float] = field(default_factory=dict)
    scene: SceneChoice = field(default_factory=SceneChoice)
    imagers: list[Imager] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    """The table named by the transport, read by its target."""

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
    where = f"board file {path}"
    text, values = read_toml(path, where)
    transport = values.get("transport")
    if transport not in TRANSPORTS:
        raise BadArgument(f"{where}: transport is {transport!r}, allowed {', '.join(TRANSPORTS)}")
    more = {
        "path": path.resolve(), "sha256": hashlib.sha256(text).hexdigest(), "options": values.pop(transport, {}),
        "imagers": [table_of(Imager, entry, f"{where}: [[imager]]") for entry in tables(values, "imager", where)],
        "scene": table_of(SceneChoice, values.pop("scene", {}), f"{where}: [scene]"),
    }  # fmt: skip
    if not isinstance(more["options"], dict):
        raise BadArgument(f"{where}: {transport} is {more['options']!r}, allowed a table")
    board = table_of(Board, values, where, more)
    check_board(board, where)
    return board


def check_board(board: Board, where: str) -> None:
    """Raise BadArgument where a value is outside its range."""
    if not NAME.fullmatch(board.name):
        raise BadArgument(f"{where}: name is {board.name!r}, allowed letters, digits, '_', '.', '-'")
    for name in board.variables:
        if not VARIABLE.fullmatch(name):
            raise BadArgument(f"{where}: variables: name is {name!r}, allowed letters, digits, '_'")
    for key, value, allowed in (("label", board.label, LABELS), ("stage", board.stage, STAGES)):
        if value not in allowed:
            raise BadArgument(f"{where}: {key} is {value!r}, allowed {', '.join(filter(None, allowed))}")
    at_least = [
        ("segment_lines", board.segment_lines, 1), ("soak_minutes", board.soak_minutes, 0),
        ("scene.lines", board.scene.lines, 0), ("scene.bands", board.scene.bands, 0),
        ("scene.columns", board.scene.columns, 0), ("scene.short_lines", board.scene.short_lines, 1),
        *(("processors", index, 0) for index in board.processors),
        *((f"limits.{key}", value, 0) for key, value in board.limits.items()),
        *(("imager.buffer_lines", imager.buffer_lines, 1) for imager in board.imagers),
        *(("imager.recording_lines", imager.recording_lines, 1) for imager in board.imagers),
        *(("imager.bands", imager.bands, 0) for imager in board.imagers),
        *(("imager.columns", imager.columns, 0) for imager in board.imagers),
    ]  # fmt: skip
    for key, number, smallest in at_least:
        if number < smallest:
            raise BadArgument(f"{where}: {key} is {number:g}, allowed at least {smallest}")
    above_0 = [
        ("start_seconds", board.start_seconds), ("line_seconds", board.line_seconds),
        ("reading_seconds", board.reading_seconds),
        *(("imager.lines_per_s", imager.lines_per_s) for imager in board.imagers),
        *(("imager.duty_cycle", imager.duty_cycle) for imager in board.imagers),
    ]  # fmt: skip
    for key, number in above_0:
        if number <= 0:
            raise BadArgument(f"{where}: {key} is {number:g}, allowed more than 0")
        if number > LONGEST_S:
            raise BadArgument(f"{where}: {key} is {number:g}, allowed {LONGEST_S:g} at most")
    for imager in board.imagers:
        if imager.duty_cycle > 1:
            raise BadArgument(f"{where}: imager.duty_cycle is {imager.duty_cycle:g}, allowed 1 at most")
    for key in board.limits:
        if key not in LIMITS:
            raise BadArgument(f"{where}: limits.{key} is not known, allowed {', '.join(LIMITS)}")

"""All that is known of an experiment: what results.json holds and the page shows."""

import shlex
import sys
from dataclasses import dataclass
from typing import Any

import msgspec

from export.commands import working_commit
from export.paper.cost import Plan
from export.paper.results import Curve, Row
from runtime.target.target_counters import processor


@dataclass(frozen=True)
class Training:
    """Where the network comes from."""

    checkpoint: str
    sha256: str
    epochs_done: int
    epochs: int
    machines: tuple[str, ...]
    """That trained it; empty where its folder does not say."""
    hours: float | None
    """Of training; None where its folder does not say."""


@dataclass(frozen=True)
class Machine:
    """What wrote the page, and by which source."""

    command: str
    commit: str
    processor: str
    python: str

    @property
    def place(self) -> str:
        """As results of patches say it."""
        return f"{self.processor}, commit {self.commit}"


@dataclass(frozen=True)
class Record:
    """One experiment."""

    split: str
    n_coded: int
    """Patches."""
    n_test: int
    differences: tuple[str, ...]
    """From the printed experiment; empty where there are none."""
    training: Training
    rows: tuple[Row, ...]
    curves: tuple[Curve, ...]
    plan: Plan
    coding_hours: float
    """Of one core for the whole split."""
    machine: Machine
    coded_on: tuple[str, ...]
    """Processor and commit of each place where patches were coded; speeds are of these."""

    def row(self, method: str) -> Row:
        """The row of a method."""
        return next(row for row in self.rows if row.method == method)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        return {**values, "plan": self.plan.to_dict()}


def this_machine() -> Machine:
    """The command that runs, and what it runs on."""
    command = shlex.join(["linerwkv", "paper", *sys.argv[1 + ("paper" in sys.argv[1:2]) :]])
    return Machine(command, working_commit()[:12], processor(), sys.version.split()[0])

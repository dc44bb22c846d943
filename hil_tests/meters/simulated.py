"""A meter of this machine in software: idle power, and power for each processor that a program of ours keeps busy.

What it says follows from processor time by the two numbers of its table. It shows that a run, its report and what is
made of it work, and nothing of a machine: all its figures are labelled `simulated`.
"""

import os
import time
from pathlib import Path

from typing_extensions import override

from hil_tests.meters.meter import MeterFailed
from hil_tests.meters.polled_meter import Source

SIMULATED = "simulated"
USER_TIME = 11
"""Column of /proc/PID/stat behind the name, counted from 0; that of system time follows."""


class SimulatedSource(Source):
    """A `Source` of joules: idle_watts * time + busy_watts * processor seconds of this program's children."""

    rails = ("board",)
    is_counter = True
    update_s: float | None = 0.01
    caveat = "simulated from processor time, no meter"
    label = SIMULATED

    def __init__(self, idle_watts: float, busy_watts: float) -> None:
        self.idle_watts, self.busy_watts = idle_watts, busy_watts

    @override
    def open(self) -> None:
        if not Path(f"/proc/self/task/{os.getpid()}/children").exists():
            raise MeterFailed("simulated: no /proc/self/task/*/children, so no processor time")

    @override
    def read(self) -> list[float]:
        before = time.monotonic()
        busy_s = children_seconds(os.getpid())
        middle = (before + time.monotonic()) / 2  # as the sample is stamped, so that idle power is what the table says
        return [self.idle_watts * middle + self.busy_watts * busy_s]

    @override
    def close(self) -> None:
        """Nothing is held."""


def children_seconds(parent: int) -> float:
    """Processor seconds, user and system, of the processes that a process started and that still run."""
    ticks = 0
    for children in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in texts_of(children).split():
            columns = texts_of(Path(f"/proc/{child}/stat")).rpartition(") ")[2].split()  # the name may hold blanks
            ticks += sum(int(value) for value in columns[USER_TIME : USER_TIME + 2])
    return ticks / os.sysconf("SC_CLK_TCK")


def texts_of(path: Path) -> str:
    """The text of a file of /proc, empty where what it is of has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""

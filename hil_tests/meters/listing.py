"""The verb `linerwkv hil meters`: what this machine or a board can meter, with one reading of each rail."""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from hil_tests.board.board import board_file, load_board
from hil_tests.meters.meter import Meter, MeterFailed, PowerTrace
from hil_tests.meters.meter_factory import make_meters
from hil_tests.meters.this_machine import ThisMachine
from hil_tests.places.runtime_wheel import build_runtime_wheel
from hil_tests.targets.target_factory import make_target
from runtime.command_options import json_option

OF_A_TARGET = ("hwmon", "jetson", "rapl")
KINDS_HERE = (*OF_A_TARGET, "nvml")
"""The other kinds need an address or a file, which a board file gives."""
READINGS = 5
"""Asked for in the time of each meter, where no board file says how often."""


@dataclass(frozen=True)
class Reading:
    """Mean power of a rail over a moment, or why the meter has none."""

    kind: str
    """Name of the meter, its kind where it has no other."""
    rail: str
    watts: float | None
    why_not: str
    samples_per_s: float | None = None
    """Reached."""
    values_per_s: float | None = None
    """Of those, samples that are not the same as the one before; a steady load repeats itself too."""


def readings_of(meter: Meter, seconds: float) -> list[Reading]:
    """A reading of every rail, or one without watts that says why."""
    try:
        meter.start()
        time.sleep(seconds)
        traces = meter.stop()
    except MeterFailed as error:
        return [Reading(meter.name, "", None, str(error))]
    return [reading_of(meter.name, rail, trace) for rail, trace in zip(meter.rails, traces, strict=True)]


def reading_of(name: str, rail: str, trace: PowerTrace) -> Reading:
    """Of one rail."""
    steps = np.diff(trace.seconds)
    length = float(steps.sum())
    n_new = int(np.count_nonzero(np.diff(trace.watts)))
    why = f"{trace.label}: {trace.caveat}" if trace.label else trace.caveat
    watts = float(np.average(trace.watts[1:], weights=steps))
    return Reading(name, rail, watts, why, len(steps) / length, n_new / length)


def local_meters(root: str, seconds: float) -> list[Reading]:
    """A reading of every rail of every kind that needs no address, one without watts for a kind that is not here.

    root: of sysfs. seconds: how long each kind is read.
    """
    with tempfile.TemporaryDirectory() as folder:
        meters = make_meters(tables_of(KINDS_HERE, root, seconds), ThisMachine(Path(folder)))
        return [reading for meter in meters for reading in readings_of(meter, seconds)]


def tables_of(kinds: Sequence[str], root: str, seconds: float) -> list[Mapping[str, Any]]:
    """A table of each kind as a board file would have it."""
    return [
        {"kind": kind, "period_s": seconds / READINGS, **({} if kind == "nvml" else {"root": root})} for kind in kinds
    ]


def board_meters(path: Path, beside: Path, root: str, seconds: float) -> list[Reading]:
    """The same of a board: the meters of its file, or what it has by itself where the file names none.

    The board is brought up and the runtime deployed, as a run does. beside: as `make_target`, for the wheel too. Raises
    BadArgument, TargetFailed.
    """
    board = load_board(path)
    target = make_target(board, beside / board.name)
    tables = board.meters or tables_of(OF_A_TARGET, root, seconds)
    meters = make_meters(tables, target, board_file(board.path))
    try:
        target.bring_up()
        target.deploy(build_runtime_wheel(beside / board.name / "wheel"))
        return [reading for meter in meters for reading in readings_of(meter, seconds)]
    finally:
        target.close()


@click.command("meters")
@click.option("--board", "board", type=click.Path(path_type=Path), help="A board file: its meters, on the board.")
@click.option("--root", default="/sys", show_default=True, help="Where sysfs is.")
@click.option("--seconds", default=0.5, show_default=True, type=click.FloatRange(0.1, 60), help="Time for each meter.")
@json_option
def meters_command(board: Path | None, root: str, seconds: float, as_json: bool) -> None:
    """Show the power meters of this machine or of a board, with a live reading and the sampling rate reached."""
    readings = local_meters(root, seconds) if board is None else board_meters(board, Path("hil_output"), root, seconds)
    if as_json:
        click.echo(json.dumps([asdict(reading) for reading in readings]))
        return
    for reading in readings:
        if reading.watts is None:
            click.echo(f"{reading.kind:10} {'not there':>12}  {reading.why_not}")
            continue
        rates = f"{reading.samples_per_s:6.1f} samples/s, {reading.values_per_s:6.1f} new"
        note = f"; {reading.why_not}" if reading.why_not else ""
        click.echo(f"{reading.kind:10} {reading.watts:10.3f} W  {rates}  {reading.rail}{note}")

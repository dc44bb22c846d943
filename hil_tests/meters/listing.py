"""The verb `linerwkv hil meters`: what this machine can meter by itself, with one reading of each rail."""

import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from hil_tests.meters.meter import MeterFailed
from hil_tests.meters.meter_factory import make_meters
from hil_tests.meters.this_machine import ThisMachine

KINDS_HERE = ("hwmon", "jetson", "rapl", "nvml")
"""The other kinds need an address or a file, which a board file gives."""


@dataclass(frozen=True)
class Reading:
    """Mean power of a rail over a moment, or why the kind has none."""

    kind: str
    rail: str
    watts: float | None
    why_not: str


def local_meters(root: str, seconds: float) -> list[Reading]:
    """A reading of every rail of every kind that needs no address, one without watts for a kind that is not here.

    root: of sysfs. seconds: how long each kind is read.
    """
    readings = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS_HERE:
            options = {} if kind == "nvml" else {"root": root}
            entry = {"kind": kind, "period_s": seconds / 5, **options}
            (meter,) = make_meters([entry], ThisMachine(Path(folder)))
            try:
                meter.start()
                time.sleep(seconds)
                traces = meter.stop()
            except MeterFailed as error:
                readings.append(Reading(kind, "", None, str(error)))
                continue
            for rail, trace in zip(meter.rails, traces, strict=True):
                readings.append(Reading(kind, rail, float(trace.watts[1:].mean()), ""))
    return readings


@click.command("meters")
@click.option("--root", default="/sys", show_default=True, help="Where sysfs is.")
@click.option("--seconds", default=0.5, show_default=True, type=click.FloatRange(0.1, 60), help="Time for each kind.")
@click.option("--json", "as_json", is_flag=True, help="Print the readings as JSON.")
def meters_command(root: str, seconds: float, as_json: bool) -> None:
    """Show the power meters of this machine, with one live reading of each; more kinds are in docs/energy.md."""
    readings = local_meters(root, seconds)
    if as_json:
        click.echo(json.dumps([asdict(reading) for reading in readings]))
        return
    for reading in readings:
        value = "not here" if reading.watts is None else f"{reading.watts:10.3f} W"
        click.echo(f"{reading.kind:8}{value:>14}  {reading.rail or reading.why_not}")

"""Meters from the `[[meters]]` tables of a board file (docs/energy.md)."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from hil_tests.board.board import Amount, Seconds
from hil_tests.meters.csv_file import read_csv
from hil_tests.meters.joulescope_file import UNTESTED, read_jls
from hil_tests.meters.meter import Meter
from hil_tests.meters.nvml import NvmlSource
from hil_tests.meters.polled_meter import PolledMeter
from hil_tests.meters.recorded_meter import RecordedMeter
from hil_tests.meters.scpi import ScpiSource
from hil_tests.meters.simulated import SimulatedSource
from hil_tests.meters.sysfs_meter import SysfsMeter
from hil_tests.meters.this_machine import ThisMachine
from hil_tests.targets.local import LocalTarget
from hil_tests.targets.target import Target
from runtime.checked_table import AtLeast0, Text, checked_table, shown, wrong
from runtime.errors import BadArgument

NOT_STATED = "not stated"
Names = Sequence[Text]
Products = Annotated[Mapping[Text, Annotated[Sequence[Text], Meta(min_length=1)]], Meta(min_length=1)]
Character = Annotated[str, Meta(min_length=1, max_length=1, description="one character")]


def sysfs(
    kind: str,
    name: Text,
    target: Target,
    *,
    root: Text = "/sys",
    period_s: Seconds = 0.1,
    rails: Names = (),
    accuracy: Text = NOT_STATED,
) -> Meter:
    """Sensors below `root` of the target, all rails or these."""
    return SysfsMeter(name, kind, target, root=root, period_s=period_s, rails=list(rails), accuracy=accuracy)


def nvml(
    name: Text, target: Target, *, device: AtLeast0 = 0, period_s: Seconds = 0.1, accuracy: Text = NOT_STATED
) -> Meter:
    """An NVIDIA device of this machine."""
    return PolledMeter(name, NvmlSource(device), period_s=period_s, accuracy=accuracy)


def scpi(
    name: Text,
    target: Target,
    *,
    resource: Text,
    rails: Products = {"output": ("MEAS:VOLT?", "MEAS:CURR?")},  # noqa: B006  # a Mapping, not changed
    backend: Text = "@py",
    period_s: Seconds = 0.1,
    timeout_s: Seconds = 2.0,
    update_s: Seconds | None = None,
    accuracy: Text = NOT_STATED,
) -> Meter:
    """An instrument on the bench, of each rail the queries whose answers are multiplied."""
    source = ScpiSource(resource, backend=backend, rails=rails, timeout_s=timeout_s, update_s=update_s)
    return PolledMeter(name, source, period_s=period_s, accuracy=accuracy)


def csv(
    name: Text,
    target: Target,
    *,
    path: Text,
    time: Text,
    rails: Products,
    delimiter: Character = ",",
    integrating: bool = False,
    pulse_s: Seconds = 0.5,
    wait_s: Amount = 0.0,
    accuracy: Text = NOT_STATED,
) -> Meter:
    """A file that an external instrument writes, of each rail the columns that are multiplied."""
    read = partial(
        read_csv, Path(path), time=time, rails=rails, delimiter=delimiter, is_integrating=integrating
    )  # fmt: skip
    return RecordedMeter(
        name, target, read, rails=tuple(rails), pulse_s=pulse_s, wait_s=wait_s, accuracy=accuracy, caveat=""
    )


def joulescope(
    name: Text,
    target: Target,
    *,
    path: Text,
    signal: Text = "power",
    period_s: Seconds = 0.001,
    pulse_s: Seconds = 0.5,
    wait_s: Amount = 0.0,
    accuracy: Text = NOT_STATED,
) -> Meter:
    """A JLS file that a Joulescope's software writes."""
    read = partial(read_jls, Path(path), signal=signal, period_s=period_s)
    return RecordedMeter(
        name, target, read, rails=(signal,), pulse_s=pulse_s, wait_s=wait_s, accuracy=accuracy, caveat=UNTESTED
    )


def simulated(name: Text, target: Target, *, idle_watts: Amount, busy_watts: Amount, period_s: Seconds = 0.05) -> Meter:
    """No meter: what a local target would draw, from its processor time by these two numbers. Raises BadArgument."""
    if not isinstance(target, LocalTarget | ThisMachine):
        raise BadArgument("kind: found simulated, allowed with transport local alone")
    return PolledMeter(name, SimulatedSource(idle_watts, busy_watts), period_s=period_s, accuracy="simulated")


KINDS: Mapping[str, Callable[..., Meter]] = {
    "hwmon": partial(sysfs, "hwmon"),
    "jetson": partial(sysfs, "jetson"),
    "rapl": partial(sysfs, "rapl"),
    "nvml": nvml,
    "scpi": scpi,
    "csv": csv,
    "joulescope": joulescope,
    "simulated": simulated,
}


def make_meters(entries: Sequence[Mapping[str, Any]], target: Target, where: str = "board file") -> list[Meter]:
    """The meters of the tables, in their order; nothing is opened before they start. `where`: the file, for errors.

    Raises BadArgument for an unknown kind or key, a missing key, a wrong value, or a name that is there twice.
    """
    meters: list[Meter] = []
    for index, entry in enumerate(entries):
        at = f"meters[{index}]"
        kind = entry.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise wrong(where, f"{at}.kind", kind, ", ".join(map(shown, KINDS)))
        options = {"name": kind, **{key: value for key, value in entry.items() if key != "kind"}}
        meter = checked_table(KINDS[kind], options, where, at, target=target)
        if meter.name in [other.name for other in meters]:
            raise wrong(where, f"{at}.name", meter.name, "a name that no meter before it has")
        meters.append(meter)
    return meters

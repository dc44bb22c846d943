"""Meters from the `[[meters]]` tables of a board file (docs/energy.md)."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hil_tests.meters.csv_file import read_csv
from hil_tests.meters.joulescope_file import UNTESTED, read_jls
from hil_tests.meters.meter import Meter
from hil_tests.meters.nvml import NvmlSource
from hil_tests.meters.polled_meter import PolledMeter
from hil_tests.meters.recorded_meter import RecordedMeter
from hil_tests.meters.scpi import ScpiSource
from hil_tests.meters.sysfs_meter import SysfsMeter
from hil_tests.targets.target import Target
from runtime.errors import BadArgument

NOT_STATED = "not stated"
Names = Sequence[str]
Products = Mapping[str, Sequence[str]]


def sysfs(
    kind: str,
    name: str,
    target: Target,
    *,
    root: str = "/sys",
    period_s: float = 0.1,
    rails: Names = (),
    accuracy: str = NOT_STATED,
) -> Meter:
    """Sensors below `root` of the target, all rails or these."""
    return SysfsMeter(name, kind, target, root=root, period_s=period_s, rails=list(rails), accuracy=accuracy)


def nvml(name: str, target: Target, *, device: int = 0, period_s: float = 0.1, accuracy: str = NOT_STATED) -> Meter:
    """An NVIDIA device of this machine."""
    return PolledMeter(name, NvmlSource(device), period_s=period_s, accuracy=accuracy)


def scpi(
    name: str,
    target: Target,
    *,
    resource: str,
    rails: Products = {"output": ("MEAS:VOLT?", "MEAS:CURR?")},  # noqa: B006  # a Mapping, not changed
    backend: str = "@py",
    period_s: float = 0.1,
    timeout_s: float = 2.0,
    update_s: float | None = None,
    accuracy: str = NOT_STATED,
) -> Meter:
    """An instrument on the bench, of each rail the queries whose answers are multiplied."""
    source = ScpiSource(resource, backend=backend, rails=rails, timeout_s=timeout_s, update_s=update_s)
    return PolledMeter(name, source, period_s=period_s, accuracy=accuracy)


def csv(
    name: str,
    target: Target,
    *,
    path: str,
    time: str,
    rails: Products,
    delimiter: str = ",",
    integrating: bool = False,
    pulse_s: float = 0.5,
    wait_s: float = 0.0,
    accuracy: str = NOT_STATED,
) -> Meter:
    """A file that an external instrument writes, of each rail the columns that are multiplied."""
    read = partial(
        read_csv, Path(path), time=time, rails=rails, delimiter=delimiter, is_integrating=integrating
    )  # fmt: skip
    return RecordedMeter(
        name, target, read, rails=tuple(rails), pulse_s=pulse_s, wait_s=wait_s, accuracy=accuracy, caveat=""
    )


def joulescope(
    name: str,
    target: Target,
    *,
    path: str,
    signal: str = "power",
    period_s: float = 0.001,
    pulse_s: float = 0.5,
    wait_s: float = 0.0,
    accuracy: str = NOT_STATED,
) -> Meter:
    """A JLS file that a Joulescope's software writes."""
    read = partial(read_jls, Path(path), signal=signal, period_s=period_s)
    return RecordedMeter(
        name, target, read, rails=(signal,), pulse_s=pulse_s, wait_s=wait_s, accuracy=accuracy, caveat=UNTESTED
    )


KINDS: Mapping[str, Callable[..., Meter]] = {
    "hwmon": partial(sysfs, "hwmon"),
    "jetson": partial(sysfs, "jetson"),
    "rapl": partial(sysfs, "rapl"),
    "nvml": nvml,
    "scpi": scpi,
    "csv": csv,
    "joulescope": joulescope,
}


def make_meters(entries: Sequence[Mapping[str, Any]], target: Target) -> list[Meter]:
    """The meters of the tables, in their order; nothing is opened before they start.

    Raises BadArgument for an unknown kind or key, a missing key, a wrong value, or a name that is there twice.
    """
    meters: list[Meter] = []
    for number, entry in enumerate(entries, 1):
        where = f"meter {number} of the board file"
        kind = entry.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise BadArgument(f"{where}: kind {kind!r} is not known; known: {', '.join(KINDS)}")
        name = entry.get("name", kind)
        if not isinstance(name, str) or not name or name in [meter.name for meter in meters]:
            raise BadArgument(f"{where}: name {name!r} is empty, no text, or taken already")
        options = {key: value for key, value in entry.items() if key not in ("kind", "name")}
        check_options(KINDS[kind], options, f"{where} ({kind})")
        meters.append(KINDS[kind](name, target, **options))
    return meters


def check_options(make: Callable[..., Meter], options: Mapping[str, Any], where: str) -> None:
    """Raises BadArgument unless these are the keyword arguments of `make`, of the types that it states."""
    allowed = {
        key: parameter
        for key, parameter in inspect.signature(make).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    for key, value in options.items():
        if key not in allowed:
            raise BadArgument(f"{where}: key {key!r} is not known; known: {', '.join(allowed)}")
        wanted, is_right = VALUES[allowed[key].annotation]
        if not is_right(value) or (key.endswith("_s") and key != "wait_s" and value == 0):
            raise BadArgument(f"{where}: {key} = {value!r}; {wanted} is allowed")
    for key, parameter in allowed.items():
        if parameter.default is inspect.Parameter.empty and key not in options:
            raise BadArgument(f"{where}: key {key!r} is missing")


def is_number(value: object) -> bool:
    """Whether it is a finite number of 0 or more, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def is_names(value: object) -> bool:
    """Whether it is a list of texts."""
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def is_products(value: object) -> bool:
    """Whether it is a table with a list of one or more texts under each name, and not empty."""
    return isinstance(value, dict) and bool(value) and all(is_names(names) and names for names in value.values())


NUMBER = ("a number above 0 (0 too for wait_s)", is_number)
VALUES: Mapping[Any, tuple[str, Callable[[Any], bool]]] = {
    str: ("a text that is not empty", lambda value: isinstance(value, str) and bool(value)),
    bool: ("true or false", lambda value: isinstance(value, bool)),
    int: ("a whole number of 0 or more", lambda value: is_number(value) and isinstance(value, int)),
    float: NUMBER,
    float | None: NUMBER,
    Names: ("a list of texts", is_names),
    Products: ("a table of lists of texts that are multiplied", is_products),
}

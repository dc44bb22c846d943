"""Prints what a Linux machine's own power sensors read; copied to the target, it needs nothing but Python there.

    python -m sysfs_sampler KIND ROOT PERIOD_S [RAIL ...]

First a line of JSON, `{"rails": [names], "update_s": number or null, "ranges": [number or null]}` or `{"error": text}`;
then a line `S time value ...` for each sample, in seconds of the monotonic clock and watts, or joules where the rail
has a range. A line read is answered by `C time`, for the relation of the clocks; the end of the input is the end.
"""

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import NamedTuple

RAPL_UPDATE_S = 0.001


class Rail(NamedTuple):
    """One thing metered: the product of the integers in `files`, times `scale`, in watts or joules."""

    name: str
    files: tuple[Path, ...]
    scale: float
    update_s: float | None = None
    counter_range: float | None = None
    """In joules, where the value is a counter that begins again at 0 after this."""


class NoSensor(Exception):
    """No such sensor, or it cannot be read; one line."""


def rails_of(kind: str, root: Path) -> list[Rail]:
    """The rails of a sysfs tree, in the order of their names. Raises NoSensor (none there)."""
    rails = {"hwmon": hwmon_rails, "jetson": jetson_rails, "rapl": rapl_rails}[kind](root)
    if not rails:
        raise NoSensor(f"{kind}: no power sensor under {root}")
    return distinct(rails)


def distinct(rails: list[Rail]) -> list[Rail]:
    """The rails, the second one of a name with ` #2` after it, and so on."""
    names = [rail.name for rail in rails]
    counts = [names[: index + 1].count(name) for index, name in enumerate(names)]
    return [
        rail if count == 1 else rail._replace(name=f"{rail.name} #{count}")
        for rail, count in zip(rails, counts, strict=True)
    ]


def hwmon_rails(root: Path) -> list[Rail]:
    """Every `power*_input` of the hwmon class in microwatts, and the three channels of every INA3221."""
    rails = []
    for folder in sorted((root / "class/hwmon").glob("hwmon*"), key=lambda path: (len(path.name), path.name)):
        name = text_of(folder / "name", "hwmon")
        device = folder / "device"
        chip = f"{name} {os.path.basename(os.path.realpath(device))}" if device.exists() else name  # noqa: PTH119
        if name == "ina3221":
            rails += ina3221_rails(folder, chip)
            continue
        for power in sorted([*folder.glob("power*_input"), *folder.glob("power*_average")]):
            channel = power.name.rsplit("_", 1)[0]
            if power.name.endswith("_average") and (folder / f"{channel}_input").exists():
                continue
            label = text_of(folder / f"{channel}_label", channel)
            rails.append(Rail(f"{chip} {label}", (power,), 1e-6, update_interval(folder)))
    return rails


def ina3221_rails(folder: Path, chip: str) -> list[Rail]:
    """The enabled channels of one INA3221: millivolts of the bus times milliamperes.

    Its `in4` to `in7` and `curr4` are shunts and sums, not rails.
    """
    rails = []
    for channel in (1, 2, 3):
        files = (folder / f"in{channel}_input", folder / f"curr{channel}_input")
        if all(file.exists() for file in files) and text_of(folder / f"in{channel}_enable", "1") != "0":
            label = text_of(folder / f"in{channel}_label", f"{chip} channel {channel}")
            rails.append(Rail(label, files, 1e-6, update_interval(folder)))
    return rails


def jetson_rails(root: Path) -> list[Rail]:
    """The labelled rails of a Jetson's INA3221: of its older kernels' IIO driver in milliwatts, else of hwmon."""
    rails = []
    for folder in sorted((root / "bus/i2c/drivers/ina3221x").glob("*/iio:device*")):
        for power in sorted(folder.glob("in_power*_input")):
            channel = power.name[len("in_power") : -len("_input")]
            name = text_of(folder / f"rail_name_{channel}", f"channel {channel}")
            rails.append(Rail(name, (power,), 1e-3))
    for folder in sorted((root / "class/hwmon").glob("hwmon*")):
        if text_of(folder / "name", "") == "ina3221":
            rails += ina3221_rails(folder, folder.name)
    return rails


def rapl_rails(root: Path) -> list[Rail]:
    """The energy counters of powercap's RAPL zones in microjoules, packages before their parts."""
    rails = []
    for folder in sorted((root / "class/powercap").glob("intel-rapl:*"), key=lambda path: (path.name.count(":"), path)):
        if (folder / "energy_uj").exists():
            number = folder.name.partition(":")[2]
            name = f"{text_of(folder / 'name', 'zone')} ({number})"
            largest = integer_of(folder / "max_energy_range_uj")
            rails.append(Rail(name, (folder / "energy_uj",), 1e-6, RAPL_UPDATE_S, largest * 1e-6))
    return rails


def update_interval(folder: Path) -> float | None:
    """Seconds between conversions as a hwmon driver states them, or None."""
    path = folder / "update_interval"
    return integer_of(path) * 1e-3 if path.exists() else None


def text_of(path: Path, default: str) -> str:
    """The words of a small file, or `default` where it is not there."""
    try:
        return " ".join(path.read_text(errors="replace").split()) or default
    except OSError:
        return default


def integer_of(path: Path) -> int:
    """The integer in a sysfs file. Raises NoSensor."""
    try:
        return int(path.read_text(errors="replace"))
    except OSError as error:
        raise NoSensor(
            f"{path}: {error.strerror}{' (root only?)' if isinstance(error, PermissionError) else ''}"
        ) from None
    except ValueError:
        raise NoSensor(f"{path}: not an integer") from None


def value_of(rail: Rail) -> float:
    """Watts or joules now. Raises NoSensor."""
    value = rail.scale
    for file in rail.files:
        value *= integer_of(file)
    return value


def chosen(rails: list[Rail], names: list[str]) -> list[Rail]:
    """The rails of these names in this order, all where none is named. Raises NoSensor (unknown name)."""
    by_name = {rail.name: rail for rail in rails}
    for name in names:
        if name not in by_name:
            raise NoSensor(f"rail {name!r} is not there; there are: {', '.join(by_name)}")
    return [by_name[name] for name in names] or rails


def sample(rails: list[Rail], period_s: float) -> None:
    """Print samples and answer questions until the input ends. Raises NoSensor."""
    questions = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115  # a buffer would hide lines from select
    due = time.monotonic()
    while True:
        wait = max(0.0, due - time.monotonic())
        if select.select([questions], [], [], wait)[0]:
            if not questions.readline():
                return
            print("C", repr(time.monotonic()), flush=True)
        if time.monotonic() >= due:
            before = time.monotonic()
            values = [value_of(rail) for rail in rails]
            print("S", repr((before + time.monotonic()) / 2), *map(repr, values), flush=True)
            due = max(due + period_s, time.monotonic())


def main() -> None:
    """Sample as the arguments say."""
    kind, root, period_s, *names = sys.argv[1:]
    try:
        rails = chosen(rails_of(kind, Path(root)), names)
        updates = [rail.update_s for rail in rails if rail.update_s is not None]
        [value_of(rail) for rail in rails]
        header = {
            "rails": [rail.name for rail in rails],
            "update_s": max(updates) if updates else None,
            "ranges": [rail.counter_range for rail in rails],
        }
        print(json.dumps(header), flush=True)
        sample(rails, float(period_s))
    except NoSensor as error:
        print(json.dumps({"error": str(error)}), flush=True)


if __name__ == "__main__":
    main()

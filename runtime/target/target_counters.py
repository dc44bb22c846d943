"""Clocks, temperature and processor of a target as its Linux reports them; None where it does not."""

import contextlib
import os
from pathlib import Path

SYSTEM = Path("/sys")
PROCESSES = Path("/proc")


def numbers(paths: list[Path]) -> list[float]:
    """The numbers that stand alone in files; those that cannot be read are left out, as drivers refuse at times."""
    found = []
    for path in paths:
        with contextlib.suppress(OSError, ValueError):
            found.append(float(path.read_text()))
    return found


def rows(path: Path) -> list[tuple[str, str]]:
    """The lines `name: value` of a file."""
    parts = (line.partition(":") for line in path.read_text().splitlines())
    return [(name.strip(), value.strip()) for name, _, value in parts]


def clock_mhz() -> float | None:
    """Mean clock of the processors that this process may use."""
    here = sorted(os.sched_getaffinity(0))
    folder = SYSTEM / "devices/system/cpu"
    kilohertz = numbers([folder / f"cpu{index}/cpufreq/scaling_cur_freq" for index in here])
    if kilohertz:
        return sum(kilohertz) / len(kilohertz) / 1e3
    megahertz = [float(value) for name, value in rows(PROCESSES / "cpuinfo") if name == "cpu MHz"]
    chosen = [megahertz[index] for index in here if index < len(megahertz)]
    return sum(chosen) / len(chosen) if chosen else None


def temperature_c() -> float | None:
    """The hottest thermal zone."""
    found = numbers(sorted(SYSTEM.glob("class/thermal/thermal_zone*/temp")))
    return max(found) / 1e3 if found else None


def processor() -> str:
    """The processor's name as Linux gives it, else the architecture."""
    named = dict(reversed(rows(PROCESSES / "cpuinfo")))
    machine = os.uname().machine
    for key in ("model name", "Model", "Hardware"):
        if named.get(key):
            return f"{named[key]} ({machine})"
    return f"{machine}, part {named['CPU part']}" if "CPU part" in named else machine

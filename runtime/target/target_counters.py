"""What the Linux of a target tells of itself while it works: clocks, temperature, memory; None where it does not."""

import os
from pathlib import Path

SYSTEM = Path("/sys")
PROCESSES = Path("/proc")
RESET_PEAK = "5"
"""Written to clear_refs it makes the peak of resident memory begin anew (Linux, proc(5))."""


def numbers(paths: list[Path]) -> list[float]:
    """The numbers that stand alone in files; those that cannot be read are left out, as drivers refuse at times."""
    found = []
    for path in paths:
        try:
            found.append(float(path.read_text()))
        except (OSError, ValueError):
            continue
    return found


def clock_mhz() -> float | None:
    """Mean clock of the processors that this process may use."""
    here = sorted(os.sched_getaffinity(0))
    folder = SYSTEM / "devices/system/cpu"
    kilohertz = numbers([folder / f"cpu{index}/cpufreq/scaling_cur_freq" for index in here])
    if kilohertz:
        return sum(kilohertz) / len(kilohertz) / 1e3
    rows = [line.partition(":") for line in (PROCESSES / "cpuinfo").read_text().splitlines()]
    megahertz = [float(value) for name, _, value in rows if name.strip() == "cpu MHz"]
    chosen = [megahertz[index] for index in here if index < len(megahertz)]
    return sum(chosen) / len(chosen) if chosen else None


def temperature_c() -> float | None:
    """The hottest thermal zone."""
    found = numbers(sorted(SYSTEM.glob("class/thermal/thermal_zone*/temp")))
    return max(found) / 1e3 if found else None


def reset_peak_memory() -> None:
    """Let the peak begin at the memory held now; where that is refused, it stays the peak of the whole process."""
    try:
        (PROCESSES / "self/clear_refs").write_text(RESET_PEAK)
    except OSError:
        return


def peak_memory_mib() -> float | None:
    """The largest resident memory of this process since the last reset, libraries included."""
    for line in (PROCESSES / "self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) / 1024
    return None


def processor() -> str:
    """The processor's name as Linux gives it, else the architecture."""
    rows = [line.partition(":") for line in (PROCESSES / "cpuinfo").read_text().splitlines()]
    named = {name.strip(): value.strip() for name, _, value in reversed(rows)}
    machine = os.uname().machine
    for key in ("model name", "Model", "Hardware"):
        if named.get(key):
            return f"{named[key]} ({machine})"
    return f"{machine}, part {named['CPU part']}" if "CPU part" in named else machine

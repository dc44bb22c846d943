"""Power mode and clocks of a target: set by name as the board file says, and read back."""

import re
from collections.abc import Sequence

from hil_tests.board.board import PowerMode
from hil_tests.targets.target import Target, TargetFailed

NVPMODEL_FILE = "/etc/nvpmodel.conf"
GOVERNORS = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"
MODE = re.compile(r"POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)")
MODE_NOW = re.compile(r"NV Power Mode:\s*(\S+)")
CLOCKS = re.compile(r"^(\w+):?\s.*MinFreq=(\d+)\s+MaxFreq=(\d+)\s+CurrentFreq=(\d+)", re.MULTILINE)


def set_power_mode(target: Target, mode: PowerMode) -> dict[str, str]:
    """What the target says of each key that the board file names, after it was set; empty where it names none.

    Raises TargetFailed: a mode or governor that is not there, no right to set it, or another one read back.
    """
    root = ["sudo", "-n"] if mode.sudo else []
    said = {}
    if mode.nvpmodel:
        said["nvpmodel"] = set_nvpmodel(target, mode.nvpmodel, root)
    if mode.governor:
        said["governor"] = set_governor(target, mode.governor, root)
    if mode.jetson_clocks:
        said["jetson_clocks"] = pin_clocks(target, root)
    return said


def set_nvpmodel(target: Target, wanted: str, root: Sequence[str]) -> str:
    """A Jetson's power mode, by its name; a mode that needs a reboot is an error that says so."""
    numbers = {name: number for number, name in MODE.findall(target.shell(["cat", NVPMODEL_FILE]))}
    if wanted not in numbers:
        raise TargetFailed(f"{target.name}: nvpmodel: no mode {wanted}, there are {', '.join(numbers) or 'none'}")
    if nvpmodel_now(target, root) != wanted:
        target.shell([*root, "nvpmodel", "-m", numbers[wanted]])
    found = nvpmodel_now(target, root)
    if found != wanted:
        raise TargetFailed(f"{target.name}: nvpmodel: {wanted} was set, {found} is read back; a reboot may be needed")
    return found


def nvpmodel_now(target: Target, root: Sequence[str]) -> str:
    """The name of the mode that a Jetson is in."""
    found = MODE_NOW.search(target.shell([*root, "nvpmodel", "-q"]))
    if found is None:
        raise TargetFailed(f"{target.name}: nvpmodel -q names no mode")
    return found[1]


def set_governor(target: Target, wanted: str, root: Sequence[str]) -> str:
    """The governor of every processor that has one."""
    target.shell([*root, "sh", "-c", f"for file in {GOVERNORS}; do echo {wanted} > $file || exit 1; done"])
    found = sorted(set(target.shell(["sh", "-c", f"cat {GOVERNORS}"]).split()))
    if found != [wanted]:
        raise TargetFailed(f"{target.name}: governor: {wanted} was set, {', '.join(found) or 'none'} is read back")
    return wanted


def pin_clocks(target: Target, root: Sequence[str]) -> str:
    """A Jetson's clocks at the highest of its mode, `cpu0 1510400` and so on in kHz, as `jetson_clocks --show` has it.

    Lines that it prints in another form are left out; one of a processor is needed.
    """
    target.shell([*root, "jetson_clocks"])
    clocks = CLOCKS.findall(target.shell([*root, "jetson_clocks", "--show"]))
    processors = [clock for clock in clocks if clock[0].startswith("cpu")]
    if not processors:
        raise TargetFailed(f"{target.name}: jetson_clocks --show names no clock of a processor")
    for name, lowest, highest, _ in processors:
        if lowest != highest:
            raise TargetFailed(f"{target.name}: jetson_clocks: {name} runs from {lowest} to {highest} kHz, not pinned")
    return ", ".join(f"{name} {now}" for name, _, _, now in clocks)

"""The memory of this process as Linux reports it; None where nothing does."""

import contextlib
from pathlib import Path

PROCESS = Path("/proc/self")


def reset_peak_memory() -> None:
    """Let the peak begin at the memory held now; where that is refused, it stays the peak of the whole process."""
    with contextlib.suppress(OSError):
        (PROCESS / "clear_refs").write_text("5")  # of Linux, proc(5)


def memory_mib() -> float | None:
    """The resident memory of this process now, libraries included."""
    return status_mib("VmRSS")


def peak_memory_mib() -> float | None:
    """The largest resident memory of this process since the last reset, libraries included."""
    return status_mib("VmHWM")


def status_mib(name: str) -> float | None:
    """A number of kB in the status of this process."""
    with contextlib.suppress(OSError):
        for line in (PROCESS / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
    return None

"""A power meter, as timestamped samples on this machine's monotonic clock."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from runtime.errors import LineRwkvError


class MeterFailed(LineRwkvError):
    """A meter is not there, cannot be read, or what it says makes no sense; the run goes on without it."""


@dataclass(frozen=True)
class PowerTrace:
    """Samples of one meter, sorted by time.

    seconds: (N,) float64, `time.monotonic` of the machine that runs the harness. watts: (N,) float64, mean power over
    the time since the sample before where the meter integrates (the first sample then stands for no time), else power
    at that time.
    """

    meter: str
    seconds: npt.NDArray[np.float64]
    watts: npt.NDArray[np.float64]
    is_integrating: bool
    accuracy: str
    """As its maker states it, or `not stated`."""
    update_s: float | None = None
    """Time between new values in the meter itself, where it is known."""
    clock_uncertainty_s: float = 0.0
    """How far `seconds` may be off, where the meter's clock is not ours."""
    caveat: str = ""
    """What the report must say beside the figures."""
    label: str = ""
    """What its figures may be called, where that is not the label of the target."""


class Meter(Protocol):
    """Starts and stops sampling; a failure of it never ends a run."""

    name: str
    rails: tuple[str, ...]
    """What it meters, for the report: `package`, `VDD_IN`, `channel 1`. May be empty before `start`.

    The first one decides whether a result is narrow enough, and stands for the meter where one figure is asked for.
    """

    def start(self) -> None:
        """Begin to sample, in a thread or in the instrument. Raises MeterFailed."""

    def stop(self) -> list[PowerTrace]:
        """End sampling; one trace for each rail, in their order. `start` may follow again. Raises MeterFailed."""

"""A power meter, as timestamped samples on this machine's monotonic clock."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class PowerTrace:
    """Samples of one meter, sorted by time.

    seconds: (N,) float64, `time.monotonic` of the machine that runs the harness. watts: (N,) float64, mean power over
    the time since the sample before where the meter integrates, else power at that time.
    """

    meter: str
    seconds: npt.NDArray[np.float64]
    watts: npt.NDArray[np.float64]
    is_integrating: bool
    accuracy: str
    """As its maker states it, or `not stated`."""


class Meter(Protocol):
    """Starts and stops sampling; a failure of it never ends a run."""

    name: str
    rails: tuple[str, ...]
    """What it meters, for the report: `package`, `VDD_IN`, `channel 1`."""

    def start(self) -> None:
        """Begin to sample, in a thread or in the instrument. Raises MeterFailed."""

    def stop(self) -> list[PowerTrace]:
        """End sampling; one trace for each rail. Raises MeterFailed."""

"""Sensors that Linux shows as files, read on the target by a program there: hwmon (INA2xx), Jetson rails, RAPL."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from typing_extensions import override

from hil_tests.meters import sysfs_sampler
from hil_tests.meters.clocks import RoundTrip, clock_from_round_trips
from hil_tests.meters.counters import counted, mean_power
from hil_tests.meters.meter import Meter, MeterFailed, PowerTrace
from hil_tests.meters.target_program import TargetProgram, numbers_of
from hil_tests.targets.target import Target


class SysfsMeter(Meter):
    """A `Meter` of one kind, `hwmon`, `jetson` or `rapl`, below `root` of the target's file system."""

    def __init__(
        self, name: str, kind: str, target: Target, *, root: str, period_s: float, rails: list[str], accuracy: str
    ) -> None:
        """rails: names in the order wanted, all of them where empty; the sensors are looked for when it starts."""
        self.name, self.kind, self.target = name, kind, target
        self.root, self.period_s, self.accuracy = root, period_s, accuracy
        self.wanted = rails
        self.rails = tuple(rails)

    @override
    def start(self) -> None:
        arguments = (self.kind, self.root, str(self.period_s), *self.wanted)
        self.program = TargetProgram(self.target, Path(sysfs_sampler.__file__), *arguments)
        try:
            self.header = header_of(self.program.next_line())
            self.rails = self.header.rails
            self.before = self.program.round_trips()
        except MeterFailed:
            self.program.close()
            raise

    @override
    def stop(self) -> list[PowerTrace]:
        after: list[RoundTrip] = []
        try:
            after = self.program.round_trips()
        finally:
            lines = self.program.close()
            for line in lines:
                if not line.startswith("S "):
                    header_of(line)  # raises the error of the sampler, which explains more than a missing answer
        clock = clock_from_round_trips(self.before, after)
        rows = [numbers_of("sysfs_sampler", line.split()[1:], 1 + len(self.rails)) for line in lines]
        if len(rows) < 2:
            raise MeterFailed(f"{len(rows)} samples, two or more are needed; it samples every {self.period_s:g} s")
        samples = np.array(rows)
        seconds = clock.ours(samples[:, 0])
        return [
            PowerTrace(
                meter=self.name,
                seconds=seconds,
                watts=values if counter_range is None else mean_power(seconds, counted(values, counter_range)),
                is_integrating=counter_range is not None,
                accuracy=self.accuracy,
                update_s=self.header.update_s,
                clock_uncertainty_s=clock.uncertainty,
            )
            for values, counter_range in zip(samples[:, 1:].T, self.header.ranges, strict=True)
        ]


class Header(NamedTuple):
    """What the sampler says of its rails."""

    rails: tuple[str, ...]
    ranges: tuple[float | None, ...]
    """In joules, of rails that are counters."""
    update_s: float | None


def header_of(line: str) -> Header:
    """The header in a line of the sampler. Raises MeterFailed (it says an error, or nonsense)."""
    try:
        said = json.loads(line)
        if "error" in said:
            raise MeterFailed(str(said["error"]))
        header = Header(tuple(said["rails"]), tuple(said["ranges"]), said["update_s"])
        if len(header.rails) == len(header.ranges):
            return header
    except (ValueError, TypeError, KeyError):
        pass
    raise MeterFailed(f"sysfs_sampler on the target said {line[:80]!r}")

"""A meter that a thread here asks again and again: what NVML and instruments on the bench have in common."""

import threading
import time
from typing import Protocol

import numpy as np
from typing_extensions import override

from hil_tests.meters.counters import mean_power
from hil_tests.meters.meter import Meter, MeterFailed, PowerTrace

LONGEST_ANSWER_S = 30.0


class Source(Protocol):
    """What is asked; every verb is called from one thread at a time and raises MeterFailed alone."""

    rails: tuple[str, ...]
    is_counter: bool
    """Readings are joules that only grow, not watts. Known once it is open."""
    update_s: float | None
    caveat: str
    label: str
    """As in `PowerTrace`."""

    def open(self) -> None:
        """Connect; the first `read` may follow."""

    def read(self) -> list[float]:
        """Watts or joules of each rail now."""

    def close(self) -> None:
        """Disconnect; may be called at any time, and again."""


class PolledMeter(Meter):
    """A `Meter` of a source. A sample's time is the middle of the question and the answer."""

    def __init__(self, name: str, source: Source, *, period_s: float, accuracy: str) -> None:
        self.name, self.source, self.period_s, self.accuracy = name, source, period_s, accuracy
        self.rails = source.rails

    @override
    def start(self) -> None:
        self.source.open()
        self.rails = self.source.rails
        self.rows: list[list[float]] = []
        self.half_s = 0.0
        self.failure: MeterFailed | None = None
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._sample, daemon=True)
        self.thread.start()

    def _sample(self) -> None:
        due = time.monotonic()
        try:
            while True:
                before = time.monotonic()
                values = self.source.read()
                after = time.monotonic()
                self.rows.append([(before + after) / 2, *values])
                self.half_s = max(self.half_s, (after - before) / 2)
                due = max(due + self.period_s, after)
                if self.is_over.wait(due - after):
                    return
        except MeterFailed as failure:
            self.failure = failure

    @override
    def stop(self) -> list[PowerTrace]:
        self.is_over.set()
        self.thread.join(LONGEST_ANSWER_S)
        if self.thread.is_alive():
            raise MeterFailed(f"no answer within {LONGEST_ANSWER_S:g} s; it is left alone")
        self.source.close()
        if self.failure is not None:
            raise self.failure
        if len(self.rows) < 2:
            raise MeterFailed(f"{len(self.rows)} samples, two or more are needed; it samples every {self.period_s:g} s")
        samples = np.array(self.rows)
        seconds = samples[:, 0]
        return [
            PowerTrace(
                meter=self.name,
                seconds=seconds,
                watts=mean_power(seconds, values) if self.source.is_counter else values,
                is_integrating=self.source.is_counter,
                accuracy=self.accuracy,
                update_s=self.source.update_s,
                clock_uncertainty_s=self.half_s,
                caveat=self.source.caveat,
                label=self.source.label,
            )
            for values in samples[:, 1:].T
        ]

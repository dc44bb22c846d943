"""An instrument that records by itself, aligned by load pulses of the target that it sees."""

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from typing_extensions import override

from hil_tests.meters import load_pulses
from hil_tests.meters.clocks import Clock, clock_from_round_trips
from hil_tests.meters.meter import Meter, MeterFailed, PowerTrace
from hil_tests.meters.recording import Recording, Span, align, pulse_pattern
from hil_tests.meters.target_program import TargetProgram, numbers_of
from hil_tests.targets.target import Target

RETRY_S = 0.5


class RecordedMeter(Meter):
    """A `Meter` of a file that someone else writes: started before `start`, whole or growing at `stop`.

    `start` and `stop` each load the target in a pattern of pulses, for some twenty times `pulse_s`.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        read: Callable[[], Recording],
        *,
        rails: tuple[str, ...],
        pulse_s: float,
        wait_s: float,
        accuracy: str,
        caveat: str,
    ) -> None:
        """wait_s: how long `stop` waits for the file to hold both patterns, for an export by hand."""
        self.name, self.target, self.read, self.rails = name, target, read, rails
        self.pulse_s, self.wait_s, self.accuracy, self.caveat = pulse_s, wait_s, accuracy, caveat
        self.numbers = count()

    @override
    def start(self) -> None:
        self.program = TargetProgram(self.target, Path(load_pulses.__file__))
        try:
            self.before = self.program.round_trips()
            self.groups = [self._mark()]
        except MeterFailed:
            self.program.close()
            raise

    def _mark(self) -> list[Span]:
        """Load the target by a pattern; when each pulse began and ended, by the target's clock."""
        pulses = []
        for pause_s, length_s in pulse_pattern(next(self.numbers), self.pulse_s):
            time.sleep(pause_s)
            answer = self.program.ask(f"load {length_s}", "L")[2]
            began, ended = numbers_of("load_pulses", answer, 2)
            pulses.append((began, ended))
        time.sleep(self.pulse_s)
        return pulses

    @override
    def stop(self) -> list[PowerTrace]:
        try:
            self.groups.append(self._mark())
            after = self.program.round_trips()
        finally:
            self.program.close()
        target_clock = clock_from_round_trips(self.before, after)
        deadline = time.monotonic() + self.wait_s
        while True:
            try:
                return self._traces(target_clock)
            except MeterFailed:
                if time.monotonic() + RETRY_S > deadline:
                    raise
            time.sleep(RETRY_S)

    def _traces(self, target_clock: Clock) -> list[PowerTrace]:
        """What the file holds between the two patterns, by our clock. Raises MeterFailed."""
        recording = self.read()
        clock = align(recording, self.groups, self.pulse_s)
        seconds = target_clock.ours(clock.ours(recording.seconds))
        began, ended = self.groups[0][0][0], self.groups[-1][-1][1]
        inside = (clock.ours(recording.seconds) >= began) & (clock.ours(recording.seconds) <= ended)
        return [
            PowerTrace(
                meter=self.name,
                seconds=seconds[inside],
                watts=recording.watts[rail][inside],
                is_integrating=recording.is_integrating,
                accuracy=self.accuracy,
                clock_uncertainty_s=clock.uncertainty + target_clock.uncertainty,
                caveat=self.caveat,
            )
            for rail in self.rails
        ]

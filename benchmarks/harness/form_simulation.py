"""A buffer of lines, an imager that fills it and an encoder that empties it, in time that is only counted."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from runtime.target.form_rule import FormHistory, FormRule, must_end, next_form


@dataclass
class Simulated:
    """What became of the lines."""

    n_dropped: int = 0
    largest_fill: float = 0.0  # Share of the buffer
    forms: list[int] = field(default_factory=list)
    """Of each segment."""
    lines: list[int] = field(default_factory=list)
    """Of each segment."""
    shares: list[float] = field(default_factory=list)
    """Of each segment, of the processor."""
    busy: float = 0.0  # Seconds of coding, all lines together
    ended: float = 0.0  # When the last line was coded


def simulated(
    rule: FormRule, arrivals: Sequence[float], seconds: Sequence[float], n_buffer: int, segment_lines: int,
    n_cores: int = 1,
) -> Simulated:  # fmt: skip
    """Code the lines that come at `arrivals`, s, rising, where a line of each form takes `seconds`.

    A line leaves the buffer when its coding ends; one that finds the buffer full is dropped. Coding keeps one of
    `n_cores` busy.
    """
    done, history, clock, share = Simulated(), FormHistory(), 0.0, 0.0
    n_forms, n_come, n_waiting, n_open = len(seconds), 0, 0, 0
    began = busy = 0.0

    def take(until: float) -> tuple[int, int]:
        """Lines that come up to a time."""
        came, waiting = n_come, n_waiting
        while came < len(arrivals) and arrivals[came] <= until:
            came += 1
            done.n_dropped += waiting == n_buffer
            waiting = min(waiting + 1, n_buffer)
        done.largest_fill = max(done.largest_fill, waiting / n_buffer)
        return came, waiting

    while n_come < len(arrivals) or n_waiting:
        if n_waiting == 0:
            clock = max(clock, arrivals[n_come])
            n_come, n_waiting = take(clock)
        fill = n_waiting / n_buffer
        if n_open == segment_lines or must_end(rule, history, fill, n_forms):
            n_open = 0
        if n_open == 0:
            began, busy = done.ended, done.busy
            history = next_form(rule, history, fill, n_forms, share)
            done.forms.append(history.form)
            done.lines.append(0)
            done.shares.append(0.0)
        clock += seconds[history.form]
        done.busy, done.ended = done.busy + seconds[history.form], clock
        share = done.shares[-1] = (done.busy - busy) / (clock - began) / n_cores
        n_come, n_waiting = take(clock)
        n_waiting, n_open = n_waiting - 1, n_open + 1
        done.lines[-1] += 1
    return done


def imager(
    line_s: float, n_lines: int, burst: float, burst_lines: int, jitter: float, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Times of lines, s: `line_s` apart on average, every fourth run of `burst_lines` `burst` times as fast.

    jitter: a line is late by up to this share of its period.
    """
    is_burst = np.arange(n_lines) // burst_lines % 4 == 0
    periods = np.where(is_burst, 1 / burst, 1.0)
    periods *= line_s / periods.mean()
    return np.sort(np.cumsum(periods) + periods * jitter * generator.random(n_lines))

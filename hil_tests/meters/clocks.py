"""Another machine's or an instrument's clock in terms of ours, and how far that may be off."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil_tests.meters.meter import MeterFailed

LARGEST_DRIFT = 0.01
"""Seconds by second; a clock that is further off than 1 % was not matched, it is broken."""


@dataclass(frozen=True)
class RoundTrip:
    """One question about the time: sent and answer received by our clock, and the answer by theirs. Seconds."""

    sent: float
    theirs: float
    received: float


@dataclass(frozen=True)
class Clock:
    """ours = offset + rate * (theirs - origin), in seconds, right within `uncertainty`."""

    origin: float
    offset: float
    rate: float
    uncertainty: float

    def ours(self, theirs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Times of their clock in ours, float64, seconds."""
        return self.offset + self.rate * (theirs - self.origin)


def clock_from_round_trips(before: Sequence[RoundTrip], after: Sequence[RoundTrip]) -> Clock:
    """The clock by the quickest round trip before a recording and the quickest after it.

    Their answer was given at some time between sent and received, so each trip is right within half of its length;
    between the two the error is at most the larger one.
    """
    first, last = (min(trips, key=lambda trip: trip.received - trip.sent) for trips in (before, after))
    ours = [(trip.sent + trip.received) / 2 for trip in (first, last)]
    halves = [(trip.received - trip.sent) / 2 for trip in (first, last)]
    length = last.theirs - first.theirs
    if length <= 0:
        raise MeterFailed(f"the target's clock did not go on: {first.theirs:.6f} s, then {last.theirs:.6f} s")
    rate = (ours[1] - ours[0]) / length
    check_rate(rate, sum(halves) / length)
    return Clock(first.theirs, ours[0], rate, max(halves))


def clock_from_markers(theirs: Sequence[float], ours: Sequence[float]) -> Clock:
    """The clock by least squares over two or more marks that both clocks saw; its uncertainty is the largest residual.

    Of two marks alone there is no residual, and its uncertainty is infinite: a third one is needed to know it.
    Raises MeterFailed (fewer than two marks, marks at one time, a rate more than 1 % off).
    """
    seen, known = np.asarray(theirs, np.float64), np.asarray(ours, np.float64)
    if len(seen) != len(known) or len(seen) < 2:
        raise MeterFailed(
            f"{len(seen)} marks of the instrument and {len(known)} of ours; two or more of each are needed"
        )
    origin = float(seen.mean())
    spread = float(((seen - origin) ** 2).sum())
    if spread == 0.0:
        raise MeterFailed("all marks of the instrument are at one time")
    offset = float(known.mean())
    rate = float(((seen - origin) * (known - offset)).sum()) / spread
    residuals = known - offset - rate * (seen - origin)
    largest = float(np.abs(residuals).max())
    check_rate(rate, 2 * largest / float(np.ptp(seen)))
    return Clock(origin, offset, rate, largest if len(seen) > 2 else float("inf"))


def check_rate(rate: float, uncertainty: float) -> None:
    """Raises MeterFailed for a rate that no working clock has, as far as it is known."""
    if not abs(rate - 1.0) <= LARGEST_DRIFT + uncertainty:
        raise MeterFailed(f"a second of the meter's clock is {rate:.3f} s of ours; 1 % more or less is allowed")

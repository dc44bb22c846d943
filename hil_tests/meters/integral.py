"""Joules between two times, of samples of power."""

import numpy as np
import numpy.typing as npt

from hil_tests.meters.meter import MeterFailed


def joules_until(
    seconds: npt.NDArray[np.float64],
    watts: npt.NDArray[np.float64],
    is_integrating: bool,
    times: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Joules from the first sample to each of `times`, float64, of the shape of `times`.

    Power is the mean since the sample before where the meter integrates, else a straight line from sample to sample. As
    a difference of two of these, energy is the same however a span is split. Raises MeterFailed (a time before the
    first sample or after the last one).
    """
    if times.size and not (seconds[0] <= times.min() and times.max() <= seconds[-1]):
        raise MeterFailed(
            f"samples of {seconds[0]:.3f} to {seconds[-1]:.3f} s do not cover {times.min():.3f} to {times.max():.3f} s"
        )
    steps = np.diff(seconds)
    power = watts[1:] if is_integrating else (watts[1:] + watts[:-1]) / 2
    sums = np.concatenate(([0.0], np.cumsum(power * steps)))
    index = np.clip(np.searchsorted(seconds, times, side="right") - 1, 0, len(steps) - 1)
    since = times - seconds[index]
    if is_integrating:
        return np.asarray(sums[index] + watts[index + 1] * since, np.float64)
    slope = (watts[index + 1] - watts[index]) / steps[index]
    return np.asarray(sums[index] + (watts[index] + slope * since / 2) * since, np.float64)

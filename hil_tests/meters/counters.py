"""Energy counters as power."""

import numpy as np
import numpy.typing as npt


def counted(values: npt.NDArray[np.float64], counter_range: float) -> npt.NDArray[np.float64]:
    """Joules since the first reading, (N,) float64, of a counter that begins again at 0 after `counter_range` joules.

    Right where less than one range is used between two readings.
    """
    steps = np.diff(values, prepend=values[:1])
    return np.asarray(np.cumsum(np.where(steps < 0, steps + counter_range, steps)), np.float64)


def mean_power(seconds: npt.NDArray[np.float64], joules: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean watts since the reading before, (N,) float64; the first one, which stands for no time, repeats the second.

    seconds: strictly increasing, two or more.
    """
    watts = np.diff(joules) / np.diff(seconds)
    return np.concatenate((watts[:1], watts))

"""A fixed integer loop: the unit in which speeds of different machines can be compared."""

import time
from typing import Any

import numpy as np

from runtime.kernels.kernel_cache import njit

N_STEPS = 20_000_000


@njit(cache=True)
def integer_loop(n_steps: Any) -> Any:
    """A chain of `n_steps` multiplications, shifts and table updates that no compiler can shorten."""
    table = np.zeros(64, np.int64)
    value = np.int64(1)
    for i in range(n_steps):
        value = (value * 6364136223846793005 + 1442695040888963407) & 0x7FFFFFFFFFFF
        slot = (value >> 40) & 63
        table[slot] += value >> 7 if value & 1 else -(value >> 9)
        value ^= table[(i + slot) & 63] >> 3
    return value


def loop_msteps_per_s() -> float:
    """Million steps per second of thread CPU time, best of 5."""
    integer_loop(np.int64(1000))
    seconds = []
    for _ in range(5):
        start = time.thread_time()
        integer_loop(np.int64(N_STEPS))
        seconds.append(time.thread_time() - start)
    return N_STEPS / min(seconds) / 1e6

"""The formulas of error limits and sample representatives (4.8.2, 4.9), for scalars inside kernels, all int64.

Quantizer indices are in runtime/kernels/in_loop.py. Samples and predictions are relative to s_mid, as in prediction.py.
"""

from typing import Any

import numpy as np

from runtime.kernels.kernel_cache import njit

NO_LIMIT = 1 << 40  # Stands for an absolute limit where there is none: more than any relative limit allows


@njit(cache=True, inline="always")
def maximum_error(absolute: Any, relative: Any, has_relative: Any, predicted: Any, middle: Any, depth: Any) -> Any:
    """The maximum error m of a sample with t > 0 (equations 42..45), `absolute` being 0 or NO_LIMIT where unused."""
    if has_relative:
        return min(absolute, (relative * abs(predicted + middle)) >> depth)
    return absolute


@njit(cache=True, inline="always")
def representative(
    clipped: Any, index: Any, error: Any, fine: Any, damping: Any, offset: Any, theta: Any, resolution: Any
) -> Any:
    """The representative s'' of a sample with t > 0 (equations 46 and 47).

    clipped: s'. index: q. error: m. fine: the high-resolution prediction. damping, offset: phi, psi. theta: Theta.
    """
    if damping == 0 and offset == 0:
        return clipped
    sign = np.int64(index > 0) - np.int64(index < 0)
    centre = (clipped << resolution) - ((sign * error * offset) << (resolution - theta))
    weighted = 4 * ((np.int64(1) << theta) - damping) * centre
    doubled = (weighted + damping * fine - (damping << (resolution + 1))) >> (resolution + theta + 1)
    return (doubled + 1) >> 1

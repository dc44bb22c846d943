"""Products of planes, each sample with a weight: the normal equations of the fit of a band, without a weighted copy.

Two planes and two others at a time, so that a loaded number serves two products; of the symmetric matrix one half.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.kernels.float32_math import FASTMATH
from runtime.kernels.kernel_cache import njit

TILE = 256
"""Samples of all planes that stay near the processor."""


@njit(cache=True, fastmath=FASTMATH)
def kernel(planes: Any, shares: Any, out: Any) -> None:
    """Fill out (B, K, K) from planes (B, K, N) and shares (B, N), all float64."""
    n_bands, n_planes, n_samples = planes.shape
    n_even = (n_planes + 1) // 2 * 2
    plain, weighted = np.zeros((n_even, TILE)), np.zeros((n_even, TILE))
    sums = np.empty((n_even, n_even))
    for band in range(n_bands):
        sums[:] = 0.0
        for first in range(0, n_samples, TILE):
            n = min(TILE, n_samples - first)
            for i in range(n_planes):
                for x in range(n):
                    plain[i, x] = planes[band, i, first + x]
                    weighted[i, x] = plain[i, x] * shares[band, first + x]
            for i in range(0, n_even, 2):
                for j in range(0, i + 1, 2):
                    both, left, right, other = 0.0, 0.0, 0.0, 0.0
                    for x in range(n):
                        both += weighted[i, x] * plain[j, x]
                        left += weighted[i, x] * plain[j + 1, x]
                        right += weighted[i + 1, x] * plain[j, x]
                        other += weighted[i + 1, x] * plain[j + 1, x]
                    sums[i, j] += both
                    sums[i, j + 1] += left
                    sums[i + 1, j] += right
                    sums[i + 1, j + 1] += other
        for i in range(n_planes):
            for j in range(i + 1):
                out[band, i, j] = out[band, j, i] = sums[i, j]


KERNEL: Any = kernel  # numba declares no arguments


def weighted_products(planes: Tensor, shares: Tensor) -> Tensor:
    """(B, Z, K, K), the sums over N of planes (B, Z, K, N) times planes times shares (B, Z, N), all float64."""
    if planes.device.type != "cpu" or torch.compiler.is_compiling():
        weighted = planes * torch.sqrt(shares)[:, :, None]
        return weighted @ weighted.transpose(2, 3)
    n_planes = planes.shape[2]
    out = planes.new_empty(*planes.shape[:2], n_planes, n_planes)
    flat = planes.contiguous().flatten(0, 1).numpy(), shares.contiguous().flatten(0, 1).numpy()
    KERNEL(*flat, out.view(-1, n_planes, n_planes).numpy())
    return out

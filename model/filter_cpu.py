"""The filters of the flight network: taps times exact differences, summed, in one pass each way."""

from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from model.float32_math import FASTMATH


@njit(cache=True, fastmath=FASTMATH)
def forward_kernel(taps: Any, differences: Any, out: Any) -> None:
    """Fill out (N, H) with the sums of taps (N, H * K) times differences (N, K)."""
    n_taps = differences.shape[1]
    for i in range(differences.shape[0]):
        for h in range(out.shape[1]):
            total = np.float32(0)
            for k in range(n_taps):
                total += taps[i, h * n_taps + k] * differences[i, k]
            out[i, h] = total


@njit(cache=True)
def backward_kernel(grad: Any, differences: Any, out_taps: Any) -> None:
    """Fill the gradient of the taps from that of the sums (N, H)."""
    n_taps = differences.shape[1]
    for i in range(differences.shape[0]):
        for h in range(grad.shape[1]):
            for k in range(n_taps):
                out_taps[i, h * n_taps + k] = grad[i, h] * differences[i, k]


FORWARD: Any = forward_kernel  # numba declares no arguments
BACKWARD: Any = backward_kernel


class Filter(torch.autograd.Function):
    """Gradient bookkeeping; differences are data and have none."""

    @staticmethod
    def forward(ctx: Any, taps: Tensor, differences: Tensor) -> Tensor:
        """(..., H * K) and (..., K) to (..., H)."""
        differences = differences.contiguous()
        ctx.save_for_backward(differences)
        ctx.n_taps = taps.shape[-1]
        out = taps.new_empty(*taps.shape[:-1], taps.shape[-1] // differences.shape[-1])
        FORWARD(rows(taps.contiguous()), rows(differences), rows(out))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Gradient of the taps."""
        (differences,) = ctx.saved_tensors
        out = differences.new_empty(*differences.shape[:-1], ctx.n_taps)
        BACKWARD(rows(grads[0].contiguous()), rows(differences), rows(out))
        return out, None


def rows(tensor: Tensor) -> Any:
    """The contiguous tensor (..., n) as a NumPy view (N, n)."""
    return tensor.detach().view(-1, tensor.shape[-1]).numpy()


def filtered(taps: Tensor, differences: Tensor) -> Tensor:
    """Sums (..., H) of taps (..., H * K) times differences (..., K), which need no gradient."""
    out: Tensor = Filter.apply(taps, differences)  # type: ignore[no-untyped-call]  # torch's own
    return out

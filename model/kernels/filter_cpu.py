"""The filter of the flight network: taps times exact differences, summed, in one pass each way."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.kernels.float32_math import FASTMATH
from runtime.kernels.kernel_cache import njit


@njit(cache=True, fastmath=FASTMATH)
def forward_kernel(taps: Any, differences: Any, out: Any) -> None:
    """Fill out (N,) with the sums of taps times differences, both (N, K)."""
    for i in range(differences.shape[0]):
        total = np.float32(0)
        for k in range(differences.shape[1]):
            total += taps[i, k] * differences[i, k]
        out[i] = total


@njit(cache=True)
def backward_kernel(grad: Any, differences: Any, out_taps: Any) -> None:
    """Fill the gradient of the taps from that of the sums (N,)."""
    for i in range(differences.shape[0]):
        for k in range(differences.shape[1]):
            out_taps[i, k] = grad[i] * differences[i, k]


FORWARD: Any = forward_kernel  # numba declares no arguments
BACKWARD: Any = backward_kernel


class Filter(torch.autograd.Function):
    """Gradient bookkeeping; differences are data and have none."""

    @staticmethod
    def forward(ctx: Any, taps: Tensor, differences: Tensor) -> Tensor:
        """(..., K) and (..., K) to (...)."""
        differences = differences.contiguous()
        ctx.save_for_backward(differences)
        out = taps.new_empty(taps.shape[:-1])
        FORWARD(rows(taps.contiguous()), rows(differences), out.view(-1).numpy())
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Gradient of the taps."""
        (differences,) = ctx.saved_tensors
        out = torch.empty_like(differences)
        BACKWARD(grads[0].contiguous().view(-1).numpy(), rows(differences), rows(out))
        return out, None


def rows(tensor: Tensor) -> Any:
    """The contiguous tensor (..., n) as a NumPy view (N, n)."""
    return tensor.detach().view(-1, tensor.shape[-1]).numpy()


def filtered(taps: Tensor, differences: Tensor) -> Tensor:
    """Sums (...) of taps times differences, both (..., K); the differences need no gradient."""
    out: Tensor = Filter.apply(taps, differences)  # type: ignore[no-untyped-call]  # torch's own
    return out

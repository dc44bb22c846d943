"""Layer normalisation, then a blend of each line with the one before it: one compiled pass each way.

It is what stands before the projections of an RWKV block (equations 1 to 3 of the paper); `model.network.rwkv` has
the same in plain operations. Written out in PyTorch it is ten passes over tensors that do not fit a cache.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.kernels.float32_math import FASTMATH
from runtime.kernels.kernel_cache import njit

EPSILON = np.float32(1e-5)  # of torch.nn.LayerNorm
ONE = np.float32(1)


@njit(inline="always")
def statistics(row: Any) -> tuple[Any, Any]:
    """Mean and reciprocal standard deviation of a row (F,)."""
    n = np.float32(row.shape[0])
    total = np.float32(0)
    for f in range(row.shape[0]):
        total += row[f]
    mean = total / n
    squares = np.float32(0)
    for f in range(row.shape[0]):
        squares += (row[f] - mean) * (row[f] - mean)
    return mean, ONE / np.sqrt(squares / n + EPSILON)


@njit(cache=True, fastmath=FASTMATH, error_model="numpy")
def forward_kernel(lines: Any, gain: Any, offset: Any, mix: Any, out_blends: Any) -> None:
    """Fill the blends before + mix * (now - before) of the normalised lines.

    lines: (B, Y, M, F), M positions of a line. gain, offset: (F,). mix: (N, F). out_blends: (N, B, Y, M, F).
    """
    n_batch, n_lines, n_positions, n_features = lines.shape
    before = np.empty((n_positions, n_features), np.float32)
    now = np.empty(n_features, np.float32)
    for b in range(n_batch):
        before[:] = 0
        for y in range(n_lines):
            for m in range(n_positions):
                mean, inverse = statistics(lines[b, y, m])
                for f in range(n_features):
                    now[f] = (lines[b, y, m, f] - mean) * inverse * gain[f] + offset[f]
                for i in range(mix.shape[0]):
                    for f in range(n_features):
                        out_blends[i, b, y, m, f] = before[m, f] + mix[i, f] * (now[f] - before[m, f])
                for f in range(n_features):
                    before[m, f] = now[f]


@njit(cache=True, fastmath=FASTMATH, error_model="numpy")
def backward_kernel(
    lines: Any,
    gain: Any,
    offset: Any,
    mix: Any,
    grads: Any,
    out_lines: Any,
    out_gain: Any,
    out_offset: Any,
    out_mix: Any,
) -> None:
    """Fill the gradient of `lines` and add those of the parameters (float64, starting at zero).

    grads: N arrays (B, Y, M, F), those of the blends. A line enters its own blends by mix and those of the next line
    by 1 - mix.
    """
    n_batch, n_lines, n_positions, n_features = lines.shape
    row, row_grad = np.empty(n_features, np.float32), np.empty(n_features, np.float32)
    zeros = np.zeros(n_features, np.float32)
    sum_gain, sum_offset, sum_mix = np.empty_like(gain), np.empty_like(offset), np.empty_like(mix)
    n = np.float32(n_features)
    for b in range(n_batch):
        for y in range(n_lines):
            sum_gain[:] = 0  # float32 over one line, float64 over lines
            sum_offset[:] = 0
            sum_mix[:] = 0
            for m in range(n_positions):
                mean, inverse = statistics(lines[b, y, m])
                for f in range(n_features):
                    row[f] = (lines[b, y, m, f] - mean) * inverse
                    row_grad[f] = 0
                for i in range(len(grads)):
                    here = grads[i][b, y, m]
                    after = grads[i][b, y + 1, m] if y + 1 < n_lines else zeros
                    for f in range(n_features):
                        sum_mix[i, f] += (row[f] * gain[f] + offset[f]) * (here[f] - after[f])
                        row_grad[f] += after[f] + mix[i, f] * (here[f] - after[f])
                total, product = np.float32(0), np.float32(0)
                for f in range(n_features):
                    sum_gain[f] += row_grad[f] * row[f]
                    sum_offset[f] += row_grad[f]
                    scaled = row_grad[f] * gain[f]
                    total += scaled
                    product += scaled * row[f]
                total, product = total / n, product / n
                for f in range(n_features):
                    out_lines[b, y, m, f] = inverse * (row_grad[f] * gain[f] - total - row[f] * product)
            for f in range(n_features):
                out_gain[f] += sum_gain[f]
                out_offset[f] += sum_offset[f]
                for i in range(mix.shape[0]):
                    out_mix[i, f] += sum_mix[i, f]


class NormMix(torch.autograd.Function):
    """Gradient bookkeeping around the two kernels."""

    @staticmethod
    def forward(ctx: Any, lines: Tensor, gain: Tensor, offset: Tensor, mix: Tensor) -> tuple[Tensor, ...]:
        """The N blends, each shaped as lines (B, Y, ..., F)."""
        lines = lines.contiguous()
        blends = lines.new_empty(len(mix), *lines.shape)
        ctx.save_for_backward(lines, gain, offset, mix)
        forward_kernel(
            positions(lines),
            gain.numpy(),
            offset.numpy(),
            mix.numpy(),
            blends.view(len(mix), *positions(lines).shape).numpy(),
        )
        return blends.unbind(0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Gradients of lines, gain, offset and mix."""
        lines, gain, offset, mix = ctx.saved_tensors
        grad_lines = torch.empty_like(lines)
        sums = [torch.zeros_like(parameter, dtype=torch.float64) for parameter in (gain, offset, mix)]
        backward_kernel(
            positions(lines),
            gain.numpy(),
            offset.numpy(),
            mix.numpy(),
            tuple(positions(grad.contiguous()) for grad in grads),
            positions(grad_lines),
            *(total.numpy() for total in sums),
        )
        grad_gain, grad_offset, grad_mix = (total.float() for total in sums)
        return grad_lines, grad_gain, grad_offset, grad_mix


def positions(tensor: Tensor) -> Any:
    """The contiguous tensor (B, Y, ..., F) as a NumPy view (B, Y, M, F)."""
    return tensor.detach().view(tensor.shape[0], tensor.shape[1], -1, tensor.shape[-1]).numpy()


def apply(lines: Tensor, gain: Tensor, offset: Tensor, mix: Tensor) -> tuple[Tensor, ...]:
    """For each row of mix (N, F) the blend of normalised lines (B, Y, ..., F) with the line before each."""
    blends: tuple[Tensor, ...] = NormMix.apply(lines, gain, offset, mix)  # type: ignore[no-untyped-call]  # torch's own
    return blends

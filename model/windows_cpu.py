"""The inputs of a convolution side by side, in one compiled pass: what a matrix product then needs.

PyTorch's own way (pad, slice, concatenate) copies twice forward and four times backward.
"""

from typing import Any

import torch
from numba import njit
from torch import Tensor


@njit(cache=True)
def unfold_kernel(rows: Any, before: Any, kernel: Any, out_windows: Any) -> None:
    """Fill out_windows[o, a, i, j] = rows[o, a - before + j, i], zeros outside. rows: (O, A, I, F), j < kernel."""
    n_outer, n_axis, n_inner, n_features = rows.shape
    for o in range(n_outer):
        for a in range(n_axis):
            for i in range(n_inner):
                for j in range(kernel):
                    source = a - before + j
                    if 0 <= source < n_axis:
                        for f in range(n_features):
                            out_windows[o, a, i, j, f] = rows[o, source, i, f]
                    else:
                        for f in range(n_features):
                            out_windows[o, a, i, j, f] = 0


@njit(cache=True)
def fold_kernel(grad: Any, before: Any, kernel: Any, out_rows: Any) -> None:
    """Fill the gradient of rows from that of the windows; shapes as in `unfold_kernel`."""
    n_outer, n_axis, n_inner, n_features = out_rows.shape
    for o in range(n_outer):
        for a in range(n_axis):
            for i in range(n_inner):
                for f in range(n_features):
                    out_rows[o, a, i, f] = 0
                for j in range(kernel):
                    target = a + before - j
                    if 0 <= target < n_axis:
                        for f in range(n_features):
                            out_rows[o, a, i, f] += grad[o, target, i, j, f]


class Windows(torch.autograd.Function):
    """Gradient bookkeeping around the two kernels."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, axis: int, before: int, kernel: int) -> Tensor:
        """(..., A, ..., F) to (..., A, ..., kernel * F)."""
        rows = rows.contiguous()
        ctx.layout = (rows.shape, axis, before, kernel)
        windows = rows.new_empty(*rows.shape[:-1], kernel * rows.shape[-1])
        blocks = around(rows, axis)
        unfold_kernel(blocks.numpy(), before, kernel, windows.view(*blocks.shape[:-1], kernel, -1).numpy())
        return windows

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        """Gradient of rows."""
        shape, axis, before, kernel = ctx.layout
        grad_rows = grads[0].new_empty(shape)
        blocks = around(grad_rows, axis)
        grad = grads[0].contiguous().view(*blocks.shape[:-1], kernel, -1)
        fold_kernel(grad.numpy(), before, kernel, blocks.numpy())
        return grad_rows, None, None, None


def around(tensor: Tensor, axis: int) -> Tensor:
    """The contiguous tensor (..., A, ..., F) seen as (O, A, I, F); axis < -1 counts from the end."""
    inner = tensor.shape[axis + 1 : -1].numel()
    return tensor.detach().view(-1, tensor.shape[axis], inner, tensor.shape[-1])


def apply(rows: Tensor, axis: int, before: int, kernel: int) -> Tensor:
    """For each place of the axis the `kernel` rows from `before` places before it on, along the last dimension.

    rows: (..., A, ..., F) float32; axis < -1 counts from the end. Zeros stand for rows beyond the ends.
    """
    windows: Tensor = Windows.apply(rows, axis, before, kernel)  # type: ignore[no-untyped-call]  # torch's own
    return windows

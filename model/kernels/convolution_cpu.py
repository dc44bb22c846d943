"""A convolution along one axis as matrix products of small blocks, so that its windows never leave the cache.

The usual way lays the inputs of every place side by side for one large product. At 32 features those windows are
6 MiB that are written, read, and written and read again backward (docs/training.md).
"""

from typing import Any

import torch
from torch import Tensor

from runtime.kernels.kernel_cache import njit

BLOCK_ROWS = 768  # of windows: 288 KiB at 32 features, half of the second cache


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


class Convolution(torch.autograd.Function):
    """A block at a time: unfold and multiply; backward multiply, fold, and unfold again for the weights."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor, axis: int, before: int) -> Tensor:
        """(..., A, ..., n) to (..., A, ..., F)."""
        rows = rows.contiguous()
        ctx.save_for_backward(rows, weight)
        ctx.layout = (axis, before)
        out = rows.new_empty(*rows.shape[:-1], len(weight))
        blocks, out_rows = around(rows, axis), around(out, axis)
        buffer = window_buffer(blocks, weight.shape[1])
        step = len(buffer)
        for start in range(0, len(blocks), step):
            windows = unfolded(blocks[start : start + step], before, buffer)
            torch.addmm(bias, windows, weight.t(), out=out_rows[start : start + step].view(-1, len(weight)))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of rows, weight and bias."""
        rows, weight = ctx.saved_tensors
        axis, before = ctx.layout
        grad_rows, grad_weight = torch.empty_like(rows), torch.zeros_like(weight)
        blocks, out_blocks, grad_blocks = (around(x, axis) for x in (rows, grad_rows, grads[0].contiguous()))
        buffer = window_buffer(blocks, weight.shape[1])
        step, kernel = len(buffer), weight.shape[1] // rows.shape[-1]
        needs_rows = ctx.needs_input_grad[0]
        for start in range(0, len(blocks), step):
            part = blocks[start : start + step]
            grad = grad_blocks[start : start + step].reshape(-1, len(weight))
            grad_weight.addmm_(grad.t(), unfolded(part, before, buffer))
            if needs_rows:
                windows = buffer[: len(part)].view(-1, weight.shape[1])
                torch.mm(grad, weight, out=windows)
                shaped = windows.view(*part.shape[:-1], kernel, part.shape[-1])
                fold_kernel(shaped.numpy(), before, kernel, out_blocks[start : start + step].numpy())
        grad_bias = grad_blocks.reshape(-1, len(weight)).sum(dim=0)
        return grad_rows if needs_rows else None, grad_weight, grad_bias, None, None


def around(tensor: Tensor, axis: int) -> Tensor:
    """The contiguous tensor (..., A, ..., F) seen as (O, A, I, F); axis < -1 counts from the end."""
    inner = tensor.shape[axis + 1 : -1].numel()
    return tensor.detach().view(-1, tensor.shape[axis], inner, tensor.shape[-1])


def window_buffer(blocks: Tensor, width: int) -> Tensor:
    """Room (o, A * I, width) for the windows of as many outer rows `o` as a block has, at least one."""
    n_rows = blocks.shape[1] * blocks.shape[2]
    return blocks.new_empty(max(1, min(len(blocks), BLOCK_ROWS // n_rows)), n_rows, width)


def unfolded(part: Tensor, before: int, buffer: Tensor) -> Tensor:
    """The windows (N, width) of a block (o, A, I, n), in the buffer."""
    windows = buffer[: len(part)]
    kernel = buffer.shape[-1] // part.shape[-1]
    unfold_kernel(part.numpy(), before, kernel, windows.view(*part.shape[:-1], kernel, part.shape[-1]).numpy())
    return windows.view(-1, buffer.shape[-1])


def apply(rows: Tensor, layer: torch.nn.Linear, axis: int, before: int) -> Tensor:
    """`layer` of the rows from `before` places before each place of the axis on, side by side; zeros beyond the ends.

    rows: (..., A, ..., n) float32; axis < -1 counts from the end. layer: kernel * n to F features.
    """
    out: Tensor = Convolution.apply(rows, layer.weight, layer.bias, axis, before)  # type: ignore[no-untyped-call]  # torch's own
    return out

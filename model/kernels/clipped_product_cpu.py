"""Product, bias and clip of the flight network's layers in one pass over memory each way.

Written out in PyTorch a layer lays its places side by side, multiplies, and clips: passes over tensors that no cache
holds, and a product for the weights' gradient that waits for memory. Here a row's sums are made in registers from where
its places lie, and clipped before they are stored.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from model.kernels.clipped_kernels import BLOCK_ROWS, added_kernel, added_weight_kernel, forward_kernel, weight_kernel
from model.kernels.tile_products import TILE_WEIGHTS
from runtime.kernels.lanes import LANES

FORWARD: Any = forward_kernel  # numba declares no arguments
ADDED: Any = added_kernel
WEIGHT: Any = weight_kernel
ADDED_WEIGHT: Any = added_weight_kernel


class Plan(NamedTuple):
    """What a product does beside its tensors."""

    axis: int
    """Along which places stand side by side; < -1, counts from the end."""
    before: int
    """The first of them, in places before."""
    bounds: tuple[tuple[float, float], ...]
    """Smallest and largest value of each output."""


class ClippedProduct(torch.autograd.Function):
    """Sources side by side, times a weight, plus a bias, as outputs of equal width that are clipped."""

    @staticmethod
    def forward(
        ctx: Any, plan: Plan, weight: Tensor, bias: Tensor, values: Tensor | None, *sources: Tensor
    ) -> tuple[Tensor, ...]:
        """Outputs (..., F), one for each of plan.bounds, of sources (..., n); added to `values` and clipped again."""
        n_in = sources[0].shape[-1]
        sources = tuple(padded(source, TILE_WEIGHTS).contiguous() for source in sources)
        parts = split(weight.detach(), len(plan.bounds), len(sources), n_in)
        n_out = parts.shape[1]
        outs = tuple(weight.new_empty(*sources[0].shape[:-1], n_out) for _ in plan.bounds)
        seen = layout(plan, sources[0], parts.shape[3])
        common = (rows(sources), seen, packed(parts), bias.detach().view(-1, n_out).numpy(), *limits(plan))
        if values is None:
            FORWARD(*common, rows(outs))
            ctx.save_for_backward(weight, *sources, *outs)
        else:
            inside = torch.empty_like(outs[0], dtype=torch.uint8)
            ADDED(*common, *rows((values.contiguous(), outs[0], inside)))
            ctx.save_for_backward(weight, *sources, inside)
        ctx.plan, ctx.n_in, ctx.is_added = plan, n_in, values is not None
        return outs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of weight, bias, values and sources."""
        plan: Plan = ctx.plan
        n_outs = len(plan.bounds)
        weight, *saved = ctx.saved_tensors
        sources, kept = tuple(saved[:-n_outs]), tuple(saved[-n_outs:])
        needs_sources = any(ctx.needs_input_grad[4:])
        parts = split(weight, n_outs, len(sources), ctx.n_in)
        n_out = parts.shape[1]
        width = -(-n_out // LANES) * LANES
        seen = layout(plan, sources[0], parts.shape[3])
        n_rows = kept[0].numel() // n_out
        is_whole = needs_sources or ctx.is_added
        make = weight.new_empty if width == n_out else weight.new_zeros
        masked = tuple(make(n_rows if is_whole else BLOCK_ROWS, width) for _ in kept)
        sums = weight.new_zeros(len(sources) * parts.shape[3], sources[0].shape[-1], n_outs * width)
        grad_bias, grad_values = weight.new_zeros(n_outs, n_out, dtype=torch.float64), None
        grads = tuple(grad.contiguous() for grad in grads)
        if ctx.is_added:
            grad_values = torch.empty_like(grads[0])
            arrays = rows((grads[0], kept[0], masked[0], grad_values))
            ADDED_WEIGHT(rows(sources), seen, *arrays, sums.numpy(), grad_bias.numpy())
        else:
            arrays = (rows(grads), rows(kept), *limits(plan), rows(masked))
            WEIGHT(rows(sources), seen, *arrays, sums.numpy(), grad_bias.numpy())
        found = sums.view(len(sources), parts.shape[3], -1, n_outs, width)[:, :, : ctx.n_in, :, :n_out]
        grad_weight = found.permute(3, 4, 1, 0, 2).reshape(weight.shape)
        grad_sources: tuple[Tensor | None, ...] = (None,) * len(sources)
        if needs_sources:
            grad_sources = source_gradients(plan, parts, masked, sources)
        return None, grad_weight, grad_bias.view(-1).to(weight.dtype), grad_values, *grad_sources


def source_gradients(
    plan: Plan, parts: Tensor, masked: tuple[Tensor, ...], sources: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """Gradients of the sources: a product of the masked gradients, with the places in reverse and nothing clipped."""
    n_places, n_in = parts.shape[3:]
    outs = tuple(source.new_empty(*source.shape[:-1], n_in) for source in sources)
    seen = layout(plan._replace(before=n_places - 1 - plan.before), outs[0], n_places)
    infinite = np.full(len(outs), np.inf, np.float32)
    weight = packed(parts.flip(3).permute(2, 4, 0, 3, 1))
    FORWARD(rows(masked), seen, weight, np.zeros((len(outs), n_in), np.float32), -infinite, infinite, rows(outs))
    return outs


def padded(tensor: Tensor, multiple: int) -> Tensor:
    """Zeros behind the last axis, up to a multiple."""
    missing = -tensor.shape[-1] % multiple
    return torch.nn.functional.pad(tensor, (0, missing)) if missing else tensor


def split(weight: Tensor, n_outs: int, n_sources: int, n_in: int) -> Tensor:
    """The weight as (outputs, F, sources, places, n)."""
    return weight.view(n_outs, len(weight) // n_outs, -1, n_sources, n_in).transpose(2, 3)


def packed(parts: Tensor) -> Any:
    """(outputs, F, sources, places, n) as NumPy (outputs, strips, sources, places, n, LANES), zeros behind F."""
    last = padded(parts.movedim(1, -1), LANES).contiguous()
    return last.view(*last.shape[:-1], -1, LANES).movedim(-2, 1).contiguous().numpy()


def layout(plan: Plan, source: Tensor, n_places: int) -> tuple[int, int, int, int]:
    """That of the kernels."""
    return source.shape[plan.axis], source.shape[plan.axis + 1 : -1].numel(), plan.before, n_places


def limits(plan: Plan) -> tuple[Any, Any]:
    """Smallest and largest values, each (outputs,) float32."""
    low, high = zip(*plan.bounds, strict=True)
    return np.array(low, np.float32), np.array(high, np.float32)


def rows(tensors: tuple[Tensor, ...]) -> tuple[Any, ...]:
    """Contiguous tensors (..., n) as NumPy views (N, n)."""
    return tuple(tensor.detach().view(-1, tensor.shape[-1]).numpy() for tensor in tensors)


def clipped_product(
    weight: Tensor, bias: Tensor, plan: Plan, *sources: Tensor, values: Tensor | None = None
) -> tuple[Tensor, ...]:
    """Outputs (..., F) of sources (..., n): product of the places side by side, bias, clip; see `Plan`.

    With `values` (..., F) the only output is added to them, and the sum is clipped to the same bounds.
    """
    outs: tuple[Tensor, ...] = ClippedProduct.apply(plan, weight, bias, values, *sources)  # type: ignore[no-untyped-call]  # torch's own
    return outs

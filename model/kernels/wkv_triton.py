"""The gated WKV over whole sequences as Triton kernels, forward and backward, for CUDA.

Every (position, feature) of a line is a lane, and each program takes a block of lanes through all lines. All sums
carry an exponent of their own, so no key is too large: a sum is its stored value times e^exponent. The same kernels
run on the CPU under Triton's interpreter (TRITON_INTERPRET=1), which is how the tests reach them without a GPU. Their
annotations are strings: Triton looks names up in its own way.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 128  # lanes of a program; 4 warps of one lane a thread
EMPTY_EXPONENT = tl.constexpr(-1e38)


@triton.jit
def forward_kernel(
    decay_pointer: "Any",
    bonus_pointer: "Any",
    receptance_pointer: "Any",
    key_pointer: "Any",
    value_pointer: "Any",
    gated_pointer: "Any",
    n_lines: "Any",
    n_lanes: "Any",
    n_features: "Any",
    block: tl.constexpr,
) -> None:
    """Fill sigmoid(receptance) times the weighted means; arrays (B, Y, L) float32, decay and bonus (F,)."""
    lane = tl.program_id(1) * block + tl.arange(0, block)
    is_lane = lane < n_lanes
    decay = tl.load(decay_pointer + lane % n_features)
    bonus = tl.load(bonus_pointer + lane % n_features)
    numerator = tl.zeros([block], tl.float32)
    denominator = tl.zeros([block], tl.float32)
    exponent = tl.full([block], EMPTY_EXPONENT, tl.float32)
    place = tl.program_id(0).to(tl.int64) * n_lines * n_lanes + lane
    for _ in range(n_lines):
        key = tl.load(key_pointer + place, mask=is_lane, other=0.0)
        value = tl.load(value_pointer + place, mask=is_lane, other=0.0)
        receptance = tl.load(receptance_pointer + place, mask=is_lane, other=0.0)
        largest = tl.maximum(exponent, bonus + key)
        past, now = tl.exp(exponent - largest), tl.exp(bonus + key - largest)
        mean = (past * numerator + now * value) / (past * denominator + now)
        tl.store(gated_pointer + place, tl.sigmoid(receptance) * mean, mask=is_lane)
        largest = tl.maximum(exponent - decay, key)
        past, now = tl.exp(exponent - decay - largest), tl.exp(key - largest)
        numerator = past * numerator + now * value
        denominator = past * denominator + now
        exponent = largest
        place += n_lanes


@triton.jit
def sums_kernel(
    decay_pointer: "Any",
    key_pointer: "Any",
    value_pointer: "Any",
    numerator_pointer: "Any",
    denominator_pointer: "Any",
    exponent_pointer: "Any",
    n_lines: "Any",
    n_lanes: "Any",
    n_features: "Any",
    block: tl.constexpr,
) -> None:
    """Fill the three sums as they are before each line; arrays (B, Y, L) float32."""
    lane = tl.program_id(1) * block + tl.arange(0, block)
    is_lane = lane < n_lanes
    decay = tl.load(decay_pointer + lane % n_features)
    numerator = tl.zeros([block], tl.float32)
    denominator = tl.zeros([block], tl.float32)
    exponent = tl.full([block], EMPTY_EXPONENT, tl.float32)
    place = tl.program_id(0).to(tl.int64) * n_lines * n_lanes + lane
    for _ in range(n_lines):
        tl.store(numerator_pointer + place, numerator, mask=is_lane)
        tl.store(denominator_pointer + place, denominator, mask=is_lane)
        tl.store(exponent_pointer + place, exponent, mask=is_lane)
        key = tl.load(key_pointer + place, mask=is_lane, other=0.0)
        value = tl.load(value_pointer + place, mask=is_lane, other=0.0)
        largest = tl.maximum(exponent - decay, key)
        past, now = tl.exp(exponent - decay - largest), tl.exp(key - largest)
        numerator = past * numerator + now * value
        denominator = past * denominator + now
        exponent = largest
        place += n_lanes


@triton.jit
def backward_kernel(
    decay_pointer: "Any",
    bonus_pointer: "Any",
    receptance_pointer: "Any",
    key_pointer: "Any",
    value_pointer: "Any",
    numerator_pointer: "Any",
    denominator_pointer: "Any",
    exponent_pointer: "Any",
    grad_pointer: "Any",
    grad_receptance_pointer: "Any",
    grad_key_pointer: "Any",
    grad_value_pointer: "Any",
    grad_decay_pointer: "Any",
    grad_bonus_pointer: "Any",
    n_lines: "Any",
    n_lanes: "Any",
    n_features: "Any",
    block: tl.constexpr,
) -> None:
    """Fill the gradients; arrays (B, Y, L) float32, those of decay and bonus (B, L), still to be summed.

    With n and d the numerator and denominator of a mean and g its gradient, dL/dn = g / d and dL/dd = -g * mean / d.
    alpha and beta are the adjoints of the two sums, with `adjoint_exponent` of their own. It never exceeds minus the
    exponent of any sum that they meet, so every exponential below is at most 1.
    """
    lane = tl.program_id(1) * block + tl.arange(0, block)
    is_lane = lane < n_lanes
    decay = tl.load(decay_pointer + lane % n_features)
    bonus = tl.load(bonus_pointer + lane % n_features)
    alpha = tl.zeros([block], tl.float32)
    beta = tl.zeros([block], tl.float32)
    adjoint_exponent = tl.full([block], EMPTY_EXPONENT, tl.float32)
    grad_decay = tl.zeros([block], tl.float32)
    grad_bonus = tl.zeros([block], tl.float32)
    place = (tl.program_id(0).to(tl.int64) * n_lines + n_lines - 1) * n_lanes + lane
    for _ in range(n_lines):
        key = tl.load(key_pointer + place, mask=is_lane, other=0.0)
        value = tl.load(value_pointer + place, mask=is_lane, other=0.0)
        gate = tl.sigmoid(tl.load(receptance_pointer + place, mask=is_lane, other=0.0))
        numerator = tl.load(numerator_pointer + place, mask=is_lane, other=0.0)
        denominator = tl.load(denominator_pointer + place, mask=is_lane, other=0.0)
        exponent = tl.load(exponent_pointer + place, mask=is_lane, other=0.0)
        largest = tl.maximum(exponent, bonus + key)
        past, now = tl.exp(exponent - largest), tl.exp(bonus + key - largest)
        divisor = past * denominator + now
        mean = (past * numerator + now * value) / divisor
        grad = tl.load(grad_pointer + place, mask=is_lane, other=0.0)
        tl.store(grad_receptance_pointer + place, grad * gate * mean * (1 - gate), mask=is_lane)
        by_divisor = grad * gate / divisor  # times e^-largest is dL/dn
        from_mean = now * by_divisor * (value - mean)
        joined = tl.exp(key + adjoint_exponent)
        tl.store(grad_key_pointer + place, from_mean + joined * (value * alpha + beta), mask=is_lane)
        tl.store(grad_value_pointer + place, now * by_divisor + joined * alpha, mask=is_lane)
        grad_bonus += from_mean
        grad_decay -= tl.exp(exponent - decay + adjoint_exponent) * (numerator * alpha + denominator * beta)
        higher = tl.maximum(-largest, adjoint_exponent - decay)
        here, later = tl.exp(-largest - higher), tl.exp(adjoint_exponent - decay - higher)
        alpha = here * by_divisor + later * alpha
        beta = later * beta - here * by_divisor * mean
        adjoint_exponent = higher
        place -= n_lanes
    row = tl.program_id(0).to(tl.int64) * n_lanes + lane
    tl.store(grad_decay_pointer + row, grad_decay, mask=is_lane)
    tl.store(grad_bonus_pointer + row, grad_bonus, mask=is_lane)


class GatedWkv(torch.autograd.Function):
    """Gradient bookkeeping around the kernels."""

    @staticmethod
    def forward(ctx: Any, decay: Tensor, bonus: Tensor, receptance: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Gated means, shaped as key."""
        inputs = tuple(tensor.contiguous() for tensor in (decay, bonus, receptance, key, value))
        gated = torch.empty_like(inputs[3])
        grid, sizes = launch(key)
        forward_kernel[grid](*inputs, gated, *sizes, block=BLOCK)
        ctx.save_for_backward(*inputs)
        return gated

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        """Gradients of decay, bonus, receptance, key and value."""
        decay, bonus, receptance, key, value = ctx.saved_tensors
        grid, sizes = launch(key)
        sums = [torch.empty_like(key) for _ in range(3)]
        sums_kernel[grid](decay, key, value, *sums, *sizes, block=BLOCK)
        outs = [torch.empty_like(key) for _ in range(3)]
        parameter_grads = [key.new_empty(len(key), sizes[1]) for _ in range(2)]
        backward_kernel[grid](
            decay,
            bonus,
            receptance,
            key,
            value,
            *sums,
            grads[0].contiguous(),
            *outs,
            *parameter_grads,
            *sizes,
            block=BLOCK,
        )
        grad_decay, grad_bonus = (grad.view(-1, len(decay)).sum(dim=0) for grad in parameter_grads)
        return grad_decay, grad_bonus, *outs


def launch(key: Tensor) -> tuple[tuple[int, int], tuple[int, int, int]]:
    """The grid of programs, and lines, lanes and features, for a key (B, Y, ..., F)."""
    n_lanes = key.shape[2:].numel()
    return (key.shape[0], triton.cdiv(n_lanes, BLOCK)), (key.shape[1], n_lanes, key.shape[-1])


def apply(decay: Tensor, bonus: Tensor, receptance: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """sigmoid(receptance) times the weighted means of (B, Y, ..., F) float32 keys and values over Y."""
    gated: Tensor = GatedWkv.apply(decay, bonus, receptance, key, value)  # type: ignore[no-untyped-call]  # torch's own
    return gated

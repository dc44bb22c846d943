"""The memory of lines of the flight network as Triton kernels, forward and backward, for CUDA.

Every (position, feature) of a line is a lane, and each program takes a block of lanes through all lines
(model/network/flight_wkv.py has the recurrence). Sums are float32, whatever the type of key and value. They are
operators of PyTorch, so that torch.compile leaves them whole; the tests reach them in Triton's interpreter. Their
annotations are strings: Triton looks names up in its own way.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from model.kernels.wkv_triton import BLOCK, launch

UNIT = tl.constexpr(1.0 / 16)  # WEIGHT_UNIT of model/network/flight_wkv.py


@triton.jit
def forward_kernel(
    rate_pointer: "Any",
    key_pointer: "Any",
    value_pointer: "Any",
    mean_pointer: "Any",
    denominator_pointer: "Any",
    n_lines: "Any",
    n_lanes: "Any",
    n_features: "Any",
    block: tl.constexpr,
) -> None:
    """Fill means and denominators; arrays (B, Y, L), rate (F,)."""
    lane = tl.program_id(1) * block + tl.arange(0, block)
    is_lane = lane < n_lanes
    rate = tl.load(rate_pointer + lane % n_features)
    numerator = tl.zeros([block], tl.float32)
    denominator = tl.full([block], UNIT, tl.float32)
    place = tl.program_id(0).to(tl.int64) * n_lines * n_lanes + lane
    for _ in range(n_lines):
        weight = tl.load(key_pointer + place, mask=is_lane, other=0.0).to(tl.float32) + UNIT
        value = tl.load(value_pointer + place, mask=is_lane, other=0.0).to(tl.float32)
        numerator += rate * (weight * value - numerator)
        denominator += rate * (weight - denominator)
        tl.store(mean_pointer + place, numerator / denominator, mask=is_lane)
        tl.store(denominator_pointer + place, denominator, mask=is_lane)
        place += n_lanes


@triton.jit
def backward_kernel(
    rate_pointer: "Any",
    key_pointer: "Any",
    value_pointer: "Any",
    mean_pointer: "Any",
    denominator_pointer: "Any",
    grad_pointer: "Any",
    grad_key_pointer: "Any",
    grad_value_pointer: "Any",
    grad_rate_pointer: "Any",
    n_lines: "Any",
    n_lanes: "Any",
    n_features: "Any",
    block: tl.constexpr,
) -> None:
    """Fill the gradients; arrays (B, Y, L), that of the rate (B, L), still to be summed.

    alpha and beta are the adjoints of numerator and denominator, from the last line to the first.
    """
    lane = tl.program_id(1) * block + tl.arange(0, block)
    is_lane = lane < n_lanes
    rate = tl.load(rate_pointer + lane % n_features)
    alpha = tl.zeros([block], tl.float32)
    beta = tl.zeros([block], tl.float32)
    grad_rate = tl.zeros([block], tl.float32)
    place = (tl.program_id(0).to(tl.int64) * n_lines + n_lines - 1) * n_lanes + lane
    mean = tl.load(mean_pointer + place, mask=is_lane, other=0.0).to(tl.float32)
    denominator = tl.load(denominator_pointer + place, mask=is_lane, other=1.0)
    for later in range(n_lines):
        is_before = is_lane & (later < n_lines - 1)
        mean_before = tl.load(mean_pointer + place - n_lanes, mask=is_before, other=0.0).to(tl.float32)
        below_before = tl.load(denominator_pointer + place - n_lanes, mask=is_before, other=UNIT)
        weight = tl.load(key_pointer + place, mask=is_lane, other=0.0).to(tl.float32) + UNIT
        value = tl.load(value_pointer + place, mask=is_lane, other=0.0).to(tl.float32)
        share = tl.load(grad_pointer + place, mask=is_lane, other=0.0).to(tl.float32) / denominator
        alpha += share
        beta -= share * mean
        tl.store(grad_key_pointer + place, rate * (alpha * value + beta), mask=is_lane)
        tl.store(grad_value_pointer + place, rate * weight * alpha, mask=is_lane)
        grad_rate += alpha * (weight * value - mean_before * below_before) + beta * (weight - below_before)
        alpha *= 1 - rate
        beta *= 1 - rate
        mean, denominator = mean_before, below_before
        place -= n_lanes
    tl.store(grad_rate_pointer + tl.program_id(0).to(tl.int64) * n_lanes + lane, grad_rate, mask=is_lane)


@torch.library.custom_op("linerwkv::line_means", mutates_args=())
def line_means(rate: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Means, of the type of `key`, and denominators, float32, of rate (F,), key and value (B, Y, ..., F)."""
    key, value = key.contiguous(), value.contiguous()
    mean, denominator = torch.empty_like(key), torch.empty_like(key, dtype=torch.float32)
    grid, sizes = launch(key)
    forward_kernel[grid](rate.contiguous(), key, value, mean, denominator, *sizes, block=BLOCK)
    return mean, denominator


@line_means.register_fake
def _(rate: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    shape = key.shape
    return key.new_empty(shape), key.new_empty(shape, dtype=torch.float32)


@torch.library.custom_op("linerwkv::line_means_backward", mutates_args=())
def line_means_backward(
    rate: Tensor, key: Tensor, value: Tensor, mean: Tensor, denominator: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of rate, key and value."""
    key, value, grad = key.contiguous(), value.contiguous(), grad.contiguous()
    grad_key, grad_value = torch.empty_like(key), torch.empty_like(value)
    grid, sizes = launch(key)
    grad_rate = key.new_empty((len(key), sizes[1]), dtype=torch.float32)
    arrays = (rate.contiguous(), key, value, mean, denominator, grad, grad_key, grad_value, grad_rate)
    backward_kernel[grid](*arrays, *sizes, block=BLOCK)
    return grad_rate.view(-1, len(rate)).sum(dim=0), grad_key, grad_value


@line_means_backward.register_fake
def _(
    rate: Tensor, key: Tensor, value: Tensor, mean: Tensor, denominator: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return rate.new_empty(rate.shape), key.new_empty(key.shape), value.new_empty(value.shape)


def keep(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: tuple[Tensor, Tensor]) -> None:
    """What the gradients need."""
    ctx.save_for_backward(*inputs, *output)


def gradients(ctx: Any, grad_mean: Tensor, grad_denominator: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of rate, key and value; the denominators are nobody's input."""
    grads: tuple[Tensor, Tensor, Tensor] = line_means_backward(*ctx.saved_tensors, grad_mean)
    return grads


line_means.register_autograd(gradients, setup_context=keep)


def means(rate: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Means (B, Y, ..., F) of rate (F,) float32 and of key and value, both of one type of float."""
    result: Tensor = line_means(rate, key, value)[0]
    return result

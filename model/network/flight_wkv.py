"""The memory of lines of the flight network: a weighted mean of values, numerator and denominator faded together.

    numerator(y)   = numerator(y-1)   + rate * (weight(y) value(y) - numerator(y-1))
    denominator(y) = denominator(y-1) + rate * (weight(y)          - denominator(y-1))

RWKV-4's WKV (equation 4 of the paper) with key = log(weight), decay = -log(1 - rate), and a bonus equal to the decay;
the sums are kept as means so that a fixed number of bits holds them. Before the first line there is one token of the
smallest weight and value zero. In integer mode the very same recurrence is rounded as docs/arithmetic.md says. The
CPU runs compiled loops, CUDA the Triton kernels of model/kernels/flight_wkv_triton.py, all else plain operations.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.kernels.cpu_path import is_compiled_path
from model.network.wkv import HAS_TRITON
from runtime.kernels.kernel_cache import njit

WEIGHT_UNIT = 1.0 / 16
"""The smallest weight; a key of zero has it."""
VALUE_UNIT = 1.0 / 32
DENOMINATOR_UNIT = 1.0 / 2048
LANES = 512


@njit(cache=True, error_model="numpy")
def forward_kernel(rate: Any, key: Any, value: Any, out_mean: Any, out_denominator: Any) -> None:
    """Fill means and denominators (B, Y, L) of key, value (B, Y, L); rate: (P,), F values repeated for a block."""
    n_batch, n_lines, n_lanes = key.shape
    unit = np.float32(WEIGHT_UNIT)
    numerator, denominator = np.empty_like(rate), np.empty_like(rate)
    for b in range(n_batch):
        for start in range(0, n_lanes, rate.shape[0]):
            n = min(rate.shape[0], n_lanes - start)
            numerator[:] = 0
            denominator[:] = unit
            for y in range(n_lines):
                keys, values = key[b, y, start : start + n], value[b, y, start : start + n]  # one index: vectorised
                means, denominators = out_mean[b, y, start : start + n], out_denominator[b, y, start : start + n]
                for i in range(n):
                    weight = keys[i] + unit
                    numerator[i] += rate[i] * (weight * values[i] - numerator[i])
                    denominator[i] += rate[i] * (weight - denominator[i])
                    denominators[i] = denominator[i]
                    means[i] = numerator[i] / denominator[i]


@njit(cache=True, error_model="numpy")
def integer_kernel(rate: Any, key: Any, value: Any, out_mean: Any, out_denominator: Any) -> None:
    """As `forward_kernel`, rounded: key in 1/16, value and mean in 1/32 (docs/arithmetic.md, section 3.4)."""
    n_batch, n_lines, n_lanes = key.shape
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    numerator, denominator = np.empty_like(rate), np.empty_like(rate)
    for b in range(n_batch):
        for start in range(0, n_lanes, rate.shape[0]):
            n = min(rate.shape[0], n_lanes - start)
            numerator[:] = 0
            denominator[:] = 128
            for y in range(n_lines):
                keys, values = key[b, y, start : start + n], value[b, y, start : start + n]
                means, denominators = out_mean[b, y, start : start + n], out_denominator[b, y, start : start + n]
                for i in range(n):
                    weight = keys[i] * np.float32(16) + one  # 1..128
                    weighted = np.float32(64) * weight * values[i]  # 2 weight (32 value), below 2**15
                    numerator[i] += np.floor(rate[i] * (weighted - numerator[i]) + half)
                    denominator[i] += np.floor(rate[i] * (np.float32(128) * weight - denominator[i]) + half)
                    above = np.float32(128) * numerator[i] + denominator[i]
                    below = denominator[i] + denominator[i]
                    quotient = np.floor(above / below)
                    rest = above - quotient * below
                    quotient += min(max(rest, -one), zero) + min(max(rest - below + one, zero), one)
                    mean = min(max(quotient, np.float32(-127)), np.float32(127))
                    denominators[i] = denominator[i] * np.float32(DENOMINATOR_UNIT)
                    means[i] = mean * np.float32(VALUE_UNIT)


@njit(cache=True, error_model="numpy")
def backward_kernel(
    rate: Any,
    key: Any,
    value: Any,
    mean: Any,
    denominator: Any,
    grad_mean: Any,
    out_key: Any,
    out_value: Any,
    out_rate: Any,
) -> None:
    """Fill the gradients; out_rate: (P,) float64 sums that start at zero.

    The adjoints of the two sums run backwards over lines: alpha(y) = dL/dnumerator(y) + (1 - rate) alpha(y + 1).
    """
    n_batch, n_lines, n_lanes = key.shape
    unit, one = np.float32(WEIGHT_UNIT), np.float32(1)
    zeros, units = np.zeros_like(rate), np.full_like(rate, unit)
    alpha, beta, total = np.empty_like(rate), np.empty_like(rate), np.empty_like(rate)
    for b in range(n_batch):
        for start in range(0, n_lanes, rate.shape[0]):
            n = min(rate.shape[0], n_lanes - start)
            alpha[:] = 0
            beta[:] = 0
            total[:] = 0
            for y in range(n_lines - 1, -1, -1):
                stop = start + n
                keys, values, means = key[b, y, start:stop], value[b, y, start:stop], mean[b, y, start:stop]
                denominators, grads = denominator[b, y, start:stop], grad_mean[b, y, start:stop]
                out_keys, out_values = out_key[b, y, start:stop], out_value[b, y, start:stop]
                if y > 0:
                    means_before, below_before = mean[b, y - 1, start:stop], denominator[b, y - 1, start:stop]
                else:
                    means_before, below_before = zeros[:n], units[:n]
                for i in range(n):
                    share = grads[i] / denominators[i]
                    a = alpha[i] + share
                    c = beta[i] - share * means[i]
                    weight = keys[i] + unit
                    out_keys[i] = rate[i] * (a * values[i] + c)
                    out_values[i] = rate[i] * weight * a
                    below = below_before[i]
                    total[i] += a * (weight * values[i] - means_before[i] * below) + c * (weight - below)
                    alpha[i] = a * (one - rate[i])
                    beta[i] = c * (one - rate[i])
            for i in range(n):
                out_rate[i] += total[i]


class WeightedMean(torch.autograd.Function):
    """The means of all lines; gradients pass the roundings of integer mode unchanged."""

    @staticmethod
    def forward(ctx: Any, rate: Tensor, key: Tensor, value: Tensor, is_integer: bool) -> Tensor:
        """rate: (F,). key, value: (B, Y, ..., F) float32 on the CPU."""
        key, value = key.contiguous(), value.contiguous()
        n_batch, n_lines = key.shape[:2]
        mean, denominator = torch.empty_like(key), torch.empty_like(key)
        block = rate.detach().repeat(max(1, LANES // len(rate)))
        flat = [array.view(n_batch, n_lines, -1).numpy() for array in (key.detach(), value.detach(), mean, denominator)]
        kernel: Any = integer_kernel if is_integer else forward_kernel
        kernel(block.numpy(), *flat)
        ctx.save_for_backward(block, key, value, mean, denominator)
        ctx.n_features = len(rate)
        return mean

    @staticmethod
    def backward(ctx: Any, grad_mean: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Gradients of rate, key and value."""
        block, key, value, mean, denominator = ctx.saved_tensors
        n_batch, n_lines = key.shape[:2]
        grad_key, grad_value = torch.empty_like(key), torch.empty_like(key)
        grad_rate = torch.zeros(len(block), dtype=torch.float64)
        arrays = (key, value, mean, denominator, grad_mean.contiguous(), grad_key, grad_value)
        kernel: Any = backward_kernel
        kernel(block.numpy(), *(a.view(n_batch, n_lines, -1).numpy() for a in arrays), grad_rate.numpy())
        return grad_rate.view(-1, ctx.n_features).sum(0).float(), grad_key, grad_value, None


def next_means(rate: Tensor, key: Tensor, value: Tensor, numerator: Tensor, denominator: Tensor) -> tuple[Tensor, ...]:
    """One line: (mean, numerator, denominator) of key, value and the two sums before, all (..., F)."""
    weight = key + WEIGHT_UNIT
    numerator = numerator + rate * (weight * value - numerator)
    denominator = denominator + rate * (weight - denominator)
    return numerator / denominator, numerator, denominator


def weighted_means(rate: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Means (B, Y, ..., F) of all lines of key and value (B, Y, ..., F), rate (F,); float model."""
    if is_compiled_path(key):
        result: Tensor = WeightedMean.apply(rate, key, value, False)  # type: ignore[no-untyped-call]  # torch's own
        return result
    if key.is_cuda and HAS_TRITON:
        from model.kernels import flight_wkv_triton

        return flight_wkv_triton.means(rate, key, value)
    numerator, denominator = torch.zeros_like(key[:, 0]), torch.full_like(key[:, 0], WEIGHT_UNIT)
    means = []
    for now_key, now_value in zip(key.unbind(1), value.unbind(1), strict=True):
        mean, numerator, denominator = next_means(rate, now_key, now_value, numerator, denominator)
        means.append(mean)
    return torch.stack(means, 1)

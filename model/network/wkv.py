"""The WKV operation of RWKV over lines (equation 4 of the paper), recurrent and for whole sequences.

`step` is the recurrence, one line at a time, stabilised by the largest exponent seen so far. `gated_over_lines` is the
form for training, with the gate of equation 5: every (band, column, feature) is independent, so all of them advance
together. It runs as one compiled loop with its own gradient on the CPU (model/kernels/wkv_cpu.py) and on CUDA
(model/kernels/wkv_triton.py); elsewhere, and for exponents too large for the CPU's loop, as a scan of steps.
"""

import importlib.util
from typing import NamedTuple

import torch
from torch import Tensor

from model.kernels import wkv_cpu
from model.kernels.cpu_path import is_compiled_path

EMPTY_EXPONENT = -1e38
HAS_TRITON = importlib.util.find_spec("triton") is not None  # it comes with PyTorch's builds for CUDA


class WkvState(NamedTuple):
    """The weighted sums over all earlier lines, all of shape (..., F)."""

    numerator: Tensor
    """Sum of e^(decay and key) times value, divided by e^exponent."""
    denominator: Tensor
    """Sum of e^(decay and key), divided by e^exponent."""
    exponent: Tensor
    """The largest exponent among the summands; EMPTY_EXPONENT before the first line."""


def initial_state(like: Tensor) -> WkvState:
    """The empty sums, shaped as `like` (..., F)."""
    zeros = torch.zeros_like(like)
    return WkvState(zeros, zeros, torch.full_like(like, EMPTY_EXPONENT))


def step(decay: Tensor, bonus: Tensor, key: Tensor, value: Tensor, state: WkvState) -> tuple[Tensor, WkvState]:
    """Weighted mean of this line's and all earlier values, and the sums with this line in them.

    decay: (F,), w > 0 of equation 4. bonus: (F,), u. key, value: (..., F).
    """
    numerator, denominator, exponent = state
    now = bonus + key
    largest = torch.maximum(exponent, now)
    past_weight, now_weight = torch.exp(exponent - largest), torch.exp(now - largest)
    mean = (past_weight * numerator + now_weight * value) / (past_weight * denominator + now_weight)
    faded = exponent - decay
    largest = torch.maximum(faded, key)
    past_weight, now_weight = torch.exp(faded - largest), torch.exp(key - largest)
    return mean, WkvState(past_weight * numerator + now_weight * value, past_weight * denominator + now_weight, largest)


def scan(decay: Tensor, bonus: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """`step` over dimension 1 (lines) of key and value (B, Y, ..., F), from the empty state."""
    # unbind once: indexing key[:, y] in the loop would make the backward pass quadratic in lines
    keys, values = key.unbind(1), value.unbind(1)
    state = initial_state(keys[0])
    means = []
    for key_now, value_now in zip(keys, values, strict=True):
        mean, state = step(decay, bonus, key_now, value_now, state)
        means.append(mean)
    return torch.stack(means, dim=1)


def gated_over_lines(decay: Tensor, bonus: Tensor, receptance: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """sigmoid(receptance) times `scan`, by the fastest code that is accurate for these exponents; shapes as there.

    Under autocast everything here is float32 all the same: sums over many lines do not survive bfloat16.
    """
    with torch.autocast(key.device.type, enabled=False):
        if key.dtype in (torch.bfloat16, torch.float16):
            receptance, key, value = receptance.float(), key.float(), value.float()
        if is_compiled_path(key) and wkv_cpu.is_accurate_for(bonus, key):
            return wkv_cpu.apply(decay, bonus, receptance, key, value)
        if key.is_cuda and key.dtype == torch.float32 and HAS_TRITON:
            from model.kernels import wkv_triton

            return wkv_triton.apply(decay, bonus, receptance, key, value)
        return torch.sigmoid(receptance) * scan(decay, bonus, key, value)

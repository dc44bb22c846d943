"""WKV over whole sequences on the CPU: one compiled pass forward, one backward, linear in lines.

The exponentials of the keys are taken beforehand by torch (vectorised), so the loops hold only multiplications,
additions and one division. That needs e^key to stay inside the number range: see `is_accurate_for`.
"""

from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

LARGEST_EXPONENT = 30.0  # e^(2 * 30) times thousands of lines stays far inside float32


def is_accurate_for(bonus: Tensor, key: Tensor) -> bool:
    """Whether the unstabilised sums neither overflow nor vanish for these exponents."""
    with torch.no_grad():
        return bool(key.abs().max() <= LARGEST_EXPONENT) and bool(bonus.abs().max() <= LARGEST_EXPONENT)


@njit(cache=True, fastmath={"contract", "nsz", "arcp"}, error_model="numpy")
def forward_kernel(fade: Any, lift: Any, weight: Any, value: Any, out_mean: Any) -> None:
    """Fill the weighted means.

    fade = e^-decay and lift = e^bonus: (F,). weight = e^key, value, out_mean: (B, Y, M, F), M positions of a line.
    """
    n_batch, n_lines, n_positions, n_features = weight.shape
    numerator, denominator = np.empty_like(fade), np.empty_like(fade)
    for b in range(n_batch):
        for m in range(n_positions):
            numerator[:] = 0
            denominator[:] = 0
            for y in range(n_lines):
                for f in range(n_features):
                    now, now_value = weight[b, y, m, f], value[b, y, m, f]
                    lifted = lift[f] * now
                    out_mean[b, y, m, f] = (numerator[f] + lifted * now_value) / (denominator[f] + lifted)
                    numerator[f] = fade[f] * numerator[f] + now * now_value
                    denominator[f] = fade[f] * denominator[f] + now


@njit(cache=True, fastmath={"contract", "nsz", "arcp"}, error_model="numpy")
def backward_kernel(
    fade: Any,
    lift: Any,
    weight: Any,
    value: Any,
    grad_mean: Any,
    out_grad_key: Any,
    out_grad_value: Any,
    out_grad_fade: Any,
    out_grad_lift: Any,
) -> None:
    """Fill the gradients; shapes as in `forward_kernel`, the last two are sums and start at zero.

    With n and d the numerator and denominator of a mean, dL/dn = g / d and dL/dd = -g * mean / d. The adjoints of the
    two sums run backwards over lines by the same fading: alpha(y) = dL/dn(y) + fade * alpha(y + 1).
    """
    n_batch, n_lines, n_positions, n_features = weight.shape
    numerator = np.empty((n_lines, n_features), weight.dtype)
    denominator = np.empty((n_lines, n_features), weight.dtype)
    alpha, beta = np.empty_like(fade), np.empty_like(fade)
    for b in range(n_batch):
        for m in range(n_positions):
            numerator[0, :] = 0
            denominator[0, :] = 0
            for y in range(n_lines - 1):
                for f in range(n_features):
                    now = weight[b, y, m, f]
                    numerator[y + 1, f] = fade[f] * numerator[y, f] + now * value[b, y, m, f]
                    denominator[y + 1, f] = fade[f] * denominator[y, f] + now
            alpha[:] = 0
            beta[:] = 0
            for y in range(n_lines - 1, -1, -1):
                for f in range(n_features):
                    now, now_value = weight[b, y, m, f], value[b, y, m, f]
                    lifted = lift[f] * now
                    inverse = 1 / (denominator[y, f] + lifted)
                    mean = (numerator[y, f] + lifted * now_value) * inverse
                    grad_n = grad_mean[b, y, m, f] * inverse
                    grad_d = -grad_n * mean
                    from_mean = now_value * grad_n + grad_d
                    out_grad_key[b, y, m, f] = now * (lift[f] * from_mean + now_value * alpha[f] + beta[f])
                    out_grad_value[b, y, m, f] = lifted * grad_n + now * alpha[f]
                    out_grad_lift[f] += now * from_mean
                    out_grad_fade[f] += numerator[y, f] * alpha[f] + denominator[y, f] * beta[f]
                    alpha[f] = grad_n + fade[f] * alpha[f]
                    beta[f] = grad_d + fade[f] * beta[f]


class WkvOverLines(torch.autograd.Function):
    """Gradient bookkeeping around the two kernels."""

    @staticmethod
    def forward(ctx: Any, decay: Tensor, bonus: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Weighted means, shaped as key."""
        fade, lift = torch.exp(-decay), torch.exp(bonus)
        weight = torch.exp(key).contiguous()
        value = value.contiguous()
        mean = torch.empty_like(value)
        weights, values, means = (as_positions(array) for array in (weight, value, mean))
        forward_kernel(fade.numpy(), lift.numpy(), weights, values, means)
        ctx.save_for_backward(fade, lift, weight, value)
        return mean

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Gradients of decay, bonus, key and value."""
        fade, lift, weight, value = ctx.saved_tensors
        grad_mean = grads[0].contiguous()
        grad_key, grad_value = torch.empty_like(weight), torch.empty_like(value)
        grad_fade, grad_lift = torch.zeros_like(fade), torch.zeros_like(lift)
        weights, values, means, keys_out, values_out = (
            as_positions(array) for array in (weight, value, grad_mean, grad_key, grad_value)
        )
        backward_kernel(
            fade.numpy(),
            lift.numpy(),
            weights,
            values,
            means,
            keys_out,
            values_out,
            grad_fade.numpy(),
            grad_lift.numpy(),
        )
        return -fade * grad_fade, lift * grad_lift, grad_key, grad_value


def as_positions(tensor: Tensor) -> Any:
    """The contiguous tensor (B, Y, ..., F) as a NumPy view (B, Y, M, F)."""
    return tensor.detach().view(tensor.shape[0], tensor.shape[1], -1, tensor.shape[-1]).numpy()


def apply(decay: Tensor, bonus: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Weighted means of (B, Y, ..., F) keys and values over Y, as `model.wkv.scan`."""
    mean: Tensor = WkvOverLines.apply(decay, bonus, key, value)  # type: ignore[no-untyped-call]  # torch leaves it so
    return mean

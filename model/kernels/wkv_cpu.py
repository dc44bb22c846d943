"""The gated WKV over whole sequences on the CPU: one compiled pass forward, one backward, linear in lines.

Every (position, feature) of a line is an independent lane. A block of lanes is taken through all its lines before the
next, so that its sums stay in the first cache. The sums are not stabilised: that needs e^key to stay inside the number
range, see `is_accurate_for`.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.kernels.float32_math import FASTMATH, exp32, sigmoid32
from runtime.kernels.kernel_cache import njit

LARGEST_EXPONENT = 30.0  # e^(2 * 30) times thousands of lines stays far inside float32
LANES = 256  # of a block: 1 KiB a row, so that the rows of 64 lines fit the second cache
ONE = np.float32(1)


def is_accurate_for(bonus: Tensor, key: Tensor) -> bool:
    """Whether the unstabilised sums neither overflow nor vanish for these exponents; False for NaN."""
    bounds = (*torch.aminmax(key.detach()), *torch.aminmax(bonus.detach()))
    return all(abs(float(bound)) <= LARGEST_EXPONENT for bound in bounds)


@njit(cache=True, fastmath=FASTMATH, error_model="numpy")
def forward_kernel(fade: Any, lift: Any, receptance: Any, key: Any, value: Any, out_gated: Any) -> None:
    """Fill sigmoid(receptance) times the weighted means.

    fade = e^-decay and lift = e^bonus: (P,), F values repeated for a block of lanes. The others: (B, Y, L).
    """
    n_batch, n_lines, n_lanes = key.shape
    numerator, denominator = np.empty_like(fade), np.empty_like(fade)
    for b in range(n_batch):
        for start in range(0, n_lanes, fade.shape[0]):
            n = min(fade.shape[0], n_lanes - start)
            numerator[:] = 0
            denominator[:] = 0
            for y in range(n_lines):
                for i in range(n):
                    now, now_value = exp32(key[b, y, start + i]), value[b, y, start + i]
                    lifted = lift[i] * now
                    # one division for the mean and the sigmoid
                    divisor = (denominator[i] + lifted) * (ONE + exp32(-receptance[b, y, start + i]))
                    out_gated[b, y, start + i] = (numerator[i] + lifted * now_value) / divisor
                    numerator[i] = fade[i] * numerator[i] + now * now_value
                    denominator[i] = fade[i] * denominator[i] + now


@njit(cache=True, fastmath=FASTMATH, error_model="numpy")
def backward_kernel(
    fade: Any,
    lift: Any,
    receptance: Any,
    key: Any,
    value: Any,
    grad_gated: Any,
    out_receptance: Any,
    out_key: Any,
    out_value: Any,
    out_fade: Any,
    out_lift: Any,
) -> None:
    """Fill the gradients; shapes as in `forward_kernel`. out_fade, out_lift: (P,) float64 sums that start at zero.

    With n and d the numerator and denominator of a mean and g its gradient, dL/dn = g / d and dL/dd = -g * mean / d.
    The adjoints of the two sums run backwards over lines by the same fading: alpha(y) = dL/dn(y) + fade * alpha(y + 1).
    """
    n_batch, n_lines, n_lanes = key.shape
    n_block = fade.shape[0]
    weight = np.empty((n_lines, n_block), np.float32)
    numerator, denominator = np.empty_like(weight), np.empty_like(weight)
    alpha, beta = np.empty_like(fade), np.empty_like(fade)
    mean, inverse, grad_n = np.empty_like(fade), np.empty_like(fade), np.empty_like(fade)
    sum_fade, sum_lift = np.empty_like(fade), np.empty_like(fade)
    for b in range(n_batch):
        for start in range(0, n_lanes, n_block):
            n = min(n_block, n_lanes - start)
            numerator[0, :] = 0
            denominator[0, :] = 0
            for y in range(n_lines):
                for i in range(n):
                    weight[y, i] = exp32(key[b, y, start + i])
                if y + 1 < n_lines:
                    for i in range(n):
                        numerator[y + 1, i] = fade[i] * numerator[y, i] + weight[y, i] * value[b, y, start + i]
                        denominator[y + 1, i] = fade[i] * denominator[y, i] + weight[y, i]
            alpha[:] = 0
            beta[:] = 0
            sum_fade[:] = 0
            sum_lift[:] = 0
            for y in range(n_lines - 1, -1, -1):
                # few arrays to a loop: with more, the compiler gives up proving that they do not overlap
                for i in range(n):
                    lifted = lift[i] * weight[y, i]
                    inverse[i] = ONE / (denominator[y, i] + lifted)
                    mean[i] = (numerator[y, i] + lifted * value[b, y, start + i]) * inverse[i]
                for i in range(n):
                    gate = sigmoid32(receptance[b, y, start + i])
                    grad_mean = gate * grad_gated[b, y, start + i]
                    out_receptance[b, y, start + i] = grad_mean * mean[i] * (ONE - gate)
                    grad_n[i] = grad_mean * inverse[i]
                for i in range(n):
                    from_mean = (value[b, y, start + i] - mean[i]) * grad_n[i]
                    out_key[b, y, start + i] = weight[y, i] * (
                        lift[i] * from_mean + value[b, y, start + i] * alpha[i] + beta[i]
                    )
                    sum_lift[i] += weight[y, i] * from_mean
                for i in range(n):
                    out_value[b, y, start + i] = weight[y, i] * (lift[i] * grad_n[i] + alpha[i])
                for i in range(n):
                    sum_fade[i] += numerator[y, i] * alpha[i] + denominator[y, i] * beta[i]
                    alpha[i] = fade[i] * alpha[i] + grad_n[i]
                    beta[i] = fade[i] * beta[i] - grad_n[i] * mean[i]
            for i in range(n):
                out_fade[i] += sum_fade[i]
                out_lift[i] += sum_lift[i]


class GatedWkv(torch.autograd.Function):
    """Gradient bookkeeping around the two kernels."""

    @staticmethod
    def forward(ctx: Any, decay: Tensor, bonus: Tensor, receptance: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Gated means, shaped as key."""
        repeats = max(1, LANES // len(decay))
        fade, lift = torch.exp(-decay).repeat(repeats), torch.exp(bonus).repeat(repeats)
        receptance, key, value = receptance.contiguous(), key.contiguous(), value.contiguous()
        gated = torch.empty_like(value)
        forward_kernel(fade.numpy(), lift.numpy(), *(lanes(array) for array in (receptance, key, value, gated)))
        ctx.save_for_backward(fade, lift, receptance, key, value)
        ctx.n_features = len(decay)
        return gated

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        """Gradients of decay, bonus, receptance, key and value."""
        fade, lift, *inputs = ctx.saved_tensors
        outputs = [torch.empty_like(array) for array in inputs]
        sum_fade, sum_lift = (torch.zeros_like(fade, dtype=torch.float64) for _ in range(2))
        backward_kernel(
            fade.numpy(),
            lift.numpy(),
            *(lanes(array) for array in (*inputs, grads[0].contiguous(), *outputs)),
            sum_fade.numpy(),
            sum_lift.numpy(),
        )
        grad_decay, grad_bonus = (
            total.view(-1, ctx.n_features).sum(dim=0).float() for total in (-fade * sum_fade, lift * sum_lift)
        )
        return grad_decay, grad_bonus, *outputs


def lanes(tensor: Tensor) -> Any:
    """The contiguous tensor (B, Y, ..., F) as a NumPy view (B, Y, L)."""
    return tensor.detach().view(tensor.shape[0], tensor.shape[1], -1).numpy()


def apply(decay: Tensor, bonus: Tensor, receptance: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """sigmoid(receptance) times the weighted means of (B, Y, ..., F) float32 keys and values over Y."""
    gated: Tensor = GatedWkv.apply(decay, bonus, receptance, key, value)  # type: ignore[no-untyped-call]  # torch's own
    return gated

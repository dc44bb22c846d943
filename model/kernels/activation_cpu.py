"""The elementwise ends of the network's layers as one compiled pass each way.

`norm_gelu`: layer normalisation, then GELU (after every convolution). `squared_relu` and `gated_sum`: the inside and
the end of channel mixing (equation 6 of the paper).
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.kernels.float32_math import FASTMATH, normal32, sigmoid32
from model.kernels.norm_mix_cpu import statistics
from runtime.kernels.kernel_cache import njit

ROWS = 256  # whose parameter gradients are summed in float32 before they join the float64 sums
ONE, TWO, ZERO = np.float32(1), np.float32(2), np.float32(0)


@njit(cache=True, fastmath=FASTMATH, error_model="numpy")
def norm_gelu_forward(rows: Any, gain: Any, offset: Any, out: Any) -> None:
    """Fill gelu(gain * normalised + offset). rows, out: (N, F). gain, offset: (F,)."""
    for i in range(rows.shape[0]):
        mean, inverse = statistics(rows[i])
        for f in range(rows.shape[1]):
            scaled = (rows[i, f] - mean) * inverse * gain[f] + offset[f]
            distribution, _ = normal32(scaled)
            out[i, f] = scaled * distribution


@njit(cache=True, fastmath=FASTMATH, error_model="numpy")
def norm_gelu_backward(
    rows: Any, gain: Any, offset: Any, grad: Any, out_rows: Any, out_gain: Any, out_offset: Any
) -> None:
    """Fill the gradient of rows and add those of gain and offset (float64, starting at zero)."""
    n_rows, n_features = rows.shape
    row, row_grad = np.empty(n_features, np.float32), np.empty(n_features, np.float32)
    sum_gain, sum_offset = np.empty_like(gain), np.empty_like(offset)
    n = np.float32(n_features)
    for start in range(0, n_rows, ROWS):
        sum_gain[:] = 0
        sum_offset[:] = 0
        for i in range(start, min(n_rows, start + ROWS)):
            mean, inverse = statistics(rows[i])
            total, product = ZERO, ZERO
            for f in range(n_features):
                row[f] = (rows[i, f] - mean) * inverse
                scaled = row[f] * gain[f] + offset[f]
                distribution, density = normal32(scaled)
                row_grad[f] = grad[i, f] * (distribution + scaled * density)
                sum_gain[f] += row_grad[f] * row[f]
                sum_offset[f] += row_grad[f]
                row_grad[f] *= gain[f]
            for f in range(n_features):
                total += row_grad[f]
                product += row_grad[f] * row[f]
            total, product = total / n, product / n
            for f in range(n_features):
                out_rows[i, f] = inverse * (row_grad[f] - total - row[f] * product)
        for f in range(n_features):
            out_gain[f] += sum_gain[f]
            out_offset[f] += sum_offset[f]


@njit(cache=True, fastmath=FASTMATH)
def squared_relu_forward(key: Any, out: Any) -> None:
    """Fill max(key, 0)^2; both (N,)."""
    for i in range(key.shape[0]):
        positive = max(key[i], ZERO)
        out[i] = positive * positive


@njit(cache=True, fastmath=FASTMATH)
def squared_relu_backward(key: Any, grad: Any, out: Any) -> None:
    """Fill 2 * max(key, 0) * grad; all (N,)."""
    for i in range(key.shape[0]):
        out[i] = TWO * max(key[i], ZERO) * grad[i]


@njit(cache=True, fastmath=FASTMATH, error_model="numpy")
def gated_sum_forward(lines: Any, receptance: Any, value: Any, out: Any) -> None:
    """Fill lines + sigmoid(receptance) * value; all (N,)."""
    for i in range(lines.shape[0]):
        out[i] = lines[i] + sigmoid32(receptance[i]) * value[i]


@njit(cache=True, fastmath=FASTMATH, error_model="numpy")
def gated_sum_backward(receptance: Any, value: Any, grad: Any, out_receptance: Any, out_value: Any) -> None:
    """Fill the gradients of receptance and value; all (N,)."""
    for i in range(grad.shape[0]):
        gate = sigmoid32(receptance[i])
        out_value[i] = gate * grad[i]
        out_receptance[i] = gate * grad[i] * value[i] * (ONE - gate)


class NormGelu(torch.autograd.Function):
    """Gradient bookkeeping of `norm_gelu`."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
        """Activations, shaped as rows."""
        rows = rows.contiguous()
        out = torch.empty_like(rows)
        ctx.save_for_backward(rows, gain, offset)
        norm_gelu_forward(as_rows(rows), gain.numpy(), offset.numpy(), as_rows(out))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients of rows, gain and offset."""
        rows, gain, offset = ctx.saved_tensors
        out = torch.empty_like(rows)
        sums = [torch.zeros_like(parameter, dtype=torch.float64) for parameter in (gain, offset)]
        norm_gelu_backward(
            as_rows(rows),
            gain.numpy(),
            offset.numpy(),
            as_rows(grads[0].contiguous()),
            as_rows(out),
            *(total.numpy() for total in sums),
        )
        return out, sums[0].float(), sums[1].float()


class SquaredRelu(torch.autograd.Function):
    """Gradient bookkeeping of `squared_relu`."""

    @staticmethod
    def forward(ctx: Any, key: Tensor) -> Tensor:
        """max(key, 0)^2."""
        key = key.contiguous()
        out = torch.empty_like(key)
        ctx.save_for_backward(key)
        squared_relu_forward(flat(key), flat(out))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """Gradient of key."""
        (key,) = ctx.saved_tensors
        out = torch.empty_like(key)
        squared_relu_backward(flat(key), flat(grads[0].contiguous()), flat(out))
        return out


class GatedSum(torch.autograd.Function):
    """Gradient bookkeeping of `gated_sum`."""

    @staticmethod
    def forward(ctx: Any, lines: Tensor, receptance: Tensor, value: Tensor) -> Tensor:
        """Lines + sigmoid(receptance) * value."""
        lines, receptance, value = lines.contiguous(), receptance.contiguous(), value.contiguous()
        out = torch.empty_like(lines)
        ctx.save_for_backward(receptance, value)
        gated_sum_forward(flat(lines), flat(receptance), flat(value), flat(out))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients of lines, receptance and value."""
        receptance, value = ctx.saved_tensors
        grad_receptance, grad_value = torch.empty_like(receptance), torch.empty_like(value)
        gated_sum_backward(
            flat(receptance), flat(value), flat(grads[0].contiguous()), flat(grad_receptance), flat(grad_value)
        )
        return grads[0], grad_receptance, grad_value


def as_rows(tensor: Tensor) -> Any:
    """The contiguous tensor (..., F) as a NumPy view (N, F)."""
    return tensor.detach().view(-1, tensor.shape[-1]).numpy()


def flat(tensor: Tensor) -> Any:
    """The contiguous tensor as a NumPy view (N,)."""
    return tensor.detach().view(-1).numpy()


def norm_gelu(rows: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """GELU of the layer normalisation of float32 rows (..., F)."""
    out: Tensor = NormGelu.apply(rows, gain, offset)  # type: ignore[no-untyped-call]  # torch's own
    return out


def squared_relu(key: Tensor) -> Tensor:
    """max(key, 0)^2 of a float32 tensor."""
    out: Tensor = SquaredRelu.apply(key)  # type: ignore[no-untyped-call]  # torch's own
    return out


def gated_sum(lines: Tensor, receptance: Tensor, value: Tensor) -> Tensor:
    """Lines + sigmoid(receptance) * value of float32 tensors of one shape."""
    out: Tensor = GatedSum.apply(lines, receptance, value)  # type: ignore[no-untyped-call]  # torch's own
    return out

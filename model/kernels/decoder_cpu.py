"""What surrounds the spectral predictor, compiled: the difference signal before it and the decoder after it."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.kernels.float32_math import FASTMATH
from runtime.kernels.kernel_cache import njit


@njit(cache=True)
def difference_forward(encoded: Any, spatial: Any, out_known: Any) -> None:
    """Fill each band with encoded - spatial of the band before it, zeros in band 0.

    encoded: (B, Y + 1, Z, P), the lines from one before the first on; spatial, out_known: (B, Y, Z, P).
    """
    n_batch, n_lines, n_bands, n_inner = spatial.shape
    for b in range(n_batch):
        for y in range(n_lines):
            for p in range(n_inner):
                out_known[b, y, 0, p] = 0
            for z in range(1, n_bands):
                for p in range(n_inner):
                    out_known[b, y, z, p] = encoded[b, y + 1, z - 1, p] - spatial[b, y, z - 1, p]


@njit(cache=True)
def difference_backward(grad: Any, out_encoded: Any, out_spatial: Any) -> None:
    """Fill the gradients; shapes as in `difference_forward`."""
    n_batch, n_lines, n_bands, n_inner = grad.shape
    for b in range(n_batch):
        out_encoded[b, 0] = 0
        for y in range(n_lines):
            out_encoded[b, y + 1, n_bands - 1] = 0
            out_spatial[b, y, n_bands - 1] = 0
            for z in range(n_bands - 1):
                for p in range(n_inner):
                    out_encoded[b, y + 1, z, p] = grad[b, y, z + 1, p]
                    out_spatial[b, y, z, p] = -grad[b, y, z + 1, p]


@njit(cache=True, fastmath=FASTMATH)
def decode_forward(spectral: Any, spatial: Any, weight: Any, first_weight: Any, out_sums: Any) -> None:
    """Fill the decoder's products (N, Z, X).

    spectral, spatial: (N, Z, X, F). weight: (2F,). first_weight: (F,).
    """
    n_features = first_weight.shape[0]
    for n in range(spatial.shape[0]):
        for z in range(spatial.shape[1]):
            for x in range(spatial.shape[2]):
                total = np.float32(0)
                if z == 0:
                    for f in range(n_features):
                        total += first_weight[f] * spatial[n, z, x, f]
                else:
                    for f in range(n_features):
                        total += weight[f] * spectral[n, z, x, f] + weight[n_features + f] * spatial[n, z, x, f]
                out_sums[n, z, x] = total


@njit(cache=True, fastmath=FASTMATH)
def decode_backward(
    spectral: Any,
    spatial: Any,
    weight: Any,
    first_weight: Any,
    grad: Any,
    out_spectral: Any,
    out_spatial: Any,
    out_weight: Any,
    out_first_weight: Any,
) -> None:
    """Fill the gradients; those of the weights are float64 sums that start at zero."""
    n_features = first_weight.shape[0]
    sums = np.empty_like(weight)
    for n in range(spatial.shape[0]):
        for z in range(spatial.shape[1]):
            sums[:] = 0
            for x in range(spatial.shape[2]):
                g = grad[n, z, x]
                if z == 0:
                    for f in range(n_features):
                        sums[f] += g * spatial[n, z, x, f]
                        out_spectral[n, z, x, f] = 0
                        out_spatial[n, z, x, f] = g * first_weight[f]
                else:
                    for f in range(n_features):
                        sums[f] += g * spectral[n, z, x, f]
                        sums[n_features + f] += g * spatial[n, z, x, f]
                        out_spectral[n, z, x, f] = g * weight[f]
                        out_spatial[n, z, x, f] = g * weight[n_features + f]
            if z == 0:
                for f in range(n_features):
                    out_first_weight[f] += sums[f]
            else:
                for f in range(2 * n_features):
                    out_weight[f] += sums[f]


class KnownDifference(torch.autograd.Function):
    """Gradient bookkeeping of `known_difference`."""

    @staticmethod
    def forward(ctx: Any, encoded: Tensor, spatial: Tensor) -> Tensor:
        """(B, Y + 1, Z, X, F) and (B, Y, Z, X, F) to the latter's shape."""
        encoded, spatial = encoded.contiguous(), spatial.contiguous()
        known = torch.empty_like(spatial)
        ctx.shape = encoded.shape
        difference_forward(bands(encoded), bands(spatial), bands(known))
        return known

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of encoded and spatial."""
        grad_encoded, grad_spatial = grads[0].new_empty(ctx.shape), torch.empty_like(grads[0])
        difference_backward(bands(grads[0].contiguous()), bands(grad_encoded), bands(grad_spatial))
        return grad_encoded, grad_spatial


class Decode(torch.autograd.Function):
    """Gradient bookkeeping of `decode`."""

    @staticmethod
    def forward(ctx: Any, spectral: Tensor, spatial: Tensor, weight: Tensor, first_weight: Tensor) -> Tensor:
        """(B, Y, Z, X, F) twice to (B, Y, Z, X)."""
        tensors = spectral.contiguous(), spatial.contiguous(), weight, first_weight
        sums = spatial.new_empty(spatial.shape[:-1])
        ctx.save_for_backward(*tensors)
        decode_forward(*decoder_views(*tensors), sums.view(-1, *sums.shape[2:]).numpy())
        return sums

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        """Gradients of both features and both weights."""
        spectral, spatial, weight, first_weight = ctx.saved_tensors
        grad = grads[0].contiguous()
        outs = torch.empty_like(spectral), torch.empty_like(spatial)
        sums = [torch.zeros_like(array, dtype=torch.float64) for array in (weight, first_weight)]
        decode_backward(
            *decoder_views(spectral, spatial, weight, first_weight),
            grad.view(-1, *grad.shape[2:]).numpy(),
            *decoder_views(*outs, *sums),
        )
        return *outs, sums[0].float(), sums[1].float()


def bands(tensor: Tensor) -> Any:
    """The contiguous tensor (B, Y, Z, X, F) as a NumPy view (B, Y, Z, P)."""
    return tensor.detach().view(*tensor.shape[:3], -1).numpy()


def decoder_views(spectral: Tensor, spatial: Tensor, weight: Tensor, first_weight: Tensor) -> tuple[Any, ...]:
    """Features (B, Y, Z, X, F) as NumPy views (N, Z, X, F), weights (1, n) as (n,)."""
    features = (tensor.detach().view(-1, *tensor.shape[2:]).numpy() for tensor in (spectral, spatial))
    return *features, *(array.detach().view(-1).numpy() for array in (weight, first_weight))


def known_difference(encoded: Tensor, spatial: Tensor) -> Tensor:
    """For each band the difference signal of the band before it, zeros in band 0; shaped as spatial (B, Y, Z, X, F).

    encoded: (B, Y + 1, Z, X, F), of which line 0 is not used.
    """
    known: Tensor = KnownDifference.apply(encoded, spatial)  # type: ignore[no-untyped-call]  # torch's own
    return known


def decode(spectral: Tensor, spatial: Tensor, decoder: torch.nn.Linear, first_band_decoder: torch.nn.Linear) -> Tensor:
    """Corrections (B, Y, Z, X) from features (B, Y, Z, X, F): band 0 by the first band's decoder, others by decoder."""
    sums: Tensor = Decode.apply(spectral, spatial, decoder.weight, first_band_decoder.weight)  # type: ignore[no-untyped-call]  # torch's own
    n_others = sums.shape[2] - 1
    offsets = torch.cat([first_band_decoder.bias, decoder.bias.expand(n_others)])
    return sums + offsets[:, None]

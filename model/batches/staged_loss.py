"""A loss that knows what follows the network: the adaptive stage, which fits every band anew.

In flight the network's prediction is one regressor among many of an online least-squares fit
(runtime/adaptive/regressors.py). What counts is the part of the prediction that the others do not know. So each band of
a crop is fitted here by all of them, and the loss is the size of what the fit leaves. The weights of a fit minimise
that very size, so its derivative with respect to them is zero, and gradients flow through the network's prediction
alone. Regressors are planes, so that norms, products and sums read memory in its order.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from model.kernels.weighted_products_cpu import weighted_products
from runtime.cell.flight_statistics import N_BEFORE

WEST, UNIT = N_BEFORE + 2, N_BEFORE + 14
"""Of `runtime.cell.flight_inputs.fill_differences`: the sample north-west minus that north; the unit, 0 outside."""
N_FAR = 20
"""Bands before whose line differences the stage sees; the filter's differences already hold N_BEFORE of them."""
SIZE_FLOOR = 8.0
"""Sample units; in the first round a sample teaches less where the network alone is far off."""
SOFTNESS = 1.0
"""Sample units: residuals count by their size beyond it, by their square below it."""
ROUNDS = 2
RIDGE = 1e-5
"""Of the energy of the regressors, as in the stage."""
SMALLEST = 1e-12


def size(residual: Tensor) -> Tensor:
    """|residual|, rounded off around zero; zero for zero."""
    return torch.sqrt(residual * residual + SOFTNESS**2) - SOFTNESS


def regressor_planes(differences: Tensor, target: Tensor, earlier: Tensor, own: Sequence[Tensor]) -> Tensor:
    """What a fit of each band sees: (B, Z, K + 1, N) float64, a plane of N = Y X samples a regressor, the target last.

    First what the stage knows without a network: the filter's differences; the sample west minus the one north, and the
    one west of it minus that; line differences of the bands N_BEFORE + 1..N_FAR before. What lies beyond the crop's
    first column, or before its bands, is zero. Then `own`, what the network gives, each (B, Y, Z, X). The others are
    those of a batch.
    """
    west, is_inside = differences[..., WEST], differences[..., UNIT] > 0
    line_differences = torch.cat([earlier, target], dim=2)
    missing = N_FAR - earlier.shape[2]
    line_differences = F.pad(line_differences, (0, 0, missing, 0)) if missing > 0 else line_differences
    first = line_differences.shape[2] - target.shape[2]
    others = [
        F.pad(target[..., :-1] + west[..., 1:], (1, 0)),
        F.pad(target[..., :-2] - target[..., 1:-1] + west[..., 1:-1], (2, 0)) if target.shape[3] > 2 else 0 * target,
    ]
    others += [line_differences.narrow(2, first - i, target.shape[2]) for i in range(N_BEFORE + 1, N_FAR + 1)]
    parts = [*(other * is_inside for other in others), *own, target]
    n_batch, n_lines, n_bands, n_columns, n_taps = differences.shape
    shape = (n_batch, n_bands, n_taps + len(parts), n_lines, n_columns)
    planes = target.new_empty(shape, dtype=torch.float64)
    planes[:, :, :n_taps] = differences.permute(0, 2, 4, 1, 3)
    for i, part in enumerate(parts, n_taps):
        planes[:, :, i] = part.transpose(1, 2)
    return planes.flatten(3)


def weighted_sum(weights: Tensor, planes: Tensor) -> Tensor:
    """The first k planes of (B, Z, K + 1, N), each times its weight, (B, Z, k): (B, Z, N)."""
    return (weights[:, :, None] @ planes[:, :, : weights.shape[2]])[:, :, 0]


def fitted(planes: Tensor, network: Tensor, rounds: int = ROUNDS) -> Tensor:
    """Weights (B, Z, K) that make the mean `size` of target - weights * regressors small; no gradients.

    planes: of `regressor_planes`. network: (B, Z, N), the network's own correction. Each round solves weighted least
    squares. All is float64: the products of large and nearly equal regressors need it, and no device shortens it.
    """
    n, target = planes.shape[2] - 1, planes[:, :, -1]
    norms = torch.linalg.vector_norm(planes, dim=3) + SMALLEST  # (B, Z, K + 1)
    ratios = norms[..., n:] / norms[..., :n]
    identity = torch.eye(n, dtype=planes.dtype, device=planes.device)
    shares, weights = 1 / (SIZE_FLOOR + (target - network).abs()), torch.zeros_like(ratios)
    for number in range(rounds):
        if number > 0:
            residual = target - weighted_sum(weights, planes)
            shares = 1 / torch.sqrt(residual * residual + SOFTNESS**2)
        products = weighted_products(planes, shares) / (norms[..., None] * norms[..., None, :])  # (B, Z, K + 1, K + 1)
        system = products[..., :n, :n]
        ridge = RIDGE * system.diagonal(dim1=2, dim2=3).mean(dim=2)[..., None, None] + SMALLEST
        factor = torch.linalg.cholesky_ex(system + ridge * identity)[0]  # does not wait
        weights = torch.cholesky_solve(products[..., :n, n:], factor)[..., 0] * ratios
    return weights


def fit_error(correction: Tensor, differences: Tensor, target: Tensor, earlier: Tensor, rounds: int = ROUNDS) -> Tensor:
    """What a fit of each band leaves of the target, (B, Y, Z, X) in sample units.

    correction, target: (B, Y, Z, X). differences: (B, Y, Z, X, TAPS). earlier: (B, Y, E, X), of E bands before.
    """
    below = F.pad((target - correction)[:, :, :-1], (0, 0, 1, 0))  # the network's error in the band before
    with torch.no_grad():
        planes = regressor_planes(differences, target, earlier, [correction, below])
        weights = fitted(planes, correction.transpose(1, 2).flatten(2), rounds)
        others = (
            weighted_sum(weights[..., :-2], planes).view_as(target.transpose(1, 2)).transpose(1, 2).to(target.dtype)
        )
        now, before = weights.to(target.dtype)[:, None, :, None, -2:].unbind(-1)
    return target - others - now * correction - before * below

"""A loss that knows what follows the network: the adaptive stage, which fits every band anew.

In flight the network's prediction is one regressor among many of an online least-squares fit
(runtime/adaptive/regressors.py). What counts is the part of the prediction that the others do not know. So each band of
a crop is fitted here by all of them, and the loss is the size of what the fit leaves. The weights of a fit minimise
that very size, so its derivative with respect to them is zero, and gradients flow through the network's prediction
alone.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

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


def known_regressors(differences: Tensor, target: Tensor, earlier: Tensor) -> Tensor:
    """What the stage knows without a network: (B, Z, Y, X, K - 2) of the differences, target and earlier of a batch.

    The filter's differences; the sample west minus the one north, and the one west of it minus that; line differences
    of the bands N_BEFORE + 1..N_FAR before. What lies beyond the crop's first column, or before its bands, is zero.
    """
    west, is_inside = differences[..., WEST], differences[..., UNIT] > 0
    line_differences = torch.cat([earlier, target], dim=2)
    missing = N_FAR - earlier.shape[2]
    line_differences = F.pad(line_differences, (0, 0, missing, 0)) if missing > 0 else line_differences
    first = line_differences.shape[2] - target.shape[2]
    own = [
        F.pad(target[..., :-1] + west[..., 1:], (1, 0)),
        F.pad(target[..., :-2] - target[..., 1:-1] + west[..., 1:-1], (2, 0)) if target.shape[3] > 2 else 0 * target,
    ]
    far = [line_differences.narrow(2, first - i, target.shape[2]) for i in range(N_BEFORE + 1, N_FAR + 1)]
    others = torch.stack(own + far, dim=-1) * is_inside[..., None]
    return torch.cat([differences, others], dim=-1).transpose(1, 2)


def fitted(rows: Tensor, target: Tensor, network: Tensor, rounds: int = ROUNDS) -> Tensor:
    """Weights (B, Z, K) that make the mean `size` of target - rows * weights small; no gradients.

    rows: (B, Z, N, K). target, network: (B, Z, N), the second being the network's own correction. Each round solves
    weighted least squares in float64; the products of large and nearly equal regressors need it.
    """
    scale = torch.linalg.vector_norm(rows, dim=2) + SMALLEST  # (B, Z, K)
    with_target = torch.cat([rows / scale[:, :, None], target[..., None]], dim=-1).double()  # (B, Z, N, K + 1)
    shares = 1 / (SIZE_FLOOR + (target - network).abs())
    n, weights = rows.shape[-1], torch.zeros_like(scale)
    for number in range(rounds):
        if number > 0:
            residual = target - (rows * weights[:, :, None]).sum(-1)
            shares = 1 / torch.sqrt(residual * residual + SOFTNESS**2)
        weighted = with_target * torch.sqrt(shares)[..., None]
        products = weighted.transpose(2, 3) @ weighted  # (B, Z, K + 1, K + 1)
        system = products[..., :n, :n]
        ridge = RIDGE * system.diagonal(dim1=2, dim2=3).mean(dim=2)[..., None, None] + SMALLEST
        factor = torch.linalg.cholesky_ex(system + ridge * torch.eye(n, device=rows.device))[0]  # does not wait
        weights = torch.cholesky_solve(products[..., :n, n:], factor)[..., 0].to(rows.dtype) / scale
    return weights


def fit_error(correction: Tensor, differences: Tensor, target: Tensor, earlier: Tensor, rounds: int = ROUNDS) -> Tensor:
    """What a fit of each band leaves of the target, (B, Y, Z, X) in sample units.

    correction, target: (B, Y, Z, X). differences: (B, Y, Z, X, TAPS). earlier: (B, Y, E, X), of E bands before.
    """
    below = F.pad((target - correction)[:, :, :-1], (0, 0, 1, 0))  # the network's error in the band before
    with torch.no_grad():
        known = known_regressors(differences, target, earlier)
        own = torch.stack([correction, below], dim=-1).transpose(1, 2)
        rows = torch.cat([known, own], dim=-1)  # (B, Z, Y, X, K)
        flat = [part.transpose(1, 2).flatten(2, 3) for part in (target, correction)]
        weights = fitted(rows.flatten(2, 3), flat[0], flat[1], rounds)
        others = (rows[..., :-2] * weights[:, :, None, None, :-2]).sum(-1).transpose(1, 2)
        now, before = weights[:, None, :, None, -2], weights[:, None, :, None, -1]
    return target - others - now * correction - before * below

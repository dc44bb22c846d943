"""The loss that fits every band: its gradient is that of the whole minimum, and nothing that is known is paid for."""

import numpy as np
import pytest
import torch
from torch import Tensor

from model.batches.flight_bank import BankBatches, build_bank
from model.batches.flight_batches import FlightBatch, FlightPlan
from model.batches.staged_loss import N_FAR, RIDGE, UNIT, WEST, fit_error, regressor_planes, size
from model.scenes.scene import Scene
from model.training.losses import staged_loss
from runtime.cell.flight_inputs import TAPS
from runtime.cell.flight_statistics import N_BEFORE

SHAPE = (2, 24, 3, 12)  # B, Y, Z, X
MANY = 400  # rounds, until the weights are those of the minimum
STEP = 1e-4
SLOPE_TOLERANCE = 2e-3  # the ridge keeps the weights 1e-5 away from the minimum


def problem(seed: int = 0, shape: tuple[int, int, int, int] = SHAPE) -> dict[str, Tensor]:
    """A target that is partly known to the regressors, partly to the network, partly noise."""
    generator = torch.Generator().manual_seed(seed)

    def noise(*sizes: int) -> Tensor:
        return torch.randn(*sizes, generator=generator, dtype=torch.float64)

    differences, secret = 20 * noise(*shape, TAPS), 20 * noise(*shape)
    differences[..., UNIT] = 3
    target = 0.4 * differences[..., 0] - 0.2 * differences[..., 3] + secret + 8 * noise(*shape)
    b, y, _, x = shape
    return {
        "correction": 0.5 * secret + 6 * noise(*shape),
        "differences": differences,
        "target": target,
        "earlier": 10 * noise(b, y, 4, x),
    }


def objective(parts: dict[str, Tensor], rounds: int) -> Tensor:
    return size(fit_error(**parts, rounds=rounds)).mean(dim=(1, 3)).log2().mean()


def test_the_gradient_is_that_of_the_whole_minimum() -> None:
    parts = problem()
    correction = parts["correction"].requires_grad_()
    (slope,) = torch.autograd.grad(objective(parts, MANY), correction)
    for seed in range(3):
        direction = torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        ends = [
            objective({**parts, "correction": correction.detach() + sign * STEP * direction}, MANY) for sign in (1, -1)
        ]
        quotient = float(ends[0] - ends[1]) / (2 * STEP)
        assert abs(quotient - float((slope * direction).sum())) <= SLOPE_TOLERANCE * float(slope.norm())


def test_a_step_along_the_gradient_makes_the_loss_smaller() -> None:
    parts = problem()
    correction = parts["correction"].requires_grad_()
    loss = objective(parts, 2)
    (slope,) = torch.autograd.grad(loss, correction)
    better = {**parts, "correction": correction.detach() - 0.1 * slope / slope.norm() * correction.detach().norm()}
    assert float(objective(better, 2)) < float(loss.detach())


@pytest.mark.parametrize("seed", range(3))
def test_a_network_never_makes_the_fit_worse(seed: int) -> None:
    parts = problem(seed)
    without = objective({**parts, "correction": torch.zeros(SHAPE, dtype=torch.float64)}, MANY)
    assert float(objective(parts, MANY)) <= float(without) + 1e-6


def test_what_the_stage_knows_gains_nothing() -> None:
    parts = problem()
    known = {**parts, "correction": 3 * parts["differences"][..., 0] - parts["differences"][..., 7]}
    without = {**parts, "correction": torch.zeros(SHAPE, dtype=torch.float64)}
    assert float(objective(known, 50)) == pytest.approx(float(objective(without, 50)), abs=0.02)


def test_float32_is_enough() -> None:
    parts = problem()
    narrow = {name: part.float() for name, part in parts.items()}
    assert float(objective(narrow, 2)) == pytest.approx(float(objective(parts, 2)), abs=1e-4)


def test_regressors_are_the_neighbours_that_the_stage_sees() -> None:
    generator = np.random.default_rng(0)
    samples = torch.from_numpy(generator.integers(0, 500, (5, N_FAR + 3, 7))).float()  # Y + 1, Z, X
    target = samples[1:] - samples[:-1]
    differences = torch.zeros(*target.shape, TAPS)
    differences[..., UNIT] = 1
    differences[:, :, 1:, WEST] = samples[:-1, :, :-1] - samples[:-1, :, 1:]
    parts = differences[None, :, N_FAR:], target[None, :, N_FAR:], target[None, :, :N_FAR]
    now, north = samples[1:, N_FAR:], samples[:-1, N_FAR:]
    own = 0.5 * now
    planes = regressor_planes(*parts, [own[None]])[0].view(3, -1, 4, 7).float().transpose(0, 2)  # Y, K + 1, Z, X
    assert torch.equal(planes[:, TAPS, :, 1:], now[..., :-1] - north[..., 1:])
    assert torch.equal(planes[:, TAPS + 1, :, 2:], now[..., :-2] - now[..., 1:-1])
    assert torch.equal(planes[:, TAPS + 2], target[:, N_FAR - 7 : -7])
    assert torch.equal(planes[:, -3], target[:, :3])
    assert torch.equal(planes[:, -2], own)
    assert torch.equal(planes[:, -1], parts[1][0])


def seen_by(parts: dict[str, Tensor], b: int, y: int, z: int, x: int) -> list[float]:
    """The regressors of one sample, looked up one by one."""
    differences, target = parts["differences"][b, y, :, x], parts["target"][b, y]
    line = torch.cat([parts["earlier"][b, y], target])
    west, is_inside = parts["differences"][b, y, z, :, WEST], bool(differences[z, UNIT] > 0)
    others = [float(target[z, x - 1] + west[x]) if x > 0 else 0]
    others += [float(target[z, x - 2] - target[z, x - 1] + west[x - 1]) if x > 1 else 0]
    places = [len(line) - len(target) + z - i for i in range(N_BEFORE + 1, N_FAR + 1)]
    others += [float(line[place, x]) if place >= 0 else 0 for place in places]
    error_below = float(target[z - 1, x] - parts["correction"][b, y, z - 1, x]) if z > 0 else 0
    own = [float(parts["correction"][b, y, z, x]), error_below]
    return [*differences[z].tolist(), *(other * is_inside for other in others), *own]


def plain_fit_error(parts: dict[str, Tensor]) -> Tensor:
    """`fit_error`, band by band: each round is a problem of weighted rows, with the ridge as rows below them."""
    n_batch, n_lines, n_bands, n_columns = parts["target"].shape
    left = torch.zeros(parts["target"].shape, dtype=torch.float64)
    for b, z in np.ndindex(n_batch, n_bands):
        rows = np.array([seen_by(parts, b, y, z, x) for y, x in np.ndindex(n_lines, n_columns)])
        target, network = (parts[name][b, :, z].numpy().astype(np.float64).ravel() for name in ("target", "correction"))
        norms = np.linalg.norm(rows, axis=0) + 1e-12
        shares = 1 / (8 + abs(target - network))
        for _ in range(2):
            weighted = rows / norms * np.sqrt(shares)[:, None]
            ridge = np.sqrt(RIDGE * np.mean(np.sum(weighted**2, axis=0)) + 1e-12) * np.eye(rows.shape[1])
            wanted = np.concatenate([target * np.sqrt(shares), np.zeros(rows.shape[1])])
            weights = np.linalg.lstsq(np.concatenate([weighted, ridge]), wanted)[0] / norms
            residual = target - rows @ weights
            shares = 1 / np.sqrt(residual**2 + 1)
        left[b, :, z] = torch.from_numpy(residual.reshape(n_lines, n_columns))
    return left


SHAPES = {
    "many bands": (2, N_FAR + 2, 3, 12),
    "one band": (1, 5, 1, 12),
    "one line": (2, 1, 4, 60),
    "one column": (1, 40, 3, 1),
    "two columns": (1, 40, 3, 2),
    "fewer samples than regressors": (2, 3, 4, 5),
}


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("n_earlier", [0, 4, N_FAR + 1])
def test_the_fit_is_that_of_weighted_least_squares(shape: tuple[int, ...], n_earlier: int, kind: torch.dtype) -> None:
    b, y, z, x = shape
    parts = problem(0, (b, y, z, x)) | {"earlier": 10 * torch.ones(b, y, n_earlier, x)}
    parts["earlier"] = parts["earlier"] * parts["target"].mean(dim=2, keepdim=True)
    if x > 2:  # absent samples: columns and a whole band beyond the scene, which only `earlier` knows something of
        for name in ("differences", "target", "correction"):
            parts[name][:, :, :, -2:] = 0
            parts[name][:, :, 2:3] = 0
    parts = {name: part.to(kind) for name, part in parts.items()}
    found = fit_error(parts["correction"], parts["differences"], parts["target"], parts["earlier"])
    assert found.dtype == kind
    largest = float(parts["target"].abs().max())
    assert torch.allclose(
        found.double(), plain_fit_error(parts), atol=(1e-5 if kind == torch.float32 else 1e-9) * largest
    )


def test_absent_and_constant_bands_cost_nothing_and_break_nothing(constant_scene: Scene) -> None:
    bank = build_bank([constant_scene], ["plain"], 6, 0, torch.device("cpu"), quiet=True)
    batch: FlightBatch = BankBatches(bank, FlightPlan(8, 5, 12), 1, 0, 0)[0]
    assert batch.counts is not None and (batch.counts == 0).any()
    correction = torch.zeros_like(batch.target).requires_grad_()
    loss = staged_loss(correction, batch)
    (slope,) = torch.autograd.grad(loss, correction)
    assert torch.isfinite(loss) and torch.isfinite(slope).all()

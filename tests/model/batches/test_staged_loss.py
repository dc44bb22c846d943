"""The loss that fits every band: its gradient is that of the whole minimum, and nothing that is known is paid for."""

import numpy as np
import pytest
import torch
from torch import Tensor

from model.batches.flight_bank import BankBatches, build_bank
from model.batches.flight_batches import FlightBatch, FlightPlan
from model.batches.staged_loss import N_FAR, UNIT, WEST, fit_error, known_regressors, size
from model.scenes.scene import Scene
from model.training.losses import staged_loss
from runtime.cell.flight_inputs import TAPS

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
    rows = known_regressors(differences[None, :, N_FAR:], target[None, :, N_FAR:], target[None, :, :N_FAR])[0]
    now, north = samples[1:, N_FAR:], samples[:-1, N_FAR:]
    assert torch.equal(rows[..., 1:, TAPS].transpose(0, 1), now[..., :-1] - north[..., 1:])
    assert torch.equal(rows[..., 2:, TAPS + 1].transpose(0, 1), now[..., :-2] - now[..., 1:-1])
    assert torch.equal(rows[..., TAPS + 2].transpose(0, 1), target[:, N_FAR - 7 : -7])
    assert torch.equal(rows[..., -1].transpose(0, 1), target[:, :3])


def test_absent_and_constant_bands_cost_nothing_and_break_nothing(constant_scene: Scene) -> None:
    bank = build_bank([constant_scene], ["plain"], 6, 0, torch.device("cpu"), quiet=True)
    batch: FlightBatch = BankBatches(bank, FlightPlan(8, 5, 12), 1, 0, 0)[0]
    assert batch.counts is not None and (batch.counts == 0).any()
    correction = torch.zeros_like(batch.target).requires_grad_()
    loss = staged_loss(correction, batch)
    (slope,) = torch.autograd.grad(loss, correction)
    assert torch.isfinite(loss) and torch.isfinite(slope).all()

"""The optimisers of a schedule.

Muon (K. Jordan et al., 2024) moves a matrix by its momentum made nearly orthogonal, so that every direction in it
learns at one pace (measured: docs/training.md). Vectors, and the matrix whose outputs are the taps, go with AdamW.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer

from model.training.training_config import ScheduleConfig


def adamw(network: nn.Module, schedule: ScheduleConfig) -> Optimizer:
    """AdamW for all; norms, decays and biases without weight decay."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": schedule.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=schedule.learning_rate)


def muon(network: nn.Module, schedule: ScheduleConfig) -> Optimizer:
    """Muon with `matrix_rate` and weight decay for a flight network's matrices, AdamW for its taps and its vectors."""
    taps = network.get_parameter("taps.weight")
    matrices = [p for p in network.parameters() if p.ndim == 2 and p is not taps]
    others = [taps, *(p for p in network.parameters() if p.ndim <= 1)]
    return Several(
        [
            Muon(matrices, lr=schedule.matrix_rate, weight_decay=schedule.weight_decay),
            AdamW(others, lr=schedule.learning_rate, weight_decay=0.0),
        ]
    )


class Several(Optimizer):
    """Optimisers of different parameters that step as one; a schedule of rates sees the groups of all."""

    def __init__(self, optimizers: Sequence[Optimizer]) -> None:
        self.optimizers = list(optimizers)
        super().__init__(self.groups(), {})

    def groups(self) -> list[dict[str, Any]]:
        """Those of the optimisers, the very objects, so that a rate set here is set there."""
        return [group for one in self.optimizers for group in one.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of each, after `closure` has made the gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for one in self.optimizers:
            one.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The states of all."""
        return {"optimizers": [one.state_dict() for one in self.optimizers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Read `state_dict`."""
        for one, state in zip(self.optimizers, state_dict["optimizers"], strict=True):
            one.load_state_dict(state)
        self.param_groups = self.groups()

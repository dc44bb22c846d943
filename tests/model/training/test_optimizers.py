"""Muon beside AdamW: every parameter is one's, and a schedule reaches both, also after a state was read."""

import copy
from dataclasses import replace

import torch

from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.training.optimizers import muon
from model.training.training_config import TrainingConfig


def stepped(network: FlightNetwork, optimizer: torch.optim.Optimizer) -> None:
    """One step by gradients that are the weights themselves."""
    for parameter in network.parameters():
        parameter.grad = parameter.detach() + 1
    optimizer.step()


def test_each_parameter_moves_by_the_rate_that_a_schedule_sets(tiny_config: TrainingConfig) -> None:
    network = FlightNetwork(FlightConfig(group=2, features=8))
    schedule = replace(tiny_config.schedule, optimizer="muon", learning_rate=1e-2, matrix_rate=2e-2, weight_decay=0.3)
    optimizer = muon(network, schedule)
    settings = {
        id(p): (group["lr"], group["weight_decay"]) for group in optimizer.param_groups for p in group["params"]
    }
    assert settings == {
        id(p): (2e-2, 0.3) if p.ndim == 2 and name != "taps.weight" else (1e-2, 0.0)
        for name, p in network.named_parameters()
    }
    stepped(network, optimizer)
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for rate, is_moved in ((1e-2, True), (0.0, False)):
        before = [p.detach().clone() for p in network.parameters()]
        for group in optimizer.param_groups:
            group["lr"] = rate
        stepped(network, optimizer)
        assert all(torch.equal(a, b) != is_moved for a, b in zip(network.parameters(), before, strict=True))

"""How long a step of a training takes on this machine, by its own network, crops and optimiser."""

import time
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import torch
from lightning.fabric.utilities import move_data_to_device

from model.batches.batches import WHOLE
from model.scenes.scene import Scene
from model.training.flush import flushed_denormals
from model.training.heap import keep_freed_memory
from model.training.lightning_module import LineRwkvTraining
from model.training.losses import training_loss
from model.training.machine import trainer_machine
from model.training.optimizers import adamw
from model.training.train import batches
from model.training.training_config import TrainingConfig

ROUNDS = 5
ENOUGH_S = 20.0
"""Steps that took so long together are not repeated."""


class StepTime(NamedTuple):
    """Of one process on one device."""

    seconds: float
    """The median of a few steps, the first one left out; without an exchange of gradients between processes."""
    device: str


def measured_step(config: TrainingConfig, scenes: Sequence[Scene], epoch: int) -> StepTime:
    """A step in this epoch on crops of `scenes`, on a CUDA device where there is one and the schedule wants it.

    The weights are not kept. Raises BadArgument for unusable scenes.
    """
    schedule = config.schedule
    device = "cuda" if torch.cuda.is_available() and schedule.accelerator != "cpu" else "cpu"
    keep_freed_memory()
    torch.set_num_threads(schedule.threads)
    network = LineRwkvTraining(config, []).network.to(device)
    optimizer = adamw(network, schedule)
    crops = batches(config, list(scenes), epoch, WHOLE)
    times: list[float] = []
    with flushed_denormals():
        for index in range(1 + ROUNDS):
            start = time.perf_counter()
            batch = move_data_to_device(crops[index % len(crops)], torch.device(device))
            optimizer.zero_grad()
            training_loss(network, batch, schedule.loss, schedule.alone).backward()  # type: ignore[no-untyped-call]  # torch's own
            torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.gradient_clip)
            optimizer.step()
            if device == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
            if index and sum(times[1:]) > ENOUGH_S:
                break
    return StepTime(median(times[1:]), trainer_machine(device, schedule.threads))

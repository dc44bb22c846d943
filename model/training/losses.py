"""What a training step makes small."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.batches.batches import Batch
from model.batches.flight_batches import FlightBatch
from model.batches.staged_loss import fit_error, size

FLOOR = 0.3  # sample units: keeps the logarithm finite where a band is predicted exactly


def mean_of_bands(values: Tensor, counts: Tensor | None) -> Tensor:
    """The mean of one value a band (B, Z), over the bands that have samples."""
    if counts is None:
        return values.mean()
    is_there = counts > 0
    return (values * is_there).sum() / is_there.sum().clamp(min=1)


def mean_of_samples(values: Tensor, counts: Tensor | None) -> Tensor:
    """The mean (B, Z) over lines and columns of (B, Y, Z, X), zero where samples are missing."""
    return values.mean(dim=(1, 3)) if counts is None else values.sum(dim=(1, 3)) / counts.clamp(min=1)


def l1_loss(correction: Tensor, target: Tensor, scale: Tensor, counts: Tensor | None = None) -> Tensor:
    """Mean absolute residual in normalised units: the loss of the paper (section 3)."""
    return mean_of_bands(mean_of_samples((correction - target).abs(), counts), counts)


def rate_loss(correction: Tensor, target: Tensor, scale: Tensor, counts: Tensor | None = None) -> Tensor:
    """Bits that a Golomb code would pay, up to a constant: log2 of the mean residual of each band and crop."""
    residual = mean_of_samples((correction - target).abs(), counts)  # (B, Z), normalised
    return mean_of_bands(torch.log2(residual * scale + FLOOR), counts)


def staged_loss(correction: Tensor, batch: FlightBatch) -> Tensor:
    """The same bits after a fit of each band, as the adaptive stage makes it."""
    residual = fit_error(correction, batch.differences, batch.target, batch.earlier)
    return mean_of_bands(torch.log2(mean_of_samples(size(residual), batch.counts) + FLOOR), batch.counts)


class Losses(NamedTuple):
    """Of one batch."""

    rate: Tensor
    staged: Tensor


def flight_losses(network: nn.Module, batch: FlightBatch) -> Losses:
    """Both losses of the flight network."""
    correction = batch.corrections(network).float()
    with torch.autocast(correction.device.type, enabled=False):
        rate = rate_loss(correction, batch.target, batch.scale, batch.counts)
        return Losses(rate, staged_loss(correction, batch))


def training_loss(network: nn.Module, batch: Batch | FlightBatch, loss: str, alone: float) -> Tensor:
    """What the optimiser makes small: `loss` of a training configuration; `alone` is its option for `staged`."""
    if loss == "staged":
        assert isinstance(batch, FlightBatch)
        losses = flight_losses(network, batch)
        return losses.staged + alone * losses.rate
    correction = batch.corrections(network).float()
    function = {"l1": l1_loss, "rate": rate_loss}[loss]
    counts = batch.counts if isinstance(batch, FlightBatch) else None
    return function(correction, batch.target, batch.scale, counts)


LossOf = Callable[[nn.Module, Batch | FlightBatch, str, float], Tensor]


@functools.cache
def compiled_training_loss() -> LossOf:
    """`training_loss` by torch.compile; one for all runs of a process, as what it has compiled belongs to it."""
    compiled: LossOf = torch.compile(training_loss, dynamic=False)
    return compiled

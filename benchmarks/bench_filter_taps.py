"""Should the flight network give a correction, the taps of a filter, or both? Trained alike, on the train split.

The correction is one number a sample, on top of the line difference of the band before as it is seen from this band, in
units of that difference's mean magnitude; the unit is taken from the crop itself, which is kinder than a causal one.

    python -m benchmarks.bench_filter_taps
"""

import time
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from benchmarks.harness.record import SCENES, save
from model.batches.flight_batches import FlightBatch, FlightBatches, FlightPlan
from model.network.clipped_layers import Activation, ClippedLinear
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.scenes.data_config import DataConfig
from model.scenes.scene_list import load_scenes
from model.training.flush import flushed_denormals
from model.training.heap import keep_freed_memory
from model.training.losses import rate_loss

STEPS = 1500
RATE = 2e-3
PLAN = FlightPlan(lines=64, bands=16, columns=36)
HELD_OUT = 24  # batches of the validation scenes


class Correction(nn.Module):
    """The flight network with one output instead of taps."""

    def __init__(self, config: FlightConfig) -> None:
        super().__init__()
        self.body = FlightNetwork(config)
        self.body.taps = ClippedLinear(config.spectral_features, 1, Activation.TAP)
        nn.init.zeros_(self.body.taps.weight)
        nn.init.zeros_(self.body.taps.bias)

    def corrections(self, batch: FlightBatch) -> Tensor:
        """What is added to the line before, (B, Y, Z', X')."""
        near = batch.differences[..., 0]
        unit = near.abs().mean(dim=(1, 3), keepdim=True) + 1
        change: Tensor = near + unit * self.body(batch.line_features, batch.band_features, batch.columns)[..., 0]
        return change


class Both(nn.Module):
    """The flight network as it is: the last tap weighs the band's unit."""

    def __init__(self, config: FlightConfig) -> None:
        super().__init__()
        self.body = FlightNetwork(config)

    def corrections(self, batch: FlightBatch) -> Tensor:
        """What is added to the line before, (B, Y, Z', X')."""
        return batch.corrections(self.body)


class Taps(Both):
    """Without a unit."""

    def corrections(self, batch: FlightBatch) -> Tensor:
        """What is added to the line before, (B, Y, Z', X')."""
        differences = batch.differences.clone()
        differences[..., -1] = 0
        return super().corrections(batch._replace(differences=differences))


def measure(kind: type[Correction] | type[Both], features: int) -> dict[str, Any]:
    """Train a variant; its loss on crops of the validation scenes: log2 of the mean residual, bits up to a constant."""
    data = DataConfig(manifest=str(SCENES / "MANIFEST.json"))
    torch.manual_seed(0)
    network = kind(FlightConfig(features=features))
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.0)
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / STEPS)
    batches = FlightBatches(load_scenes(data, "train"), PLAN, STEPS, seed=0, epoch=0)
    start = time.thread_time()
    for index in tqdm(range(STEPS), desc=kind.__name__, disable=None, leave=False):
        batch = batches[index]
        optimizer.zero_grad()
        loss = rate_loss(network.corrections(batch), batch.target, batch.scale)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        decay.step()
    seconds = time.thread_time() - start
    row: dict[str, Any] = {"output": kind.__name__.lower(), "features": features, "cpu minutes": round(seconds / 60, 1)}
    for scene in load_scenes(data, "validation"):
        held_out = FlightBatches([scene], PLAN, HELD_OUT, seed=1, epoch=0)
        with torch.no_grad():
            losses = [
                float(rate_loss(network.corrections(b), b.target, b.scale))
                for b in map(held_out.__getitem__, range(HELD_OUT))
            ]
        row[f"log2 residual, {scene.name}"] = round(sum(losses) / HELD_OUT, 4)
    return row


def main() -> None:
    """One row a variant."""
    torch.set_num_threads(1)
    keep_freed_memory()
    with flushed_denormals():
        rows = [measure(kind, features) for features in (24,) for kind in (Correction, Taps, Both)]
    save("filter_taps", "python -m benchmarks.bench_filter_taps", rows, steps=STEPS)


if __name__ == "__main__":
    main()

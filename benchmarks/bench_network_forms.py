"""Which form of the network pays: what the stage leaves with it, on scenes not seen, against operations and speed.

Every network is trained for the same steps on the same crops (seed 0), by the recipe's loss on one core, without the
scenes of fold-0 and of EnMAP; then the loss `staged` of fixed crops is measured, in bits up to a constant, so that
differences count: of scenes whose sensor it knows, and of scenes whose sensor it does not. A point that is in the
result already is kept, so the command resumes.

    OMP_NUM_THREADS=1 python -m benchmarks.bench_network_forms [--steps 300] [--only NAME]
"""

import json
import math
import time
from collections.abc import Callable
from typing import Any

import click
import numpy as np
import torch
from torch import nn

from benchmarks.harness.network_forms import PerGroup, SeveralTaps, WithDifference, several_losses
from benchmarks.harness.record import RESULTS, SCENES, save
from model.batches.flight_bank import Bank, BankBatches, build_bank
from model.batches.flight_batches import FlightBatch, FlightPlan
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork, count_macs
from model.scenes.data_config import DataConfig
from model.scenes.scene_list import load_scenes
from model.training.flush import flushed_denormals
from model.training.heap import keep_freed_memory
from model.training.losses import Losses, flight_losses
from runtime.cell.flight_inputs import TAPS

KNOWN = ("abu_airport_3", "abu_urban_4")
UNKNOWN = ("enmap_potsdam_a", "hyspecnet_dt4950_x03110438")
FOLD = ["abu_airport_1", "abu_airport_2", *KNOWN, "abu_urban_5"]
VARIANTS = ["plain", "later+flipped"]
LINES, RATE, WARM_UP, ALONE = 64, 4e-3, 50, 0.1
CROPS = FlightPlan(LINES, 24, 40, 6)
MEASURED, N_MEASURED = FlightPlan(LINES, 24, 64, 8), 5
EPOCH = (1 << 32) - 1
CPU = torch.device("cpu")


def shared(group: int, features: int, spectral: int = 16, convolutions: int = 1, blocks: int = 1) -> FlightNetwork:
    """The form that is built."""
    sizes = {"group": group, "features": features, "spectral_features": spectral}
    return FlightNetwork(FlightConfig(**sizes, band_convolutions=convolutions, line_blocks=blocks))


NETWORKS: dict[str, Callable[[], nn.Module | None]] = {
    "none": lambda: None,
    "A: each band, 32": lambda: PerGroup(1, 32, 3, 2),
    "B: group of 8, 64": lambda: PerGroup(8, 64, 2, 1),
    "C: group of 8, 64 and 16": lambda: shared(8, 64),
    "C: group of 8, 48 and 16": lambda: shared(8, 48),
    "C: group of 8, 64 and 24": lambda: shared(8, 64, 24),
    "C: group of 16, 64 and 16": lambda: shared(16, 64),
    "C: 8, 64, 16, two sets of taps": lambda: SeveralTaps(shared(8, 64).config, 2),
    "C: 8, 64, 16, difference signal": lambda: WithDifference(shared(8, 64).config),
    "C: 8, 64, 16, two blocks": lambda: shared(8, 64, blocks=2),
    "C: group of 4, 64 and 16": lambda: shared(4, 64),
    "C: 8, 64, 16, no band convolution": lambda: shared(8, 64, convolutions=0),
}


class NoTaps(nn.Module):
    """No network: what the stage does alone."""

    def forward(self, line_features: Any, band_features: Any, columns: slice, present: Any) -> torch.Tensor:
        """Zeros."""
        zeros: torch.Tensor = line_features.new_zeros(*line_features[:, :, :, columns].shape[:-1], TAPS)
        return zeros


def losses_of(network: nn.Module, batch: FlightBatch) -> Losses:
    """Of one batch."""
    return several_losses(network, batch) if isinstance(network, SeveralTaps) else flight_losses(network, batch)


def macs_of(network: nn.Module) -> int:
    """Multiply-accumulates a sample."""
    if isinstance(network, FlightNetwork):
        return count_macs(network)
    weights = sum(m.weight.numel() for m in network.modules() if isinstance(m, nn.Linear))
    return weights // network.group if isinstance(network, PerGroup) else 0


def banks() -> tuple[Bank, dict[str, Bank]]:
    """The training bank, and one of each measured scene."""
    data = DataConfig(
        manifest=str(SCENES / "MANIFEST.json"), without=FOLD, validate=[*KNOWN, *UNKNOWN], weights={"neon_*": 0.5}
    )
    training, validation = load_scenes(data, data.train_split), load_scenes(data, data.validation_split)
    return build_bank(training, VARIANTS, LINES, 0, CPU), {
        scene.name: build_bank([scene], ["plain"], LINES, 0, CPU) for scene in validation
    }


def trained(network: nn.Module, bank: Bank, n_steps: int) -> float:
    """Train in place; thread CPU seconds."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0)
    batches = BankBatches(bank, CROPS, n_steps, 0, 0)
    start = time.thread_time()
    with flushed_denormals():
        for step in range(n_steps):
            fall = 0.5 * (1 + math.cos(math.pi * step / n_steps))
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(1, (step + 1) / WARM_UP) * max(0.005, fall)
            losses = losses_of(network, batches[step])
            loss = losses.staged + ALONE * losses.rate
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
    return time.thread_time() - start


def measured(network: nn.Module, bank: Bank) -> float:
    """The mean loss of the fixed crops of a scene."""
    crops = BankBatches(bank, MEASURED, N_MEASURED, 7, EPOCH)
    with torch.inference_mode():
        return float(np.mean([float(losses_of(network, crops[i]).staged) for i in range(N_MEASURED)]))


@click.command()
@click.option("--steps", default=300, show_default=True)
@click.option("--only", help="One network by its name.")
def main(steps: int, only: str | None) -> None:
    """Train, measure, write the table."""
    keep_freed_memory()
    torch.set_num_threads(1)
    file = RESULTS / "network_forms.json"
    rows = json.loads(file.read_text())["rows"] if file.is_file() else []
    bank, scenes = banks()
    for name, make in NETWORKS.items():
        if any(row["network"] == name and row["steps"] in (0, steps) for row in rows) or only not in (None, name):
            continue
        torch.manual_seed(0)
        made = make()
        network, seconds = (NoTaps(), 0.0) if made is None else (made, trained(made, bank, steps))
        row = {"network": name, "MAC a sample": macs_of(network), "steps": 0 if made is None else steps}
        row |= {"CPU s": round(seconds), **{scene: round(measured(network, own), 4) for scene, own in scenes.items()}}
        rows.append(row)
        save("network_forms", f"OMP_NUM_THREADS=1 python -m benchmarks.bench_network_forms --steps {steps}", rows)


if __name__ == "__main__":
    main()

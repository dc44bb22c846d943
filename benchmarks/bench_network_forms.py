"""Which form of the network pays: what the stage leaves with it, on scenes not seen, against operations and speed.

Every network is trained for the same steps on the same crops (seed 0), by the recipe's loss on one core, without weight
decay, without the scenes of fold-0 and of EnMAP; then the loss `staged` of fixed crops is measured, in bits up to a
constant, so that differences count: of scenes whose sensor it knows, and of scenes whose sensor it does not. A point
that is in the result already is kept, so the command resumes.

    OMP_NUM_THREADS=1 python -m benchmarks.bench_network_forms [--steps 300] [--only NAME]
"""

import json
import time
from collections.abc import Callable
from typing import Any, Literal

import click
import numpy as np
import torch
from torch import nn

from benchmarks.harness.forms_picture import KNOWN, UNKNOWN, picture
from benchmarks.harness.network_forms import NoTaps, PerGroup, SeveralTaps, WithDifference, several_losses
from benchmarks.harness.record import RESULTS, SCENES, save
from benchmarks.rate.pictures import save as save_picture
from model.batches.flight_bank import Bank, BankBatches, build_bank
from model.batches.flight_batches import FlightBatch, FlightPlan
from model.network.clipped_layers import ClippedLinear
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork, count_macs
from model.scenes.data_config import DataConfig
from model.scenes.scene import Scene
from model.scenes.scene_list import load_scenes
from model.training.flush import flushed_denormals
from model.training.heap import keep_freed_memory
from model.training.losses import Losses, flight_losses
from model.training.optimizers import adamw, muon
from model.training.training_config import ScheduleConfig

FOLD = ["abu_airport_1", "abu_airport_2", *KNOWN, "abu_urban_5"]
VARIANTS = ["plain", "later+flipped"]
LINES, ALONE = 64, 0.1
TUNED = ("A: each band, 32", "B: group of 8, 64", "C: group of 8, 64 and 24")
BY_ADAMW = (*TUNED, "C: group of 8, 64 and 16")
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
    "C: group of 8, 64 and 24": lambda: shared(8, 64, 24),
    "C: group of 8, 96 and 32": lambda: shared(8, 96, 32),
    "C: 8, 64, 24, two blocks": lambda: shared(8, 64, 24, blocks=2),
    "C: 8, 64, 24, two sets of taps": lambda: SeveralTaps(shared(8, 64, 24).config, 2),
    "C: 8, 64, 24, difference signal": lambda: WithDifference(shared(8, 64, 24).config),
    "C: group of 16, 64 and 24": lambda: shared(16, 64, 24),
    "B: group of 8, 64": lambda: PerGroup(8, 64, 2, 1),
    "A: each band, 32": lambda: PerGroup(1, 32, 3, 2),
    "C: group of 8, 64 and 16": lambda: shared(8, 64),
    "C: group of 8, 48 and 24": lambda: shared(8, 48, 24),
    "C: group of 4, 64 and 24": lambda: shared(4, 64, 24),
    "C: 8, 64, 24, no band convolution": lambda: shared(8, 64, 24, convolutions=0),
    "C: group of 8, 32 and 16": lambda: shared(8, 32, 16),
}


def losses_of(network: nn.Module, batch: FlightBatch) -> Losses:
    """Of one batch."""
    return several_losses(network, batch) if isinstance(network, SeveralTaps) else flight_losses(network, batch)


def macs_of(network: nn.Module) -> int:
    """Multiply-accumulates a sample."""
    if isinstance(network, FlightNetwork):
        return count_macs(network)
    weights = sum(m.weight.numel() for m in network.modules() if isinstance(m, nn.Linear))
    return weights // network.group if isinstance(network, PerGroup) else 0


def scene_lists() -> tuple[list[Scene], list[Scene]]:
    """The scenes that train, and those that are measured."""
    data = DataConfig(
        manifest=str(SCENES / "MANIFEST.json"), without=FOLD, validate=[*KNOWN, *UNKNOWN], weights={"neon_*": 0.5}
    )
    return load_scenes(data, data.train_split), load_scenes(data, data.validation_split)


def banks(training: list[Scene], measured_scenes: list[Scene]) -> tuple[Bank, dict[str, Bank]]:
    """The training bank, and one of each measured scene."""
    return build_bank(training, VARIANTS, LINES, 0, CPU), {
        scene.name: build_bank([scene], ["plain"], LINES, 0, CPU) for scene in measured_scenes
    }


Rate = tuple[Literal["muon", "adamw"], float]
"""An optimiser and its learning rate, of Muon that of the matrices."""
USUAL: Rate = ("muon", 0.02)
ADAMW: Rate = ("adamw", 0.004)
OTHERS: tuple[Rate, ...] = (("muon", 0.01), ("muon", 0.04))
POINTS = [
    *((name, USUAL) for name in NETWORKS),
    *((name, ADAMW) for name in BY_ADAMW),
    *((name, rate) for name in TUNED for rate in OTHERS),
]


def trained(network: nn.Module, bank: Bank, n_steps: int, rate: Rate) -> float:
    """Train in place; thread CPU seconds."""
    schedule = ScheduleConfig(1, n_steps, 0, rate[0], rate[1], 4e-3, 2e-5, "cosine", 50, 0.0)
    optimizer = (muon if schedule.optimizer == "muon" else adamw)(network, schedule)
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.share_of_rate)
    batches = BankBatches(bank, CROPS, n_steps, 0, 0)
    start = time.thread_time()
    with flushed_denormals():
        for step in range(n_steps):
            losses = losses_of(network, batches[step])
            loss = losses.staged + ALONE * losses.rate
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own
            nn.utils.clip_grad_norm_(network.parameters(), schedule.gradient_clip)
            optimizer.step()
            decay.step()
    return time.thread_time() - start


def still_units(network: nn.Module, bank: Bank) -> int:
    """Units of the clipped layers that give one value everywhere in a crop."""
    still: list[int] = []

    def count(layer: nn.Module, inputs: Any, outputs: torch.Tensor) -> None:
        of_units = outputs.flatten(0, -2)
        still.append(int((of_units.amax(0) == of_units.amin(0)).sum()))

    layers = [layer for layer in network.modules() if isinstance(layer, ClippedLinear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.inference_mode():
        losses_of(network, BankBatches(bank, MEASURED, 1, 7, EPOCH)[0])
    for hook in hooks:
        hook.remove()
    return sum(still)


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
    bank, scenes = banks(*scene_lists())
    for name, rate in POINTS:
        is_done = any(
            row["network"] == name and row["optimizer"] in (None, said(rate)) and row["steps"] in (0, steps)
            for row in rows
        )
        if is_done or only not in (None, name):
            continue
        rows.append(row_of(name, NETWORKS[name], bank, scenes, steps, rate))
        save("network_forms", f"OMP_NUM_THREADS=1 python -m benchmarks.bench_network_forms --steps {steps}", rows)
    save_picture(picture(rows), file.with_suffix(".png"))


def said(rate: Rate) -> str:
    """For the table."""
    return f"{rate[0]}, {rate[1]:g}"


def row_of(
    name: str, make: Callable[[], nn.Module | None], bank: Bank, scenes: dict[str, Bank], n_steps: int, rate: Rate
) -> dict[str, Any]:
    """Train one and measure it."""
    torch.manual_seed(0)
    made = make()
    network, seconds = (NoTaps(), 0.0) if made is None else (made, trained(made, bank, n_steps, rate))
    losses = {scene: round(measured(network, own), 4) for scene, own in scenes.items()}
    optimizer = None if made is None else said(rate)
    row: dict[str, Any] = {"network": name, "optimizer": optimizer, "MAC a sample": macs_of(network)}
    row["steps"] = 0 if made is None else n_steps
    return row | {"CPU s": round(seconds), "still units": still_units(network, scenes[KNOWN[0]])} | losses


if __name__ == "__main__":
    main()

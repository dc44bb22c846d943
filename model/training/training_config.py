"""A training run as one TOML file: network, data, schedule."""

import copy
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from model.evaluation.networks import AnyConfig, network_config
from model.network.flight_config import FlightConfig
from model.scenes.data_config import DataConfig
from model.settings import said_settings, set_value
from model.shipped import file_or_shipped
from model.training.machine import runs_on_cpu
from runtime.checked_table import AtLeast0, AtLeast1, Text, checked_table, checked_value, read_toml, shown
from runtime.errors import BadArgument

CONFIGS = Path(__file__).parents[1] / "configs"
Loss = Literal["l1", "rate", "staged"]
Decay = Literal["linear", "cosine"]
Optimizer = Literal["adamw", "muon"]
Precision = Literal["32-true", "tf32", "bf16-mixed"]
Accelerator = Literal["cpu", "gpu", "cuda", "auto"]
Rate = Annotated[float, Meta(gt=0)]
Amount = Annotated[float, Meta(ge=0)]
Seed = Annotated[int, Meta(ge=0, lt=1 << 32)]


@dataclass(frozen=True)
class ScheduleConfig:
    """How long, how fast, and on what."""

    epochs: AtLeast1
    batches_per_epoch: AtLeast0
    """0: as many as draw one crop for each training scene, on all processes together."""
    final_epochs: AtLeast0 = 0
    """The last epochs, of crops with [data] final_bands, as in the paper."""
    optimizer: Optimizer = "adamw"
    """`muon`: for the matrices, beside AdamW for the rest (model/training/optimizers.py); flight network only."""
    matrix_rate: Rate = 0.02
    """The learning rate of `muon`; rises and falls as the other."""
    learning_rate: Rate = 2e-3
    final_learning_rate: Amount = 1e-5
    """Reached at the last step."""
    decay: Decay = "linear"
    warm_up: AtLeast0 = 0
    """Steps in which the learning rate rises from nothing."""
    weight_decay: Amount = 0.01
    gradient_clip: Amount = 1.0
    loss: Loss = "l1"
    """`l1`: mean absolute residual in normalised units (the paper). `rate`: mean over bands of the logarithm of the
    mean absolute residual in sample units, which is what a Golomb code pays. `staged`: the same of what a least-squares
    fit of each band leaves, as the adaptive stage makes it (model/batches/staged_loss.py); flight network only."""
    alone: Amount = 0.3
    """Part of the `rate` loss of the network alone beside `staged`."""
    seed: Seed = 0
    threads: AtLeast1 = 1
    validate_every: AtLeast0 = 1
    """Epochs between validations by the real coder; 0: after the last epoch only."""
    patience: AtLeast0 = 0
    """Validations without a better rate after which the run ends; 0: never."""
    precision: Precision = "32-true"
    """`bf16-mixed`: matrix products in bfloat16; sums over lines, taps, losses and the optimiser in float32. `tf32`:
    matrix products on CUDA of numbers rounded to ten bits."""
    compile: bool = False
    """On CUDA, forward pass and loss by torch.compile, which needs a C compiler."""
    accelerator: Accelerator = "auto"
    """Of Lightning."""
    devices: AtLeast1 = 1
    """Processes of each node, one device each; a batch has [data] batch_size crops for each."""
    nodes: AtLeast1 = 1

    def __post_init__(self) -> None:
        """Refuse more final epochs than epochs."""
        if self.final_epochs > self.epochs:
            raise BadArgument(f"final_epochs: found {self.final_epochs}, allowed int at most epochs, {self.epochs}")

    def counted(self, n_scenes: int, batch_size: int) -> "ScheduleConfig":
        """The same with `batches_per_epoch` counted for so many scenes and crops of a process, where it is 0."""
        if self.batches_per_epoch:
            return self
        return replace(self, batches_per_epoch=-(-n_scenes // (batch_size * self.devices * self.nodes)))

    def share_of_rate(self, step: int) -> float:
        """The learning rate of a step as a share of the largest, of a schedule whose batches are counted."""
        n_steps, end = self.epochs * self.batches_per_epoch, self.final_learning_rate / self.learning_rate
        done = min(1.0, step / n_steps)
        left = 1 - done if self.decay == "linear" else (1 + math.cos(math.pi * done)) / 2
        return min(1.0, (step + 1) / (self.warm_up + 1)) * (end + (1 - end) * left)


@dataclass(frozen=True)
class TrainingConfig:
    """A whole run; saved beside its checkpoints."""

    name: Text
    network: AnyConfig
    data: DataConfig
    schedule: ScheduleConfig
    output: str = field(default="runs")
    """Folder for checkpoints and logs, relative to the working directory; the run's name is added."""

    def __post_init__(self) -> None:
        """Refuse what only the flight network can do."""
        if isinstance(self.network, FlightConfig):
            return
        for name, found, is_its in (
            ("data.variants", self.data.variants, bool(self.data.variants)),
            ("schedule.loss", self.schedule.loss, self.schedule.loss == "staged"),
            ("schedule.optimizer", self.schedule.optimizer, self.schedule.optimizer == "muon"),
        ):
            if is_its:
                raise BadArgument(f'{name}: found {shown(found)}, allowed with network.preset "flight" alone')

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "network": self.network.to_dict()}

    @classmethod
    def from_dict(cls, values: Any, where: str = "training configuration") -> "TrainingConfig":
        """Read `to_dict`, or the tables of a file; `where`: the file, for errors. Raises BadArgument."""
        if isinstance(values, dict):
            values = {**values, "network": network_config(values.get("network", {"preset": "paper"}), where)}
        return checked_table(cls, values, where)


def load_training_config(
    path: Path, settings: Sequence[str] = (), changes: dict[str, Any] | None = None
) -> TrainingConfig:
    """Read the file, or the shipped one of that name, with its table `cpu` where this machine trains on its CPU.

    The manifest's path is made relative to the working directory. Keys of `cpu` replace those of the file, then those
    of `changes`, tables of a cross-validation and a name; settings, in the syntax of `set_value`, come last. Raises
    BadArgument.
    """
    where = training_file(path)
    path = file_or_shipped(path, CONFIGS, where)
    values = {"name": path.stem, **read_toml(path, where)}
    data = values.get("data")
    if isinstance(data, dict) and isinstance(data.get("manifest"), str):
        values["data"] = {**data, "manifest": os.path.relpath(path.parent / data["manifest"])}
    cpu = checked_value(dict[str, Any], values.pop("cpu", {}), where, "cpu")
    if changes:
        where += f", cross-validation {changes['name']}"
    where += said_settings(settings)
    config = TrainingConfig.from_dict(replaced(values, [changes or {}], settings), where)
    if not cpu:
        return config
    on_cpu = TrainingConfig.from_dict(replaced(values, [cpu, changes or {}], settings), f"{where}, with its table cpu")
    return on_cpu if runs_on_cpu(config.schedule.accelerator) else config


def replaced(values: dict[str, Any], changes: Sequence[dict[str, Any]], settings: Sequence[str]) -> dict[str, Any]:
    """A copy of the tables of a file with other keys, the later ones in place of the earlier."""
    values = copy.deepcopy(values)
    for name, change in (item for table in changes for item in table.items()):
        both = isinstance(change, dict) and isinstance(values.get(name, {}), dict)
        values[name] = {**values.get(name, {}), **change} if both else change
    for setting in settings:
        set_value(values, setting)
    return values


def training_file(path: Path) -> str:
    """What errors call a training configuration."""
    return f"training configuration {path}"


def load_cross_validation(
    path: Path, table_file: Path, settings: Sequence[str] = (), only: Sequence[str] = ()
) -> list[TrainingConfig]:
    """The configuration of `path` once for each table of `table_file`, or those named in `only`. Raises BadArgument."""
    where = f"cross-validation {table_file}"
    tables = checked_value(dict[str, dict[str, Any]], read_toml(table_file, where), where, "")
    unknown = [name for name in only if name not in tables]
    if unknown:
        raise BadArgument(f"{where}: no table {unknown[0]!r}, allowed {', '.join(tables)}")
    chosen = {name: tables[name] for name in only or tables}
    return [load_training_config(path, settings, {"name": name, **table}) for name, table in chosen.items()]

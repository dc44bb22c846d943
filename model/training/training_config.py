"""A training run as one TOML file: network, data, schedule."""

import math
import os
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from model.evaluation.networks import AnyConfig, network_config
from model.network.flight_config import FlightConfig
from model.scenes.scene_variants import check_variant
from runtime.errors import BadArgument

Loss = Literal["l1", "rate", "staged"]
Decay = Literal["linear", "cosine"]
Precision = Literal["32-true", "tf32", "bf16-mixed"]


@dataclass(frozen=True)
class DataConfig:
    """Which scenes, and how crops are cut from them."""

    manifest: str
    """A JSON list of scenes, a folder of scenes, or the root of HySpecNet-11k (model/scenes/scene_list.py); relative to
    the configuration file."""
    train_split: str = "train"
    validation_split: str = "validation"
    also_train: list[str] = field(default_factory=list)
    """Patterns of names (`enmap_*`) of scenes that train whatever their split is, and so do not validate."""
    without: list[str] = field(default_factory=list)
    """Patterns of names of scenes that do not train, whatever their split is and `also_train` says."""
    validate: list[str] = field(default_factory=list)
    """Patterns of names of the scenes that validate, whatever their split is, even if they train; empty: those of
    `validation_split` that do not train."""
    hyspecnet_split: str = "hard"
    """Which splits of HySpecNet-11k."""
    validation_fraction: float = 0.1
    """Share of the groups of a folder that validate."""
    groups: list[list[str]] = field(default_factory=list)
    """Names of scenes that must be in one split, a list for each group."""
    weights: dict[str, float] = field(default_factory=dict)
    """Pattern of names (`neon_*`) to how much more often those scenes are drawn."""
    cache: str = "runs/scene_cache"
    """Folder for scenes converted from compressed files, relative to the working directory."""
    check: bool = True
    """Read every scene once before the training and say what is odd."""
    crop_lines: int = 64
    crop_bands: int = 16
    """Contiguous bands of a crop, as in the paper."""
    crop_columns: int = 24
    """Columns that enter the encoder; the two at each side serve as context only."""
    kept_columns: int = 0
    """Random columns that are kept after the encoder, as the paper suggests; 0 keeps all."""
    batch_size: int = 2
    """Crops of a batch, for each process."""
    final_bands: int = 100
    """Contiguous bands in the schedule's final epochs."""
    final_batch_size: int = 1
    variants: list[str] = field(default_factory=list)
    """Forms of each scene whose inputs are made once and kept on the device (model/batches/flight_bank.py, words in
    model/scenes/scene_variants.py); flight network only. Empty: crops are cut from the files for each batch. With
    variants, a batch's crops are independent, all of one shape, and mirrored only where a variant is."""
    flip_columns: bool = True
    """Mirror half of the crops: a sensor has no preferred side."""
    flip_lines: bool = False
    """Reverse half of the crops in time. Off: noise and drift of a sensor run forwards."""
    gain: float = 0.0
    """Crops are multiplied by a factor of 1 - gain..1 + gain and rounded. Off: it thins or repeats sample values."""
    workers: int = 0
    """Processes that cut crops."""
    validation_lines: int = 0
    """Lines of each validation scene that are coded; 0: all."""

    def __post_init__(self) -> None:
        """Refuse crops that cannot be cut."""
        lowest = {"crop_lines": 2, "crop_bands": 1, "crop_columns": 1, "kept_columns": 0, "batch_size": 1}
        lowest |= {"final_bands": 1, "final_batch_size": 1, "workers": 0, "validation_lines": 0}
        for name, smallest in lowest.items():
            if getattr(self, name) < smallest:
                raise BadArgument(f"[data]: {name} is {getattr(self, name)}, allowed at least {smallest}")
        if not 0 <= self.gain < 1 or not 0 <= self.validation_fraction <= 1:
            raise BadArgument(f"[data]: gain {self.gain}, validation_fraction {self.validation_fraction}, allowed 0..1")
        for variant in self.variants:
            check_variant(variant)


@dataclass(frozen=True)
class ScheduleConfig:
    """How long, how fast, and on what."""

    epochs: int
    batches_per_epoch: int
    final_epochs: int = 0
    """The last epochs, of crops with [data] final_bands, as in the paper."""
    learning_rate: float = 2e-3
    final_learning_rate: float = 1e-5
    """Reached at the last step."""
    decay: Decay = "linear"
    warm_up: int = 0
    """Steps in which the learning rate rises from nothing."""
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    loss: Loss = "l1"
    """`l1`: mean absolute residual in normalised units (the paper). `rate`: mean over bands of the logarithm of the
    mean absolute residual in sample units, which is what a Golomb code pays. `staged`: the same of what a least-squares
    fit of each band leaves, as the adaptive stage makes it (model/batches/staged_loss.py); flight network only."""
    alone: float = 0.3
    """Part of the `rate` loss of the network alone beside `staged`."""
    seed: int = 0
    threads: int = 1
    validate_every: int = 1
    """Epochs between validations by the real coder; 0: after the last epoch only."""
    patience: int = 0
    """Validations without a better rate after which the run ends; 0: never."""
    precision: Precision = "32-true"
    """`bf16-mixed`: matrix products in bfloat16; sums over lines, taps, losses and the optimiser in float32. `tf32`:
    matrix products on CUDA of numbers rounded to ten bits."""
    compile: bool = False
    """On CUDA, forward pass and loss by torch.compile, which needs a C compiler."""
    accelerator: str = "auto"
    """Of Lightning: cpu, gpu, auto."""
    devices: int = 1
    """Processes of each node, one device each; a batch has [data] batch_size crops for each."""
    nodes: int = 1

    def __post_init__(self) -> None:
        """Refuse a schedule without steps, or with unknown words."""
        lowest = {"epochs": 1, "batches_per_epoch": 1, "threads": 1, "devices": 1, "nodes": 1}
        lowest |= {"warm_up": 0, "validate_every": 0}
        for name, smallest in lowest.items():
            if getattr(self, name) < smallest:
                raise BadArgument(f"[schedule]: {name} is {getattr(self, name)}, allowed at least {smallest}")
        if not 0 <= self.final_epochs <= self.epochs:
            raise BadArgument(f"[schedule]: final_epochs is {self.final_epochs}, allowed 0..{self.epochs}")
        for name, kind in (("loss", Loss), ("precision", Precision), ("decay", Decay)):
            allowed = get_args(kind)
            if getattr(self, name) not in allowed:
                raise BadArgument(f"[schedule]: {name} is {getattr(self, name)!r}, allowed {', '.join(allowed)}")

    def share_of_rate(self, step: int) -> float:
        """The learning rate of a step as a share of the largest."""
        n_steps, end = self.epochs * self.batches_per_epoch, self.final_learning_rate / self.learning_rate
        done = min(1.0, step / n_steps)
        left = 1 - done if self.decay == "linear" else (1 + math.cos(math.pi * done)) / 2
        return min(1.0, (step + 1) / (self.warm_up + 1)) * (end + (1 - end) * left)


@dataclass(frozen=True)
class TrainingConfig:
    """A whole run; saved beside its checkpoints."""

    name: str
    network: AnyConfig
    data: DataConfig
    schedule: ScheduleConfig
    output: str = field(default="runs")
    """Folder for checkpoints and logs, relative to the working directory; the run's name is added."""

    def __post_init__(self) -> None:
        """Refuse what only the flight network can do."""
        if not isinstance(self.network, FlightConfig) and (self.data.variants or self.schedule.loss == "staged"):
            raise BadArgument("[data] variants and [schedule] loss = 'staged' are for the flight network")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "network": self.network.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainingConfig":
        """Read `to_dict`, or the tables of a file; unknown and missing keys are errors."""
        check_keys(values, cls, "training configuration")
        return cls(
            str(values["name"]),
            network_config(values.get("network", {"preset": "paper"})),
            section(DataConfig, values.get("data", {}), "data"),
            section(ScheduleConfig, values.get("schedule", {}), "schedule"),
            str(values.get("output", "runs")),
        )


Section = TypeVar("Section", DataConfig, ScheduleConfig)


def check_keys(values: dict[str, Any], kind: type[Any], where: str) -> None:
    """Raise BadArgument for a key that is no field of the dataclass `kind`."""
    allowed = [item.name for item in fields(kind)]
    unknown = sorted(set(values) - set(allowed))
    if unknown:
        raise BadArgument(f"{where}: unknown key {unknown[0]!r}, allowed {', '.join(allowed)}")


def section(kind: type[Section], values: dict[str, Any], name: str) -> Section:
    """Build one table of the file; unknown and missing keys and wrong types are errors."""
    check_keys(values, kind, f"[{name}]")
    try:
        return kind(**values)
    except TypeError as error:
        raise BadArgument(f"[{name}]: {error}") from error


def set_value(values: dict[str, Any], setting: str) -> None:
    """Set one key of the tables of a file by `table.key=value`, in TOML; what is no TOML is a string."""
    names, sign, text = setting.partition("=")
    *tables, key = names.strip().split(".")
    if not sign or not key:
        raise BadArgument(f"setting {setting!r}, allowed KEY=VALUE or TABLE.KEY=VALUE")
    for table in tables:
        values = values.setdefault(table, {})
        if not isinstance(values, dict):
            raise BadArgument(f"setting {setting!r}: {table!r} is no table")
    try:
        values[key] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        values[key] = text.strip()


def toml_tables(path: Path) -> dict[str, Any]:
    """The tables of a file. Raises BadArgument."""
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadArgument(f"training configuration {path}: {error}") from error


def load_training_config(
    path: Path, settings: Sequence[str] = (), twin: dict[str, Any] | None = None
) -> TrainingConfig:
    """Read the file, whose manifest's path is made relative to the working directory; apply what differs.

    twin: tables whose keys stand in for those of the file. settings: `set_value` says their form; they are applied
    last. Raises BadArgument.
    """
    values = toml_tables(path)
    data = dict(values.get("data", {}))
    if "manifest" in data:
        data["manifest"] = os.path.relpath(path.parent / data["manifest"])
    values = {"name": path.stem, **values, "data": data}
    for name, changes in (twin or {}).items():
        values[name] = {**values.get(name, {}), **changes} if isinstance(changes, dict) else changes
    for setting in settings:
        set_value(values, setting)
    return TrainingConfig.from_dict(values)


def load_twins(path: Path, twins: Path, settings: Sequence[str] = (), only: Sequence[str] = ()) -> list[TrainingConfig]:
    """The configuration of `path` once for each table of `twins`, or those named in `only`. Raises BadArgument."""
    tables = toml_tables(twins)
    unknown = [name for name in only if name not in tables]
    if unknown:
        raise BadArgument(f"{twins}: no twin {unknown[0]!r}, allowed {', '.join(tables)}")
    chosen = {name: tables[name] for name in only or tables}
    for name, table in chosen.items():
        if not isinstance(table, dict):
            raise BadArgument(f"{twins}: {name!r} is no table")
    return [load_training_config(path, settings, {"name": name, **table}) for name, table in chosen.items()]

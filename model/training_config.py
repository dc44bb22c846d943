"""A training run as one TOML file: network, data, schedule."""

import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from model.config import NetworkConfig
from runtime.errors import BadArgument

Loss = Literal["l1", "rate"]


@dataclass(frozen=True)
class DataConfig:
    """Which scenes, and how crops are cut from them."""

    manifest: str
    """JSON list of scenes, see model/scene_folder.py; relative to the configuration file."""
    train_split: str = "train"
    validation_split: str = "validation"
    crop_lines: int = 64
    crop_bands: int = 16
    """Contiguous bands of a crop, as in the paper."""
    crop_columns: int = 24
    """Columns that enter the encoder; the two at each side serve as context only."""
    batch_size: int = 2


@dataclass(frozen=True)
class ScheduleConfig:
    """How long and how fast."""

    epochs: int
    batches_per_epoch: int
    learning_rate: float = 2e-3
    final_learning_rate: float = 1e-5
    """Reached linearly at the last step."""
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    loss: Loss = "l1"
    """`l1`: mean absolute residual in normalised units (the paper). `rate`: mean over bands of the logarithm of the
    mean absolute residual in sample units, which is what a Golomb code pays."""
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuse a schedule without steps or an unknown loss."""
        if self.epochs < 1 or self.batches_per_epoch < 1:
            raise BadArgument(
                f"schedule: {self.epochs} epochs of {self.batches_per_epoch} batches, allowed at least 1 of each"
            )
        if self.loss not in get_args(Loss):
            raise BadArgument(f"schedule: loss is {self.loss!r}, allowed {', '.join(get_args(Loss))}")


@dataclass(frozen=True)
class TrainingConfig:
    """A whole run; saved beside its checkpoints."""

    name: str
    network: NetworkConfig
    data: DataConfig
    schedule: ScheduleConfig
    output: str = field(default="runs")
    """Folder for checkpoints and logs, relative to the working directory; the run's name is added."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


Section = TypeVar("Section", DataConfig, ScheduleConfig)


def section(kind: type[Section], values: dict[str, Any], name: str) -> Section:
    """Build one table of the file; unknown and missing keys are errors."""
    allowed = [item.name for item in fields(kind)]
    unknown = sorted(set(values) - set(allowed))
    if unknown:
        raise BadArgument(f"[{name}]: unknown key {unknown[0]!r}, allowed {', '.join(allowed)}")
    try:
        return kind(**values)
    except TypeError as error:
        raise BadArgument(f"[{name}]: {error}") from error


def load_training_config(path: Path) -> TrainingConfig:
    """Read the file; a manifest path in it is taken relative to its folder. Raises BadArgument."""
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadArgument(f"training configuration {path}: {error}") from error
    unknown = sorted(set(values) - {"name", "network", "data", "schedule", "output"})
    if unknown:
        raise BadArgument(f"training configuration {path}: unknown key {unknown[0]!r}")
    data = dict(values.get("data", {}))
    if "manifest" in data:
        data["manifest"] = str((path.parent / data["manifest"]).resolve())
    return TrainingConfig(
        values.get("name", path.stem),
        NetworkConfig.from_dict(values.get("network", {"preset": "paper"})),
        section(DataConfig, data, "data"),
        section(ScheduleConfig, values.get("schedule", {}), "schedule"),
        values.get("output", "runs"),
    )

"""The checkpoint that is measured: trained here by the recipe, or given; and its float32 package."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import torch

from export.commands import float_parts
from export.package_files import write_package
from export.paper.printed import RECIPE
from export.start_record import record_start
from model.scenes import hyspecnet
from model.training.machine import runs_on_cpu
from model.training.training_config import TrainingConfig, load_training_config
from runtime.errors import BadArgument

NOT_RECORDED = {"data": ("workers", "cache", "manifest"), "schedule": ("threads", "accelerator")}
"""Keys that a resumed run may change: its numbers do not follow from them. Another copy of the data may lie elsewhere:
in place of the manifest, the lists of the splits count."""


def experiment(root: Path, epochs: int | None, output: Path | None, settings: tuple[str, ...]) -> TrainingConfig:
    """The recipe on this copy of HySpecNet-11k. Raises BadArgument.

    epochs: in place of 2000; the final ones of 100 bands keep their share. settings: of the command line; they come
    last.
    """
    if not hyspecnet.is_hyspecnet(root):
        raise BadArgument(f"{root}: no root of HySpecNet-11k, allowed a folder with patches/ and splits/")
    own = [f"data.manifest={json.dumps(str(root.resolve()))}"]
    if epochs is not None:
        printed = load_training_config(RECIPE).schedule
        final = min(epochs - 1, max(1, round(epochs * printed.final_epochs / printed.epochs)))
        every = min(epochs, printed.validate_every)
        own += [f"schedule.epochs={epochs}", f"schedule.final_epochs={final}", f"schedule.validate_every={every}"]
    config = load_training_config(RECIPE, [*own, *settings])
    return config if output is None else replace(config, output=str(output))


def run_folder(config: TrainingConfig) -> Path:
    """Where everything of the experiment goes."""
    return Path(config.output) / config.name


def check_devices(config: TrainingConfig) -> None:
    """Raise BadArgument where the schedule wants more GPUs of a node than there are."""
    schedule, here = config.schedule, torch.cuda.device_count()
    if not runs_on_cpu(schedule.accelerator) and schedule.devices > here:
        raise BadArgument(
            f"schedule.devices is {schedule.devices} of {schedule.accelerator}, {here} found on this machine; allowed "
            f"fewer by --set schedule.devices=N, or --set 'schedule.accelerator=\"cpu\"'"
        )


def record_training(config: TrainingConfig) -> None:
    """Keep what the training starts from. Raises BadArgument where the folder has one that started otherwise."""
    values = config.to_dict()
    for table, keys in NOT_RECORDED.items():
        values[table] = {key: value for key, value in values[table].items() if key not in keys}
    values.pop("output")
    root, difficulty = Path(config.data.manifest), config.data.hyspecnet_split
    values["split_lists"] = hashlib.sha256(b"".join(hyspecnet.split_lists(root, difficulty))).hexdigest()
    record_start(run_folder(config), {"configuration": values}, resume=True)


def package_of(checkpoint: Path, folder: Path) -> Path:
    """The float32 package of a checkpoint, below `folder`, made once. Raises LineRwkvError."""
    if not checkpoint.is_file():
        raise BadArgument(f"checkpoint {checkpoint} not found")
    package = folder / "packages" / hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:16]
    if not package.is_dir():
        write_package(float_parts(checkpoint, None, None, None, None), package)
    return package

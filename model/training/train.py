"""A training run: data, Lightning trainer, checkpoints, resume."""

import gc
import json
import logging
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.data import DataLoader

from model.batches.batches import CropBatches, CropPlan, Share
from model.batches.flight_bank import Bank, BankBatches, build_bank
from model.batches.flight_batches import FlightBatches, FlightPlan
from model.evaluation.networks import count_macs
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.network.grown import MAY_GROW, can_grow, grow
from model.network.network import count_parameters
from model.scenes.scene import Scene
from model.scenes.scene_check import depth_findings, findings
from model.scenes.scene_list import load_scenes
from model.training.crop_validation import CropValidation
from model.training.flush import flushed_denormals
from model.training.heap import keep_freed_memory
from model.training.lightning_module import LineRwkvTraining
from model.training.machine import runs_on_cpu
from model.training.run_record import CURVE, RATE, RunRecord
from model.training.time_limit import TimeLimit
from model.training.training_config import TrainingConfig
from runtime.cell.integer_base import Base
from runtime.codec.compression import atomic_file
from runtime.errors import BadArgument
from runtime.output_checks import check_files


@rank_zero_only
def say(line: str) -> None:
    """Print a line, from the first of all processes only."""
    print(line, flush=True)


def is_first_process() -> bool:
    """Whether this is the first of all processes of a training, which goes on alone after it."""
    return getattr(rank_zero_only, "rank", 0) == 0


class SceneData(lightning.LightningDataModule):
    """Random crops of the training scenes, whole validation scenes by their index."""

    def __init__(self, config: TrainingConfig, scenes: list[Scene], n_validation: int) -> None:
        super().__init__()
        self.config = config
        self.scenes = scenes
        self.n_validation = n_validation
        self.bank: Bank | None = None

    def setup(self, stage: str) -> None:
        """Fill the bank, where the configuration asks for one."""
        gc.collect()  # a bank of the run before, which references in a circle keep alive
        data = self.config.data
        if data.variants and self.trainer is not None:
            device = self.trainer.strategy.root_device
            self.bank = build_bank(self.scenes, data.variants, data.crop_lines, self.config.schedule.seed, device)

    def share(self) -> Share:
        """This process among all."""
        return Share(self.trainer.global_rank, self.trainer.world_size) if self.trainer is not None else Share()

    def train_dataloader(self) -> DataLoader[Any]:
        """The batches of the epoch that begins."""
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        crops = batches(self.config, self.scenes, epoch, self.share(), self.bank)
        return DataLoader(crops, batch_size=None, num_workers=self.config.data.workers)

    def val_dataloader(self) -> DataLoader[int]:
        """Indices of the validation scenes that fall to this process."""
        rank, world = self.share()
        n_turns = -(
            -self.n_validation // world
        )  # equal for all, or Lightning's loops part; the last may be past the end
        return DataLoader(range(rank, n_turns * world, world), batch_size=None)  # type: ignore[arg-type]  # a range is a dataset


def batches(
    config: TrainingConfig, scenes: list[Scene], epoch: int, share: Share, bank: Bank | None = None
) -> CropBatches | FlightBatches | BankBatches:
    """The batches of an epoch; the final ones have more bands."""
    data, schedule = config.data, config.schedule
    is_final = epoch >= schedule.epochs - schedule.final_epochs
    n_bands = data.final_bands if is_final else data.crop_bands
    batch_size = data.final_batch_size if is_final else data.batch_size
    if isinstance(config.network, FlightConfig):
        flight = FlightPlan(data.crop_lines, n_bands, data.crop_columns, batch_size, data.flip_columns)
        place = schedule.batches_per_epoch, schedule.seed, epoch, share
        return BankBatches(bank, flight, *place) if bank is not None else FlightBatches(scenes, flight, *place)
    final_kept = data.kept_columns if data.final_kept_columns is None else data.final_kept_columns
    plan = CropPlan(
        Base(config.network.base),
        data.crop_lines,
        n_bands,
        data.crop_columns,
        final_kept if is_final else data.kept_columns,
        batch_size,
        data.flip_columns,
        data.flip_lines,
        data.gain,
    )
    return CropBatches(scenes, plan, schedule.batches_per_epoch, schedule.seed, epoch, share)


def checked_scenes(config: TrainingConfig) -> tuple[list[Scene], list[Scene]]:
    """Training and validation scenes; what is odd with them is printed. Raises BadArgument."""
    data = config.data
    training, validation = load_scenes(data, data.train_split), load_scenes(data, data.validation_split)
    if data.check:
        scenes = training + validation
        for line in [*(line for scene in scenes for line in findings(scene)), *depth_findings(scenes)]:
            say(f"note: {line}")
    return training, validation


def train(
    config: TrainingConfig,
    *,
    resume: bool = False,
    start: Path | None = None,
    max_minutes: float | None = None,
) -> Path:
    """Run the schedule and return the last checkpoint's path.

    Writes under `config.output`/`config.name`: config.json, curve.csv, curve.svg, TensorBoard events, best.ckpt, and
    after each epoch last.ckpt, which is all that a resumed run needs. With `resume` the run continues from last.ckpt,
    if there is one, as if it had not stopped; a part of an epoch is done again. `start` is a checkpoint whose weights
    begin the run. `max_minutes` ends it early, after a whole epoch. Raises BadArgument for unusable data.
    """
    limits: list[Callback] = [TimeLimit(60 * max_minutes)] if max_minutes is not None else []
    training, validation = checked_scenes(config)
    config = replace(config, schedule=config.schedule.counted(len(training), config.data.batch_size))
    lightning.seed_everything(config.schedule.seed, verbose=False)
    module = LineRwkvTraining(config, validation)
    if start is not None:
        module.network.load_state_dict(started_weights(config, start))
    return fit(config, module, training, limits, resume=resume)


def fit(
    config: TrainingConfig,
    module: LineRwkvTraining,
    training: list[Scene],
    limits: list[Callback],
    *,
    resume: bool,
) -> Path:
    """Train `module` by the schedule and return the last checkpoint's path; the files are those of `train`."""
    folder = Path(config.output) / config.name
    last = folder / "last.ckpt"
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # its advice and its list of absent devices
    keep_freed_memory()
    torch.set_num_threads(config.schedule.threads)
    torch.set_float32_matmul_precision("high" if config.schedule.precision == "tf32" else "highest")
    if resume and last.is_file():
        check_optimizer(last, config)
    check_files(folder, ("last.ckpt", "best.ckpt", CURVE, "curve.svg", "run.json"), "config.json")
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_file(folder / "config.json") as file:
        file.write(json.dumps(config.to_dict(), indent=1).encode() + b"\n")
    say(
        f"{config.name}: {count_parameters(module.network):,} parameters, "
        f"{count_macs(module.network):,} multiply-accumulates per sample, "
        f"{len(training)} training and {len(module.validation_scenes)} validation scenes"
    )
    say(how(config))
    data = SceneData(config, training, len(module.validation_scenes))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")  # config.json is in it
        warnings.filterwarnings("ignore", ".*isinstance.treespec, LeafSpec.* is deprecated")  # Lightning's own use
        warnings.filterwarnings("ignore", ".*does not have many workers")  # crops are cut in milliseconds
        trainer = make_trainer(config, folder, [*crop_validation(config, module), *limits])
        with flushed_denormals():
            trainer.fit(module, data, ckpt_path=last if resume and last.is_file() else None, weights_only=True)
    return last


def check_optimizer(last: Path, config: TrainingConfig) -> None:
    """Raise BadArgument where the run to be resumed had another optimiser, whose state this one cannot go on with."""
    found = stored_checkpoint(last)["hyper_parameters"]["config"]["schedule"].get("optimizer", "adamw")
    wanted = config.schedule.optimizer
    if found != wanted:
        raise BadArgument(f"{last}: schedule.optimizer is {found}, not {wanted}: cannot resume")


def how(config: TrainingConfig) -> str:
    """What the machine, or the user, has chosen, in one line."""
    data, schedule = config.data, config.schedule
    if schedule.accelerator == "auto":
        place = "the CPU, as there is no CUDA device" if runs_on_cpu("auto") else "CUDA"
    else:
        place = schedule.accelerator
    crops = f"{data.batch_size} crops of {data.crop_lines} lines, {data.crop_bands} bands, {data.crop_columns} columns"
    source = "from inputs kept on the device" if data.variants else "from the files"
    return f"{config.name}: on {place}, {schedule.precision}, batches of {crops}, {source}"


def crop_validation(config: TrainingConfig, module: LineRwkvTraining) -> list[Callback]:
    """The cheap validation of a run with a bank."""
    return [CropValidation(config, module.validation_scenes)] if config.data.variants else []


def make_trainer(config: TrainingConfig, folder: Path, others: list[Callback]) -> lightning.Trainer:
    """The Lightning trainer of a run; `others` come before the record of each epoch."""
    schedule = config.schedule
    callbacks: list[Callback] = [
        *others,
        RunRecord(folder),
        ModelCheckpoint(folder, filename="best", monitor=RATE, enable_version_counter=False),
        # not save_last of the one above: that is written only when the best is
        ModelCheckpoint(folder, filename="last", save_on_train_epoch_end=True, enable_version_counter=False),
    ]
    if schedule.patience:
        callbacks.append(EarlyStopping(RATE, patience=schedule.patience, check_on_train_epoch_end=False))
    return lightning.Trainer(
        accelerator=schedule.accelerator,
        devices=schedule.devices,
        num_nodes=schedule.nodes,
        strategy="ddp" if schedule.devices * schedule.nodes > 1 else "auto",
        precision="32-true" if schedule.precision == "tf32" else schedule.precision,
        use_distributed_sampler=False,  # the processes share every batch by themselves
        max_epochs=schedule.epochs,
        check_val_every_n_epoch=schedule.validate_every or schedule.epochs,
        gradient_clip_val=schedule.gradient_clip,
        reload_dataloaders_every_n_epochs=1,  # a new epoch draws new crops
        num_sanity_val_steps=0,
        logger=TensorBoardLogger(folder, name="", version=""),
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=schedule.batches_per_epoch,
    )


def stored_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint; only plain values and tensors are read. Raises BadArgument."""
    if not path.is_file():
        raise BadArgument(f"checkpoint {path} not found")
    try:
        stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        stored["hyper_parameters"]["config"], stored["state_dict"]
    except Exception as error:  # torch names no common base of what a damaged file raises
        raise BadArgument(f"checkpoint {path} cannot be read: {type(error).__name__}") from error
    return stored


def started_weights(config: TrainingConfig, start: Path) -> dict[str, torch.Tensor]:
    """The weights of a checkpoint, for a larger flight network those that compute the same. Raises BadArgument."""
    module, stored = load_checkpoint(start)
    small, large = stored.network, config.network
    if small == large:
        return module.network.state_dict()
    found, wanted, allowed = small.to_dict(), large.to_dict(), ""
    if isinstance(module.network, FlightNetwork) and isinstance(large, FlightConfig):
        if can_grow(module.network.config, large):
            network = FlightNetwork(large)
            grow(module.network, network)
            return network.state_dict()
        wanted = {key: value for key, value in wanted.items() if key not in MAY_GROW or value < found[key]}
        allowed = f"; larger may be {', '.join(MAY_GROW)}"
    key = next(key for key in wanted if found.get(key) != wanted[key])
    raise BadArgument(
        f"checkpoint {start}: network has {key} {found.get(key)!r}, the configuration {wanted[key]!r}{allowed}"
    )


def load_checkpoint(path: Path) -> tuple[LineRwkvTraining, TrainingConfig]:
    """The trained module of a checkpoint and the configuration that made it. Raises BadArgument."""
    stored = stored_checkpoint(path)
    config = TrainingConfig.from_dict(stored["hyper_parameters"]["config"], f"checkpoint {path}")
    module = LineRwkvTraining(config, [])
    try:
        module.load_state_dict(stored["state_dict"])
    except RuntimeError as error:
        raise BadArgument(f"checkpoint {path}: its weights are not those of a float network") from error
    return module, config

"""A training run: data, Lightning trainer, checkpoints, resume."""

import json
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from model.batches import Batch, CropBatches, CropSize
from model.lightning_module import LineRwkvTraining
from model.network import count_macs, count_parameters
from model.scene_folder import Scene, load_scenes
from model.training_config import TrainingConfig
from runtime.integer_base import Base


class SceneData(lightning.LightningDataModule):
    """Random crops of the training scenes, whole validation scenes by their index."""

    def __init__(self, config: TrainingConfig, scenes: list[Scene], n_validation: int) -> None:
        super().__init__()
        self.config = config
        self.scenes = scenes
        self.n_validation = n_validation

    def train_dataloader(self) -> DataLoader[Batch]:
        """The batches of the epoch that begins."""
        data, schedule = self.config.data, self.config.schedule
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        batches = CropBatches(
            self.scenes,
            Base(self.config.network.base),
            CropSize(data.crop_lines, data.crop_bands, data.crop_columns),
            data.batch_size,
            schedule.batches_per_epoch,
            schedule.seed,
            epoch,
        )
        return DataLoader(batches, batch_size=None)

    def val_dataloader(self) -> DataLoader[int]:
        """Indices of the validation scenes."""
        return DataLoader(range(self.n_validation), batch_size=None)  # type: ignore[arg-type]  # a range is a dataset


def train(config: TrainingConfig, *, resume: bool = False, progress: bool = True) -> Path:
    """Run the whole schedule and return the last checkpoint's path.

    Writes under `config.output`/`config.name`: config.json, metrics.csv, last.ckpt (each epoch). With `resume` the run
    continues from last.ckpt, if there is one, as if it had not stopped. Raises BadArgument for unusable data.
    """
    folder = Path(config.output) / config.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config.to_dict(), indent=1) + "\n")
    lightning.seed_everything(config.schedule.seed, verbose=False)
    torch.set_num_threads(config.schedule.threads)
    manifest = Path(config.data.manifest)
    validation = load_scenes(manifest, config.data.validation_split)
    data = SceneData(config, load_scenes(manifest, config.data.train_split), len(validation))
    module = LineRwkvTraining(config, validation)
    print(
        f"{config.name}: {count_parameters(module.network):,} parameters, "
        f"{count_macs(module.network):,} multiply-accumulates per sample"
    )
    last = folder / "last.ckpt"
    trainer = lightning.Trainer(
        max_epochs=config.schedule.epochs,
        gradient_clip_val=config.schedule.gradient_clip,
        reload_dataloaders_every_n_epochs=1,  # a new epoch draws new crops
        num_sanity_val_steps=0,
        logger=CSVLogger(folder, name="", version=""),
        callbacks=[ModelCheckpoint(folder, filename="epoch", save_last=True, save_top_k=0)],
        enable_progress_bar=progress,
        enable_model_summary=False,
        log_every_n_steps=config.schedule.batches_per_epoch,
    )
    trainer.fit(module, data, ckpt_path=last if resume and last.is_file() else None, weights_only=True)
    return last


def load_checkpoint(path: Path) -> tuple[LineRwkvTraining, TrainingConfig]:
    """The trained module of a checkpoint and the configuration that made it. Raises BadArgument."""
    from model.config import NetworkConfig
    from model.training_config import DataConfig, ScheduleConfig
    from runtime.errors import BadArgument

    if not path.is_file():
        raise BadArgument(f"checkpoint {path} not found")
    stored = torch.load(path, map_location="cpu", weights_only=True)
    values = stored["hyper_parameters"]["config"]
    config = TrainingConfig(
        values["name"],
        NetworkConfig(**values["network"]),
        DataConfig(**values["data"]),
        ScheduleConfig(**values["schedule"]),
        values["output"],
    )
    module = LineRwkvTraining(config, [])
    module.load_state_dict(stored["state_dict"])
    return module, config

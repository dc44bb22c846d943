"""After each epoch, the losses on the same crops of the validation scenes: cheap, where the real coder is not."""

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from model.batches.flight_bank import BankBatches, build_bank
from model.batches.flight_batches import FlightPlan
from model.scenes.scene import Scene
from model.training.lightning_module import LineRwkvTraining
from model.training.losses import flight_losses
from model.training.training_config import TrainingConfig

PREFIX = "validation_"
EPOCH = (1 << 32) - 1  # no epoch of training draws the same crops
N_BATCHES = 4


class CropValidation(Callback):
    """Logs the mean of each loss over the crops."""

    def __init__(self, config: TrainingConfig, scenes: list[Scene]) -> None:
        self.config = config
        self.scenes = scenes
        self.crops: BankBatches | None = None

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Make the inputs of the scenes as they are."""
        data, seed = self.config.data, self.config.schedule.seed
        bank = build_bank(self.scenes, ["plain"], data.crop_lines, seed, pl_module.device)
        plan = FlightPlan(data.crop_lines, data.crop_bands, data.crop_columns, data.batch_size)
        self.crops = BankBatches(bank, plan, N_BATCHES, seed, EPOCH)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Measure in float32, without the compiler."""
        assert self.crops is not None and isinstance(pl_module, LineRwkvTraining)
        with torch.inference_mode():
            losses = [flight_losses(pl_module.network, self.crops[i]) for i in range(N_BATCHES)]
        for name, values in zip(losses[0]._fields, zip(*losses, strict=True), strict=True):
            pl_module.log(PREFIX + name, torch.stack(values).mean(), sync_dist=True)

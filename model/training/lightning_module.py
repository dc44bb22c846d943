"""The training loop as a Lightning module: loss, schedule, validation by the real coder."""

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor

from model.batches.batches import Batch
from model.batches.flight_batches import FlightBatch
from model.evaluation.networks import build, coded_size
from model.scenes.scene import Scene
from model.training.losses import LossOf, compiled_training_loss, training_loss
from model.training.optimizers import adamw, muon
from model.training.training_config import ScheduleConfig, TrainingConfig


class LineRwkvTraining(lightning.LightningModule):
    """A network, its optimiser and its validation scenes."""

    def __init__(self, config: TrainingConfig, validation_scenes: list[Scene]) -> None:
        super().__init__()
        self.save_hyperparameters({"config": config.to_dict()})
        self.schedule: ScheduleConfig = config.schedule
        self.segment_lines = config.data.crop_lines
        self.validation_lines = config.data.validation_lines
        self.network = build(config.network)
        self.loss_of: LossOf = training_loss
        self.validation_scenes = validation_scenes
        self.rates = torch.zeros(len(validation_scenes))

    def on_fit_start(self) -> None:
        """Compile for CUDA; the CPU has compiled kernels of its own."""
        if self.schedule.compile and self.device.type == "cuda":
            self.loss_of = compiled_training_loss()

    def training_step(self, batch: Batch | FlightBatch, batch_index: int) -> Tensor:
        """Loss of one batch."""
        loss = self.loss_of(self.network, batch, self.schedule.loss, self.schedule.alone)
        self.log("loss", loss, on_epoch=True, on_step=False, batch_size=len(batch.target), sync_dist=True)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget the rates of the validation before."""
        self.rates = torch.zeros(len(self.validation_scenes), device=self.device)

    def validation_step(self, scene_index: Tensor, batch_index: int) -> None:
        """Bits per sample of one validation scene; processes share the scenes."""
        index = int(scene_index)
        if index >= len(self.validation_scenes):
            return  # more processes than scenes
        samples = self.validation_scenes[index].samples[: self.validation_lines or None]
        self.rates[index] = coded_size(self.network, samples.astype("int32"), self.segment_lines).bits_per_sample

    def on_validation_epoch_end(self) -> None:
        """The rates of all scenes and processes, and their mean."""
        rates = self.trainer.strategy.reduce(self.rates, reduce_op="sum")
        assert isinstance(rates, Tensor)
        for scene, rate in zip(self.validation_scenes, rates, strict=True):
            self.log(f"bits_per_sample/{scene.name}", rate)
        self.log("bits_per_sample", rates.mean())

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """The optimiser of the schedule, with its learning rate."""
        schedule = self.schedule
        optimizer = muon(self.network, schedule) if schedule.optimizer == "muon" else adamw(self.network, schedule)
        decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: schedule.share_of_rate(step))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": decay, "interval": "step"}}

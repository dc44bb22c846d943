"""The training loop as a Lightning module: losses, schedule, validation by the real coder."""

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor

from model.batches import Batch
from model.evaluate import bits_per_sample
from model.network import LineRwkv
from model.scene_folder import Scene
from model.training_config import ScheduleConfig, TrainingConfig

FLOOR = 0.3  # sample units: keeps the logarithm finite where a band is predicted exactly


def l1_loss(correction: Tensor, target: Tensor, scale: Tensor) -> Tensor:
    """Mean absolute residual in normalised units: the loss of the paper (section 3)."""
    return (correction - target).abs().mean()


def rate_loss(correction: Tensor, target: Tensor, scale: Tensor) -> Tensor:
    """Bits that a Golomb code would pay, up to a constant: log2 of the mean residual of each band and crop."""
    residual = (correction - target).abs().mean(dim=(1, 3))  # (B, Z), normalised
    return torch.log2(residual * scale + FLOOR).mean()


LOSSES = {"l1": l1_loss, "rate": rate_loss}


class LineRwkvTraining(lightning.LightningModule):
    """A network, its optimiser and its validation scenes."""

    def __init__(self, config: TrainingConfig, validation_scenes: list[Scene]) -> None:
        super().__init__()
        self.save_hyperparameters({"config": config.to_dict()})
        self.schedule: ScheduleConfig = config.schedule
        self.segment_lines = config.data.crop_lines
        self.network = LineRwkv(config.network)
        self.validation_scenes = validation_scenes

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Loss of one batch."""
        correction = self.network(batch.lines, batch.columns)
        loss = LOSSES[self.schedule.loss](correction, batch.target, batch.scale)
        self.log("loss", loss, prog_bar=True, on_epoch=True, on_step=False, batch_size=len(batch.lines))
        return loss

    def validation_step(self, scene_index: Tensor, batch_index: int) -> None:
        """Bits per sample of one validation scene."""
        scene = self.validation_scenes[int(scene_index)]
        rate = bits_per_sample(self.network, scene.samples.astype("int32"), self.segment_lines)
        self.log(f"bits_per_sample/{scene.name}", rate, batch_size=1)
        self.log("bits_per_sample", rate, prog_bar=True, batch_size=1)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW with a learning rate that falls linearly to its final value over all steps."""
        schedule = self.schedule
        n_steps = schedule.epochs * schedule.batches_per_epoch
        end = schedule.final_learning_rate / schedule.learning_rate
        matrices = [p for p in self.network.parameters() if p.ndim > 1]
        vectors = [p for p in self.network.parameters() if p.ndim <= 1]  # norms, decays, biases: no weight decay
        optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": schedule.weight_decay},
                {"params": vectors, "weight_decay": 0.0},
            ],
            lr=schedule.learning_rate,
        )
        decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - (1 - end) * min(1.0, step / n_steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": decay, "interval": "step"}}

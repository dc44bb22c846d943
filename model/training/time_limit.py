"""A run that must end in time: it stops after the last epoch that fits, with its checkpoint."""

import time

import lightning
from lightning.pytorch.callbacks import Callback

RESERVE = 1.2  # an epoch may take this much longer than the longest so far


class TimeLimit(Callback):
    """Ends the training before the epoch that might not fit into `limit_s` seconds from the object's making."""

    def __init__(self, limit_s: float) -> None:
        self.deadline = time.perf_counter() + limit_s
        self.epoch_start = 0.0
        self.longest_s = 0.0

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock."""
        self.epoch_start = time.perf_counter()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Stop all processes where one of them has no time for another epoch."""
        now = time.perf_counter()
        self.longest_s = max(self.longest_s, now - self.epoch_start)
        is_over = now + RESERVE * self.longest_s > self.deadline
        if trainer.strategy.reduce_boolean_decision(is_over, all=False):
            trainer.should_stop = True

"""The curve of a run: a line on the terminal for each epoch, a table, a picture and the machines in the run's folder.

Rows and machines travel inside the checkpoint, so a resumed run continues the same curve.
"""

import csv
import io
import json
import math
import time
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from model.training.crop_validation import PREFIX as CROPS
from model.training.curve_picture import write_picture
from model.training.machine import trainer_machine
from runtime.codec.compression import atomic_file
from runtime.errors import BadArgument

RATE = "bits_per_sample"
CURVE = "curve.csv"


def read_rows(folder: Path) -> list[dict[str, float]]:
    """The curve of a run's folder, a row for each epoch; a row lacks what was not measured."""
    with (folder / CURVE).open(newline="") as file:
        return [{name: float(text) for name, text in row.items() if text} for row in csv.DictReader(file)]


class RunRecord(Callback):
    """Collects one row for each epoch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[dict[str, float]] = []
        self.seconds = 0.0  # of training, over all sessions
        self.epoch_start = 0.0
        self.session_epochs: list[float] = []  # seconds each
        self.machines: list[str] = []  # of all sessions, each once

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"rows": self.rows, "seconds": self.seconds, "machines": self.machines}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.rows, self.seconds = list(state_dict["rows"]), float(state_dict["seconds"])
        self.machines = list(state_dict.get("machines", []))  # checkpoints did not always keep them

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock, note the machine."""
        self.epoch_start = time.perf_counter()
        machine = trainer_machine(str(pl_module.device), torch.get_num_threads())
        if machine not in self.machines:
            self.machines.append(machine)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Add the row, write the files, print the line. Raises BadArgument where the loss is not a number."""
        self.session_epochs.append(time.perf_counter() - self.epoch_start)
        self.seconds += self.session_epochs[-1]
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if not math.isfinite(metrics["loss"]):
            raise BadArgument(f"loss is {metrics['loss']} in epoch {trainer.current_epoch + 1}")
        is_validated = (trainer.current_epoch + 1) % (trainer.check_val_every_n_epoch or 1) == 0
        rates = {name: value for name, value in metrics.items() if name.startswith(RATE) and is_validated}
        row = {
            "epoch": float(trainer.current_epoch + 1),
            "seconds": round(self.seconds, 1),
            "learning_rate": trainer.optimizers[0].param_groups[-1]["lr"],
            "loss": metrics["loss"],
            **{name: value for name, value in metrics.items() if name.startswith(CROPS)},
            **rates,
        }
        self.rows.append(row)
        if trainer.is_global_zero:
            self.write(trainer.max_epochs or 0)

    def write(self, n_epochs: int) -> None:
        """The table, the picture and the line of the latest row."""
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        with atomic_file(self.folder / CURVE) as file:
            file.write(text.getvalue().encode())
        run = {"machines": self.machines, "seconds": self.rows[-1]["seconds"], "epochs": len(self.rows)}
        with atomic_file(self.folder / "run.json") as file:
            file.write(json.dumps(run, indent=1).encode() + b"\n")
        write_picture(self.rows, self.folder / "curve.svg")
        print(self.line(n_epochs), flush=True)

    def line(self, n_epochs: int) -> str:
        """The latest epoch in one line, with the time that the remaining ones will take at this session's pace."""
        row = self.rows[-1]
        rate = "".join(f"{name} {value:.4f}, " for name, value in row.items() if name.startswith(CROPS))
        rate += f"{row[RATE]:.4f} bits/sample, " if RATE in row else ""
        pace = sum(self.session_epochs) / len(self.session_epochs)
        left_s = pace * (n_epochs - row["epoch"])
        return (
            f"epoch {row['epoch']:.0f}/{n_epochs}: loss {row['loss']:.4f}, {rate}"
            f"{self.session_epochs[-1]:.1f} s, about {left_s / 60:.0f} min left"
        )

"""What the training costs, estimated by the measured step on the device that is here, and what the coding costs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from export.paper.coding import Coding
from model.scenes.scene import Scene
from model.training.step_time import measured_step
from model.training.training_config import TrainingConfig


@dataclass(frozen=True)
class Stage:
    """Epochs of one size of crops."""

    epochs: int
    steps_per_epoch: int
    crop: str
    """Of one process."""
    step_s: float

    @property
    def hours(self) -> float:
        """Of each device, all of which work at the same time."""
        return self.epochs * self.steps_per_epoch * self.step_s / 3600


@dataclass(frozen=True)
class Plan:
    """Of a whole training."""

    device: str
    """On which a step was measured."""
    n_devices: int
    """That the schedule asks for, taken as equal."""
    stages: tuple[Stage, ...]

    @property
    def hours(self) -> float:
        """From start to end, without validations and the exchange of gradients."""
        return sum(stage.hours for stage in self.stages)

    @property
    def device_hours(self) -> float:
        """Of all devices together."""
        return self.hours * self.n_devices

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        stages = [{**asdict(stage), "hours": stage.hours} for stage in self.stages]
        return {**asdict(self), "stages": stages, "hours": self.hours, "device_hours": self.device_hours}

    def lines(self) -> list[str]:
        """The plan as text."""
        said = [f"estimated by the measured step on {self.device}:"]
        said += [
            f"  {one.epochs} epochs of {one.steps_per_epoch} steps ({one.crop}), {one.step_s:.3g} s a step: "
            f"{one.hours:.3g} hours"
            for one in self.stages
        ]
        return [*said, f"  {self.hours:.3g} hours on {self.n_devices} such devices, {self.device_hours:.3g} of one"]


def training_plan(config: TrainingConfig, scenes: Sequence[Scene], n_scenes: int) -> Plan:
    """Measure one step of each stage on crops of `scenes`, a few of the `n_scenes` that train."""
    data, schedule = config.data, config.schedule.counted(n_scenes, config.data.batch_size)
    config = replace(config, schedule=schedule)
    final_kept = data.kept_columns if data.final_kept_columns is None else data.final_kept_columns
    wanted = (
        (schedule.epochs - schedule.final_epochs, 0, data.batch_size, data.crop_bands, data.kept_columns),
        (schedule.final_epochs, schedule.epochs - 1, data.final_batch_size, data.final_bands, final_kept),
    )
    stages, device = [], ""
    for epochs, epoch, batch_size, n_bands, kept in wanted:
        if not epochs:
            continue
        step_s, device = measured_step(config, scenes, epoch)
        kept_text = f", {kept} kept" if kept else ""
        crop = f"{batch_size} of {data.crop_lines} lines, {n_bands} bands, {data.crop_columns} columns{kept_text}"
        stages.append(Stage(epochs, schedule.batches_per_epoch, crop, step_s))
    return Plan(device, schedule.devices * schedule.nodes, tuple(stages))


def coding_hours(codings: Sequence[Coding], n_coded: int, n_patches: int) -> float:
    """Of one core, for all patches of the split, by the time that the coded ones took."""
    seconds = sum(one.encode_s + one.decode_s for one in codings)
    return seconds / n_coded * n_patches / 3600

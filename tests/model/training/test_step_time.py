"""A measured step is one of the run's own, and an epoch may be counted by its scenes."""

from dataclasses import replace

import pytest

from model.batches.batches import WHOLE
from model.scenes.scene_list import load_scenes
from model.training.step_time import measured_step
from model.training.train import batches, train
from model.training.training_config import ScheduleConfig, TrainingConfig
from tests.model.training.test_training import curve


def test_a_step_of_more_samples_takes_longer(tiny_config: TrainingConfig) -> None:
    schedule = replace(tiny_config.schedule, accelerator="cpu")
    small = replace(tiny_config, schedule=schedule)
    large = replace(small, data=replace(small.data, batch_size=64))
    scenes = load_scenes(small.data, "train")
    few, many = (measured_step(config, scenes, 0) for config in (small, large))
    assert 0 < few.seconds < many.seconds  # 32 times the samples
    assert "cores" in few.device


def test_final_epochs_keep_their_own_columns(tiny_config: TrainingConfig) -> None:
    scenes = load_scenes(tiny_config.data, "train")
    for final, kept in ((None, 3), (2, 2)):
        data = replace(tiny_config.data, kept_columns=3, final_kept_columns=final, crop_columns=16)
        config = replace(tiny_config, data=data)
        assert [batches(config, scenes, epoch, WHOLE)[0].target.shape[-1] for epoch in (0, 3)] == [3, kept]


@pytest.mark.parametrize(("n_scenes", "batch", "devices", "nodes", "wanted"), [(9, 1, 4, 1, 3), (8, 2, 2, 2, 1)])
def test_an_epoch_has_a_crop_for_each_scene(n_scenes: int, batch: int, devices: int, nodes: int, wanted: int) -> None:
    schedule = ScheduleConfig(epochs=1, batches_per_epoch=0, devices=devices, nodes=nodes)
    assert schedule.counted(n_scenes, batch).batches_per_epoch == wanted
    given = replace(schedule, batches_per_epoch=5)
    assert given.counted(n_scenes, batch) is given


def test_a_counted_run_ends_with_its_last_rate(tiny_config: TrainingConfig) -> None:
    schedule = replace(tiny_config.schedule, batches_per_epoch=0, epochs=2, final_learning_rate=1e-3)
    last = train(replace(tiny_config, name="counted", schedule=schedule))
    assert [float(row["epoch"]) for row in curve(last)] == [1, 2]
    assert float(curve(last)[-1]["learning_rate"]) == pytest.approx(1e-3)

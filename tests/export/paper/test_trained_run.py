"""The recipe is the printed one; what differs from it is told, and another run is never resumed."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from export.paper.printed import N_PATCHES, PATCH_SHAPE, RECIPE, recipe_differences, split_differences
from export.paper.trained_run import check_devices, experiment, package_of, record_training
from model.training.training_config import load_training_config
from runtime.errors import BadArgument


def test_the_recipe_is_as_printed() -> None:
    config = load_training_config(RECIPE)
    data, schedule = config.data, config.schedule
    assert (schedule.epochs, schedule.final_epochs, schedule.loss, schedule.decay) == (2000, 50, "l1", "linear")
    assert (schedule.learning_rate, schedule.final_learning_rate) == (1e-4, 1e-5)
    assert (data.hyspecnet_split, data.crop_bands, data.final_bands) == ("hard", 16, 100)
    assert (schedule.devices, data.final_kept_columns is not None) == (4, True)
    assert recipe_differences(config) == []
    assert split_differences({PATCH_SHAPE}, 7, 7, N_PATCHES) == []


@pytest.mark.parametrize(("epochs", "final"), [(1, 0), (2, 1), (40, 1), (200, 5), (2000, 50), (None, 50)])
def test_fewer_epochs_keep_the_share_of_the_final_ones(hyspecnet_root: Path, epochs: int | None, final: int) -> None:
    config = experiment(hyspecnet_root, epochs, None, ())
    assert (config.schedule.epochs, config.schedule.final_epochs) == (epochs or 2000, final)
    assert (epochs in (None, 2000)) == (recipe_differences(config) == [])


def test_differences_are_told(hyspecnet_root: Path) -> None:
    config = experiment(hyspecnet_root, None, None, ("schedule.loss=rate", "network.features=8", "schedule.devices=2"))
    told = " ".join(recipe_differences(config))
    assert "schedule.loss is rate, printed l1" in told and "preset paper" in told and "2 processes" in told
    assert len(split_differences({(8, 202, 8)}, 1, 2, 4)) == 3


def test_a_run_that_started_otherwise_is_not_resumed(hyspecnet_root: Path, tmp_path: Path) -> None:
    config = experiment(hyspecnet_root, 2, tmp_path, ())
    record_training(config)
    record_training(replace(config, schedule=replace(config.schedule, threads=3, accelerator="cpu")))
    with pytest.raises(BadArgument, match="started with other configuration: cannot resume"):
        record_training(replace(config, schedule=replace(config.schedule, epochs=3)))


def test_a_run_is_resumed_on_another_copy_of_its_data_and_on_no_other_data(
    hyspecnet_root: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(hyspecnet_root / "splits", copy / "splits")
    (copy / "patches").mkdir()
    record_training(experiment(hyspecnet_root, 2, tmp_path, ()))
    record_training(experiment(copy, 2, tmp_path, ()))
    with (copy / "splits" / "hard" / "train.csv").open("a") as lists:
        lists.write("another/patch.npy\n")
    with pytest.raises(BadArgument, match="started with other configuration: cannot resume"):
        record_training(experiment(copy, 2, tmp_path, ()))


def test_what_is_missing_is_one_line(hyspecnet_root: Path, tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match="no root of HySpecNet-11k, allowed a folder with patches/ and splits/"):
        experiment(tmp_path, None, None, ())
    with pytest.raises(BadArgument, match=r"nowhere\.ckpt not found"):
        package_of(tmp_path / "nowhere.ckpt", tmp_path)
    n_here = torch.cuda.device_count()
    config = experiment(hyspecnet_root, None, None, (f"schedule.devices={n_here + 1}",))
    with pytest.raises(BadArgument, match=f"schedule.devices is {n_here + 1} of cuda, {n_here} found"):
        check_devices(config)

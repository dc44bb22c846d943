"""Runs: the curve falls, stopped and resumed equals not stopped, and trouble leaves a checkpoint."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from model.batches.batches import WHOLE, CropBatches
from model.training import train as training
from model.training.lightning_module import LineRwkvTraining
from model.training.training_config import TrainingConfig
from runtime.errors import BadArgument
from tests.model.conftest import smooth_scene


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(checkpoint, weights_only=True)["state_dict"]
    return state


def curve(checkpoint: Path) -> list[dict[str, str]]:
    """The rows of a run, without the seconds, which no two runs share."""
    with (checkpoint.parent / "curve.csv").open(newline="") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def moments(checkpoint: dict[str, Any]) -> list[dict[str, torch.Tensor]]:
    """Of each parameter, of the optimiser or of the several that it is made of."""
    (state,) = checkpoint["optimizer_states"]
    return [moment for one in state.get("optimizers", [state]) for moment in one["state"].values()]


def assert_equal_runs(a: Path, b: Path) -> None:
    """Bit for bit: weights, the optimiser's moments, and the curve."""
    one, other = (torch.load(path, weights_only=True) for path in (a, b))
    for name, tensor in one["state_dict"].items():
        assert torch.equal(tensor, other["state_dict"][name]), name
    for state, expected in zip(moments(one), moments(other), strict=True):
        assert all(torch.equal(state[name], expected[name]) for name in state)
    assert curve(a) == curve(b)


@pytest.fixture
def whole_run(tiny_config: TrainingConfig) -> Path:
    return training.train(replace(tiny_config, name="whole"))


def test_rates_fall_and_the_run_leaves_its_files(capsys: pytest.CaptureFixture[str], whole_run: Path) -> None:
    rows = curve(whole_run)
    assert [row["epoch"] for row in rows] == ["1.0", "2.0", "3.0", "4.0"]
    assert float(rows[-1]["bits_per_sample"]) < float(rows[0]["bits_per_sample"])
    assert rows[0]["bits_per_sample/scene_3"] == rows[0]["bits_per_sample"]
    names = {path.name for path in whole_run.parent.iterdir()}
    assert {"config.json", "curve.csv", "curve.svg", "best.ckpt", "last.ckpt"} <= names
    assert any(name.startswith("events.out.tfevents") for name in names)
    assert "epoch 4/4: loss" in capsys.readouterr().out


def test_a_run_leaves_the_processor_as_it_was(whole_run: Path) -> None:
    # 2**-1074 times 1, at run time: zero where denormal numbers are flushed
    assert float(np.multiply(np.array([5e-324]), 1.0)[0]) > 0
    assert float((torch.tensor([1e-45]) * 1.0)[0]) > 0


def test_a_run_stopped_after_an_epoch_and_resumed_equals_one_that_was_not(
    tiny_config: TrainingConfig, whole_run: Path
) -> None:
    last = training.train(tiny_config, max_minutes=0)
    assert len(curve(last)) == 1
    for _ in range(2):
        training.train(tiny_config, resume=True, max_minutes=0)
    assert_equal_runs(training.train(tiny_config, resume=True), whole_run)


def test_a_run_killed_within_an_epoch_and_resumed_equals_one_that_was_not(
    tiny_config: TrainingConfig, whole_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = LineRwkvTraining.training_step

    def interrupted(self: LineRwkvTraining, batch: Any, batch_index: int) -> torch.Tensor:
        if self.current_epoch == 2 and batch_index == 1:
            raise RuntimeError("power cut")
        return step(self, batch, batch_index)

    monkeypatch.setattr(LineRwkvTraining, "training_step", interrupted)
    with pytest.raises(RuntimeError, match="power cut"):
        training.train(tiny_config)
    monkeypatch.undo()
    assert_equal_runs(training.train(tiny_config, resume=True), whole_run)


def test_a_file_that_disappears_stops_the_run_with_its_checkpoint(
    tiny_config: TrainingConfig, whole_run: Path, scene_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from model.scenes import scene

    cut = CropBatches.__getitem__

    def losing(self: CropBatches, index: int) -> Any:
        if self.key[1] == 1 and index == 1:
            for number in range(3):
                (scene_folder / f"scene_{number}.npy").rename(scene_folder / f"gone_{number}.npy")
            scene.mapped_samples.cache_clear()
        return cut(self, index)

    monkeypatch.setattr(CropBatches, "__getitem__", losing)
    with pytest.raises(BadArgument, match=r"scene scene_\d: .*scene_\d.npy not found"):
        training.train(tiny_config)
    monkeypatch.undo()
    last = Path(tiny_config.output) / "tiny" / "last.ckpt"
    assert len(curve(last)) == 1
    for number in range(3):
        (scene_folder / f"gone_{number}.npy").rename(scene_folder / f"scene_{number}.npy")
    assert_equal_runs(training.train(tiny_config, resume=True), whole_run)


def test_a_loss_that_is_no_number_stops_the_run(tiny_config: TrainingConfig) -> None:
    config = replace(tiny_config, schedule=replace(tiny_config.schedule, learning_rate=1e30, gradient_clip=0.0))
    with pytest.raises(BadArgument, match=r"loss is (nan|inf) in epoch"):
        training.train(config)


def test_odd_scenes_are_named_and_trained_on(
    tiny_config: TrainingConfig, scene_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = smooth_scene(0, (24, 8, 16))
    samples[:, 1] = 0
    samples[:, 3, 2] = 5
    np.save(scene_folder / "scene_0.npy", samples)
    np.save(scene_folder / "scene_1.npy", smooth_scene(1, (24, 8, 16), "uint16"))
    last = training.train(replace(tiny_config, schedule=replace(tiny_config.schedule, epochs=1)))
    printed = capsys.readouterr().out
    assert "note: scene scene_0: 1 constant bands, the first is band 1" in printed
    assert "note: scene scene_0: 1 dead columns, the first is column 2 of band 3" in printed
    assert "note: mixed sample types: 3 scenes int16, 1 scenes uint16" in printed
    assert all(torch.isfinite(tensor).all() for tensor in weights(last).values())


def test_early_stopping_ends_a_run_that_gets_no_better(tiny_config: TrainingConfig) -> None:
    schedule = replace(tiny_config.schedule, epochs=8, patience=2, learning_rate=1e-12, final_learning_rate=1e-12)
    assert len(curve(training.train(replace(tiny_config, schedule=schedule)))) == 3


def test_validation_may_be_rare(tiny_config: TrainingConfig) -> None:
    rows = curve(training.train(replace(tiny_config, schedule=replace(tiny_config.schedule, validate_every=2))))
    assert [bool(row["bits_per_sample"]) for row in rows] == [False, True, False, True]


def test_mixed_precision_trains(tiny_config: TrainingConfig) -> None:
    schedule = replace(tiny_config.schedule, precision="bf16-mixed")
    rows = curve(training.train(replace(tiny_config, schedule=schedule)))
    assert float(rows[-1]["bits_per_sample"]) < float(rows[0]["bits_per_sample"])


def test_final_epochs_have_more_bands(tiny_config: TrainingConfig) -> None:
    assert [training.batches(tiny_config, [], epoch, WHOLE).plan.bands for epoch in range(4)] == [3, 3, 3, 5]


def test_a_fine_tuned_run_starts_from_the_checkpoint(tiny_config: TrainingConfig, whole_run: Path) -> None:
    still = replace(tiny_config.schedule, epochs=1, learning_rate=1e-12, final_learning_rate=1e-12)
    tuned = training.train(replace(tiny_config, name="tuned", schedule=still), start=whole_run)
    for name, tensor in weights(whole_run).items():
        # three steps of Adam move a weight by at most the learning rate each
        assert torch.allclose(weights(tuned)[name], tensor, rtol=1e-6, atol=1e-9), name


def test_a_checkpoint_of_another_network_is_refused(tiny_config: TrainingConfig, whole_run: Path) -> None:
    other = replace(tiny_config, name="other", network=replace(tiny_config.network, features=6))
    with pytest.raises(BadArgument, match="network has features 4, the configuration 6"):
        training.train(other, start=whole_run)


def test_checkpoints_rebuild_their_module(tiny_config: TrainingConfig, whole_run: Path) -> None:
    module, config = training.load_checkpoint(whole_run)
    assert config == replace(tiny_config, name="whole")
    assert all(torch.equal(tensor, weights(whole_run)[name]) for name, tensor in module.state_dict().items())


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "last.ckpt").write_bytes(content)
    with pytest.raises(BadArgument, match=r"last.ckpt cannot be read"):
        training.load_checkpoint(tmp_path / "last.ckpt")

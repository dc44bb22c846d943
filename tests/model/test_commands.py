"""The verbs of training, as a user calls them."""

import json
import math
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

from model.commands import evaluate, finetune, pack, train
from model.config import PRESETS
from model.evaluate import add_coded, coded_size
from model.network import LineRwkv
from model.scene_list import load_scenes
from model.training_config import DataConfig, load_training_config
from runtime import golomb
from runtime.bits import finish, initial_bits
from runtime.errors import BadArgument
from runtime.golomb_residuals import golomb_parameters
from tests.model.conftest import smooth_scene

CONFIG = """
name = "tiny"
output = "{output}"
[network]
preset = "small"
features = 4
line_blocks = 1
[data]
manifest = "manifest.json"
cache = "{output}/cache"
crop_lines = 12
crop_bands = 3
crop_columns = 8
[schedule]
epochs = 2
batches_per_epoch = 2
"""


@pytest.fixture
def config(scene_folder: Path) -> Path:
    path = scene_folder / "tiny.toml"
    path.write_text(CONFIG.format(output=scene_folder / "runs"))
    return path


def run(command: click.Command, *arguments: Any) -> str:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_train_stops_in_time_resumes_and_evaluates(config: Path, scene_folder: Path) -> None:
    stopped = run(train, config, "--max-minutes", 0)
    assert "epoch 1 of 2, stopped, go on with train CONFIG --resume" in stopped
    report = json.loads(run(train, config, "--resume", "--json").splitlines()[-1])
    assert (report["epochs_done"], report["epochs"]) == (2, 2)
    table = run(evaluate, report["checkpoint"], scene_folder / "scene_3.npy", "--segment-lines", 12, "--bands")
    assert "band    7:" in table
    values = json.loads(
        run(evaluate, report["checkpoint"], scene_folder / "scene_3.npy", "--segment-lines", 12, "--json")
    )
    (scene,) = values["scenes"]
    # the validation logged the same stream, as float32
    assert math.isclose(scene["bits_per_sample"], report["last_bits_per_sample"], rel_tol=1e-6)
    tuned = scene_folder / "tuned.toml"
    tuned.write_text(config.read_text().replace('"tiny"', '"tuned"'))
    assert "epoch 2 of 2, finished" in run(finetune, report["checkpoint"], tuned)


def test_a_second_run_without_resume_starts_anew(config: Path) -> None:
    for _ in range(2):
        assert json.loads(run(train, config, "--json").splitlines()[-1])["epochs_done"] == 2


def test_packed_scenes_train_like_the_originals(config: Path, scene_folder: Path) -> None:
    packed = scene_folder / "packed"
    run(pack, config, packed)
    original = load_training_config(config).data
    copy = DataConfig(str(packed / "manifest.json"), cache=str(scene_folder / "cache"))
    for split in ("train", "validation"):
        scenes, copies = load_scenes(original, split), load_scenes(copy, split)
        assert [scene.name for scene in scenes] == [scene.name for scene in copies]
        assert all(np.array_equal(a.samples, b.samples) for a, b in zip(scenes, copies, strict=True))
    n_bytes = sum(path.stat().st_size for path in packed.iterdir())
    assert n_bytes < sum(path.stat().st_size for path in scene_folder.glob("scene_*.npy"))


def test_errors_name_what_is_wrong(config: Path, scene_folder: Path) -> None:
    with pytest.raises(BadArgument, match=r"nowhere.ckpt not found"):
        run(evaluate, scene_folder / "nowhere.ckpt", scene_folder / "scene_3.npy")
    for wrong, message in {
        "epochs = 2\nepoch = 3": r"\[schedule\]: unknown key 'epoch'",
        "epochs = 0": "epochs is 0, allowed at least 1",
        "": "missing 1 required positional argument: 'epochs'",
    }.items():
        config.write_text(CONFIG.format(output=scene_folder / "runs").replace("epochs = 2", wrong))
        with pytest.raises(BadArgument, match=message):
            run(train, config)


def test_configurations_of_the_project_load() -> None:
    for path in sorted(Path("model/configs").glob("*.toml")):
        config = load_training_config(path)
        assert config.name == path.stem
        assert config.schedule.loss == "rate"
        assert PRESETS.get(config.name, config.network) == config.network


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 3, 4), (13, 2, 9)])
def test_bits_of_bands_make_up_the_bytes_of_whole_lines(shape: tuple[int, int, int]) -> None:
    mapped = np.random.default_rng(0).geometric(0.02, shape).astype(np.int32) - 1
    parameters = golomb_parameters(12)
    state, bits = golomb.initial_state(parameters, shape[1]), initial_bits()
    buffer = np.empty(golomb.worst_bytes(parameters, mapped.size), np.uint8)
    for line in mapped:
        golomb.encode_line(parameters, line, state, buffer, bits)
    n_bits = 8 * int(bits[0]) + int(bits[2])
    band_bits = np.zeros(shape[1], np.int64)
    assert add_coded(parameters, mapped, band_bits) == finish(buffer, bits)
    assert band_bits.sum() == n_bits


def test_a_scene_costs_its_bands_and_its_headers() -> None:
    samples = smooth_scene(1, (24, 8, 16)).astype(np.int32)
    size = coded_size(LineRwkv(PRESETS["small"]).eval(), samples, segment_lines=12)
    assert np.isclose(size.band_rates.mean(), size.band_bits.sum() / samples.size)
    assert 0 < 8 * size.n_bytes - size.band_bits.sum() < 8 * 400  # two segment headers, stream header, end record

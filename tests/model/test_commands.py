"""The commands of training, as a user calls them."""

import json
import math
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

from model.commands import evaluate, pack, train
from model.evaluation.evaluate import add_coded, coded_size
from model.network.config import PRESETS
from model.network.network import LineRwkv
from model.scenes.data_config import DataConfig
from model.scenes.scene_list import load_scenes
from model.training.training_config import load_cross_validation, load_training_config
from runtime.ccsds123 import golomb
from runtime.coders.golomb_residuals import golomb_parameters
from runtime.errors import BadArgument
from runtime.kernels.bits import finish, initial_bits
from tests.model.conftest import smooth_scene
from tests.model.scenes.test_hyspecnet import write_set

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
    assert "epoch 1 of 2, stopped, continue with train CONFIG --resume" in stopped
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
    assert "epoch 2 of 2, finished" in run(train, tuned, "--start", report["checkpoint"])


def test_a_root_of_hyspecnet_stands_for_the_patches_of_a_split(config: Path, tmp_path: Path) -> None:
    write_set(tmp_path / "hyspecnet")
    checkpoint = json.loads(run(train, config, "--json").splitlines()[-1])["checkpoint"]

    def evaluated(*more: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(run(evaluate, checkpoint, tmp_path / "hyspecnet", *more, "--json"))
        return found

    assert [len(evaluated(*more)["scenes"]) for more in ((), ("--split", "hard/train"))] == [1, 2]
    found = evaluated("--split", "easy/train")
    assert {scene["samples"] for scene in found["scenes"]} == {4 * 202 * 4}
    n_bytes, n_samples = (sum(scene[key] for scene in found["scenes"]) for key in ("bytes", "samples"))
    assert found["bits_per_sample"] == 8 * n_bytes / n_samples
    with pytest.raises(BadArgument, match="split hard/all, allowed"):
        run(evaluate, checkpoint, tmp_path / "hyspecnet", "--split", "hard/all")


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


def test_weights_of_patterns_count_once_for_packed_scenes(config: Path, scene_folder: Path) -> None:
    weighted = config.with_name("weighted.toml")
    weighted.write_text(config.read_text().replace("[data]", '[data]\nweights = { "scene_0" = 0.5 }'))
    run(pack, weighted, scene_folder / "packed")
    data = load_training_config(weighted, settings=[f"data.manifest={scene_folder / 'packed' / 'manifest.json'}"]).data
    assert [scene.weight for scene in load_scenes(data, "train")] == [0.5, 1, 1]


def test_settings_replace_values_of_the_file(config: Path) -> None:
    settings = ("name=other", "schedule.epochs = 7", 'data.without=["a*"]', "output=some/where", "data.check=false")
    found = load_training_config(config, settings=settings)
    assert (found.name, found.schedule.epochs, found.output) == ("other", 7, "some/where")
    assert (found.data.without, found.data.check) == (["a*"], False)
    for bad, message in [
        ("schedule.epochs", "allowed KEY=VALUE"),
        ("name.x=1", "'name' is no table"),
        ("data.nonsense=1", "key data.nonsense: not known"),
    ]:
        with pytest.raises(BadArgument, match=message):
            load_training_config(config, settings=[bad])
    report = json.loads(
        run(train, config, "--json", "--set", "schedule.epochs=1", "--set", "name=other").splitlines()[-1]
    )
    assert report["name"] == "other" and report["epochs"] == 1


def test_cross_validation_models_differ_in_what_their_tables_say(config: Path, scene_folder: Path) -> None:
    tables = scene_folder / "cross_validation.toml"
    tables.write_text('[a.data]\nwithout = ["scene_0"]\n[b]\n[b.schedule]\nbatches_per_epoch = 1\n')
    a, b = load_cross_validation(config, tables, ["schedule.epochs=1"])
    assert (a.name, a.data.without, a.schedule.batches_per_epoch, a.schedule.epochs) == ("a", ["scene_0"], 2, 1)
    assert (b.name, b.data.without, b.schedule.batches_per_epoch) == ("b", [], 1)
    output = run(train, config, "--cross-validation", tables, "--only", "b", "--set", "schedule.epochs=1")
    assert "b/last.ckpt: epoch 1 of 1" in output and "a/last.ckpt" not in output
    with pytest.raises(BadArgument, match="no table 'c', allowed a, b"):
        load_cross_validation(config, tables, only=["c"])


def test_the_cross_validation_of_the_flight_network_chooses_scenes() -> None:
    folder = Path(__file__).parents[2] / "model" / "configs"
    runs = load_cross_validation(folder / "flight.toml", folder / "cross_validation" / "flight.toml")
    found = {config.name: config.data for config in runs}
    assert all(found[f"fold-{i}"].without == found[f"fold-{i}"].validate for i in range(4))
    assert "sensor-new" in found and not found["sensor-new"].also_train


def test_errors_name_what_is_wrong(config: Path, scene_folder: Path) -> None:
    with pytest.raises(BadArgument, match=r"nowhere.ckpt not found"):
        run(evaluate, scene_folder / "nowhere.ckpt", scene_folder / "scene_3.npy")
    for wrong, message in {
        "epochs = 2\nepoch = 3": r"tiny.toml: key schedule.epoch: not known, allowed epochs",
        "epochs = 0": "tiny.toml: key schedule.epochs: found 0, allowed int at least 1",
        "": "tiny.toml: key schedule.epochs: found nothing, allowed int at least 1",
    }.items():
        config.write_text(CONFIG.format(output=scene_folder / "runs").replace("epochs = 2", wrong))
        with pytest.raises(BadArgument, match=message):
            run(train, config)


def test_configurations_of_the_project_load() -> None:
    for path in sorted(Path("model/configs").glob("*.toml")):
        config = load_training_config(path)
        assert config.name == path.stem
        assert config.schedule.loss in ("rate", "staged", "l1")
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

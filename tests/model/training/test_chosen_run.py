"""What a user trains by a name: shipped configurations, the part of them for CPUs, scenes of one's own."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from hil_tests.places.place import REPOSITORY
from model.commands import train
from model.network.flight_config import FlightConfig
from model.scenes.scene_list import load_scenes
from model.training.chosen_run import chosen_run
from model.training.train import how, load_checkpoint
from model.training.training_config import load_training_config
from runtime.errors import BadArgument
from tests.model.conftest import smooth_scene

FILE = """
[network]
preset = "flight"
features = 6
[data]
manifest = "nowhere"
batch_size = 32
variants = ["plain"]
[schedule]
epochs = 2
batches_per_epoch = 2
precision = "bf16-mixed"
[cpu.data]
batch_size = 2
variants = []
[cpu.schedule]
precision = "32-true"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(FILE)
    return path


def has_cuda(monkeypatch: pytest.MonkeyPatch, *, answer: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: answer)


def test_a_name_is_that_of_a_shipped_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_training_config(Path("tiny")).name == "tiny"
    with pytest.raises(BadArgument) as caught:
        load_training_config(Path("fleet"))
    names = "flight, paper, paper_hyspecnet, small, tiny"
    assert str(caught.value) == f"training configuration fleet: not found, allowed a TOML file or {names}"
    Path("tiny").write_text(FILE)  # a file of that name is meant
    assert load_training_config(Path("tiny")).network == FlightConfig(features=6)


def test_the_table_for_cpus_holds_where_there_is_no_cuda(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*settings: str) -> tuple[int, list[str], str]:
        config = load_training_config(path, settings)
        return config.data.batch_size, config.data.variants, config.schedule.precision

    on_gpu = (32, ["plain"], "bf16-mixed")
    on_cpu: tuple[int, list[str], str] = (2, [], "32-true")
    has_cuda(monkeypatch, answer=True)
    assert found() == on_gpu
    assert found("schedule.accelerator=cpu") == on_cpu
    has_cuda(monkeypatch, answer=False)
    assert found() == on_cpu
    assert found("schedule.accelerator=cuda") == on_gpu  # it is asked for, and Lightning says that it is not there
    assert found("data.batch_size=5") == (5, *on_cpu[1:])
    assert "own: on the CPU, as there is no CUDA device, 32-true, batches of 2 crops of " in how(
        load_training_config(path)
    )


@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("batch_sise = 2", ", with its table cpu: key data.batch_sise: not known, allowed "),
        ("batch_size = 0", ", with its table cpu: key data.batch_size: found 0, allowed int at least 1"),
    ],
)
def test_a_wrong_table_is_one_line_on_every_machine(
    path: Path, table: str, line: str, monkeypatch: pytest.MonkeyPatch, answer: bool
) -> None:
    has_cuda(monkeypatch, answer=answer)
    path.write_text(FILE.replace("[cpu.data]\nbatch_size = 2", f"[cpu.data]\n{table}"))
    with pytest.raises(BadArgument) as caught:
        load_training_config(path)
    assert str(caught.value).startswith(f"training configuration {path}{line}")


def test_a_table_that_is_none_is_one_line(path: Path) -> None:
    path.write_text(f"cpu = 1\n{FILE.partition('[cpu.data]')[0]}")
    with pytest.raises(BadArgument, match=r"own.toml: key cpu: found 1, allowed table$"):
        load_training_config(path)


def test_the_shipped_recipe_runs_on_a_cpu_with_scenes_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    has_cuda(monkeypatch, answer=False)
    (tmp_path / "mine").mkdir()
    np.save(tmp_path / "mine" / "a.npy", smooth_scene(1, (24, 6, 17)))  # smaller than a crop
    short = ["--set", "schedule.epochs=1", "--set", "schedule.batches_per_epoch=2"]
    result = CliRunner().invoke(train, ["flight", "--scenes", "mine", *short, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith("mine: 1 scenes train, the last lines of each validate; groups, also_train")
    report: dict[str, Any] = json.loads(lines[-1])
    assert (report["name"], report["epochs_done"]) == ("flight", 1)
    config = load_checkpoint(Path(report["checkpoint"]))[1]
    assert config.network == FlightConfig() and config.schedule.loss == "staged"
    assert config.data.batch_size * config.data.crop_bands * config.data.crop_columns <= 2 * 24 * 44
    assert [scene.name for scene in load_scenes(config.data, "validation")] == ["a[18:24]"]  # for `quantize`


def test_scenes_that_are_not_here_are_asked_for(path: Path) -> None:
    with pytest.raises(BadArgument, match=r"^own: its scenes, .*nowhere, are not here; allowed others by --scenes$"):
        chosen_run(load_training_config(path), None, [])


def test_packages_are_added_to_those_of_the_file(path: Path, tmp_path: Path) -> None:
    config = load_training_config(path, ['data.packages=["first"]'])
    config = replace(config, data=replace(config.data, manifest=str(tmp_path)))
    assert chosen_run(config, None, [Path("second")]).data.packages == ["first", "second"]


@pytest.mark.parametrize("folder", ["model/configs", "model/sensors", "quantize/configs"])
def test_what_has_a_name_is_in_the_wheel(folder: str) -> None:
    package, _, inside = folder.partition("/")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"][package]
    files = list((REPOSITORY / folder).glob("*.toml"))
    assert files
    for file in files:
        assert any(Path(inside, file.name).match(pattern) for pattern in patterns), file

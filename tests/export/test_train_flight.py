"""From scenes to a package by two files: stopped anywhere and started again, it is the same package."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from export.train_flight import train_flight, train_flight_command
from quantize.recipe import recipe_values
from runtime.cell.flight_package import IntegerPackage, open_integer_package
from runtime.errors import BadArgument
from tests.model.conftest import scene_folder  # noqa: F401  # the fixture

CONFIG = """
[network]
preset = "flight"
features = 6
[data]
manifest = "nowhere.json"
cache = "{cache}"
crop_lines = 12
crop_bands = 3
crop_columns = 8
[schedule]
epochs = 2
batches_per_epoch = 2
loss = "rate"
"""
RECIPE = "weight_bits = 7\nepochs = 1\nbatches = 2\ncalibration_batches = 1\n"


@pytest.fixture
def recipe(scene_folder: Path) -> tuple[Path, Path, Path]:  # noqa: F811  # the fixture
    """Configuration, quantization, scenes: a folder with a MANIFEST.json."""
    (scene_folder / "manifest.json").rename(scene_folder / "MANIFEST.json")
    (scene_folder / "tiny.toml").write_text(CONFIG.format(cache=scene_folder / "cache"))
    (scene_folder / "int7.toml").write_text(RECIPE)
    return scene_folder / "tiny.toml", scene_folder / "int7.toml", scene_folder


def opened(path: Path | None) -> IntegerPackage:
    assert path is not None
    return open_integer_package(path)


def test_stopped_and_started_again_it_is_the_same_package(recipe: tuple[Path, Path, Path], tmp_path: Path) -> None:
    whole = opened(train_flight(*recipe, tmp_path / "whole"))
    assert train_flight(*recipe, tmp_path / "parts", max_minutes=0) is None
    parts = opened(train_flight(*recipe, tmp_path / "parts"))
    for name in ("integers.bin", "line_step.onnx", "conformance.bin"):
        assert parts.parts[name] == whole.parts[name]
    assert whole.manifest["quantization"]["weight_bits"] == 7
    report = tmp_path / "parts" / "int8" / "report.json"
    before = report.stat().st_mtime_ns
    assert opened(train_flight(*recipe, tmp_path / "parts")).sha256 == parts.sha256
    assert report.stat().st_mtime_ns == before  # nothing was done again


def test_one_scene_of_ones_own_and_the_shipped_recipe_are_enough(
    recipe: tuple[Path, Path, Path],
    tmp_path: Path,
) -> None:
    config, _, scenes = recipe
    output = tmp_path / "out"
    for _ in range(2):  # the second time there is nothing left to do
        result = CliRunner().invoke(
            train_flight_command,
            [str(config), "--scenes", str(scenes / "scene_1.npy"), "-o", str(output)],
            catch_exceptions=False,
        )
        assert result.exit_code == 0, result.output
        assert "1 scenes train, the last lines of each validate\n" in result.output
    package = open_integer_package(output / "package")
    assert package.manifest["quantization"]["weight_bits"] == 7
    packed = json.loads((output / "scenes" / "manifest.json").read_text())
    assert [(entry["name"], entry["split"]) for entry in packed] == [
        ("scene_1[0:18]", "train"),
        ("scene_1[18:24]", "validation"),
    ]


def test_another_recipe_is_not_a_continuation(recipe: tuple[Path, Path, Path], tmp_path: Path) -> None:
    config, int7, scenes = recipe
    assert train_flight(config, int7, scenes, tmp_path, max_minutes=0) is None
    int7.write_text(RECIPE.replace("7", "6"))
    with pytest.raises(BadArgument, match="started with other quantization: cannot resume"):
        train_flight(config, int7, scenes, tmp_path)
    config.write_text(config.read_text().replace("crop_bands = 3", "crop_bands = 4"))
    with pytest.raises(BadArgument, match="started with other configuration: cannot resume"):
        train_flight(config, int7, scenes, tmp_path)


def test_a_wrong_recipe_ends_before_anything_is_made(recipe: tuple[Path, Path, Path], tmp_path: Path) -> None:
    config, int7, scenes = recipe
    int7.write_text("weight_bits = 5")
    arguments = [config, int7, "--scenes", scenes, "-o", tmp_path / "out"]
    with pytest.raises(BadArgument, match=r"int7.toml: key weight_bits: found 5, allowed 6, 7, 8$"):
        CliRunner().invoke(train_flight_command, list(map(str, arguments)), catch_exceptions=False)
    assert not (tmp_path / "out").exists()


def test_the_recipe_of_the_shipped_package_is_what_it_says() -> None:
    recorded = json.loads(Path("runtime/packages/flight/manifest.json").read_text())["quantization"]["options"]
    values = recipe_values(Path("quantize/configs/flight.toml"))
    assert {name: recorded[name] for name in values} == values

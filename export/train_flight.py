"""The command `linerwkv train-flight`: from scenes to a flight package. Pack, train, quantize, export, self-test.

Every step is resumable: packed scenes are kept, the training continues from its last checkpoint, integers of that
checkpoint are kept. The recipe is two TOML files.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import click

from export.commands import integer_parts
from export.package_files import check_package_name, write_package
from export.quantized_folder import is_quantized_folder, read_quantized_folder
from export.start_record import record_start
from model.scenes.pack import MANIFEST, pack_scenes
from model.training.train import say, stored_checkpoint, train
from model.training.training_config import load_training_config
from quantize.pipeline import QuantizeOptions, quantize
from quantize.recipe import recipe_values
from runtime.cell.flight_package import package_of_parts
from runtime.executors.executors import make_executor

FILE = click.Path(path_type=Path)
SCENES, INT8, PACKAGE = "scenes", "int8", "package"


def train_flight(
    config_path: Path, recipe: Path, scenes: Path | None, output: Path, max_minutes: float | None = None
) -> Path | None:
    """The package in `output`, or None where the training stopped in time, ready to be resumed.

    scenes: instead of those of the configuration, a manifest, a folder with a MANIFEST.json, or any other that
    training takes. Raises LineRwkvError.
    """
    if scenes is not None and (scenes / "MANIFEST.json").is_file():
        scenes = scenes / "MANIFEST.json"
    config = load_training_config(config_path)
    if scenes is not None:
        config = replace(config, data=replace(config.data, manifest=str(scenes)))
    values = recipe_values(recipe)
    check_package_name(output / PACKAGE)
    record_start(output, {"configuration": config.to_dict(), "quantization": values}, resume=True)
    packed = output / SCENES / MANIFEST
    if not packed.is_file():
        data = config.data
        say(f"{packed.parent}: {pack_scenes(data, [data.train_split, data.validation_split], packed.parent):,} bytes")

    config = replace(config, output=str(output), data=replace(config.data, manifest=str(packed)))
    last = train(config, resume=True, max_minutes=max_minutes)
    done = stored_checkpoint(last)["epoch"] + 1
    if done < config.schedule.epochs:
        say(f"{last}: epoch {done} of {config.schedule.epochs}, stopped; the same command resumes it")
        return None

    integers = output / INT8
    if not is_quantized(integers, last):
        quantize(last, integers, QuantizeOptions(**values, resume=True))
    package = output / PACKAGE
    parts = integer_parts(read_quantized_folder(integers), None, None, None, None)
    make_executor(package_of_parts(package, parts))
    write_package(parts, package)
    say(f"{package}: passes its self-test")
    return package


def is_quantized(folder: Path, checkpoint: Path) -> bool:
    """Whether the integers in `folder` are those of `checkpoint`."""
    if not is_quantized_folder(folder):
        return False
    found = read_quantized_folder(folder).quantization.get("checkpoint_sha256")
    return bool(found == hashlib.sha256(checkpoint.read_bytes()).hexdigest())


@click.command("train-flight")
@click.argument("config", type=FILE)
@click.argument("recipe", type=FILE)
@click.option("--scenes", type=FILE, help="Scenes instead of those of CONFIG: a manifest, or a folder.")
@click.option("-o", "--output", type=FILE, required=True, help="Folder for everything, the package included.")
@click.option("--max-minutes", type=float, help="Stop the training in time; the same command resumes it.")
def train_flight_command(
    config: Path, recipe: Path, scenes: Path | None, output: Path, max_minutes: float | None
) -> None:
    """Scenes to an INT8 package by CONFIG (network, data, schedule) and RECIPE (quantization), two TOML files.

    Finished steps are not repeated, and a stopped one is resumed.
    """
    train_flight(config, recipe, scenes, output, max_minutes)

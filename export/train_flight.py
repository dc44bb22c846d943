"""The command `linerwkv train-flight`: from scenes to a flight package. Pack, train, quantize, export, self-test.

Every step is resumable: packed scenes are kept, the training continues from its last checkpoint, integers of that
checkpoint are kept. The recipe is two TOML files, by default those of the shipped package.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from export.commands import integer_parts
from export.package_files import check_package_name, write_package
from export.quantized_folder import is_quantized_folder, read_quantized_folder
from export.start_record import record_start
from model.commands import packages_option, scenes_option
from model.scenes.pack import MANIFEST, pack_scenes
from model.training.chosen_run import chosen_run
from model.training.train import say, stored_checkpoint, train
from model.training.training_config import load_training_config
from quantize.pipeline import QuantizeOptions, quantize
from quantize.recipe import SHIPPED_RECIPE, recipe_values
from runtime.cell.flight_package import package_of_parts
from runtime.executors.executors import make_executor

FILE = click.Path(path_type=Path)
SCENES, INT8, PACKAGE = "scenes", "int8", "package"


def train_flight(
    config_path: Path,
    recipe: Path,
    scenes: Path | None,
    output: Path,
    max_minutes: float | None = None,
    packages: Sequence[Path] = (),
) -> Path | None:
    """The package in `output`, or None where the training stopped in time, ready to be resumed.

    scenes: instead of those of the configuration, as in `own_scenes`. packages: that streams among them need. Raises
    LineRwkvError.
    """
    config = replace(load_training_config(config_path), output=str(output))
    values = recipe_values(recipe)
    check_package_name(output / PACKAGE)
    config = chosen_run(config, scenes, packages)
    record_start(output, {"configuration": config.to_dict(), "quantization": values}, resume=True)
    packed = output / SCENES / MANIFEST
    if not packed.is_file():
        data = config.data
        say(f"{packed.parent}: {pack_scenes(data, [data.train_split, data.validation_split], packed.parent):,} bytes")

    config = replace(config, data=replace(config.data, manifest=str(packed)))
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
@click.argument("recipe", type=FILE, default=SHIPPED_RECIPE)
@scenes_option
@packages_option
@click.option("-o", "--output", type=FILE, required=True, help="Folder for everything, the package included.")
@click.option("--max-minutes", type=float, help="Stop the training in time; the same command resumes it.")
def train_flight_command(
    config: Path,
    recipe: Path,
    scenes: Path | None,
    packages: tuple[Path, ...],
    output: Path,
    max_minutes: float | None,
) -> None:
    """Scenes to an INT8 package by CONFIG (network, data, schedule) and RECIPE (quantization).

    Both are TOML files or names of shipped ones. Finished steps are not repeated, and a stopped one is resumed.
    """
    train_flight(config, recipe, scenes, output, max_minutes, packages)

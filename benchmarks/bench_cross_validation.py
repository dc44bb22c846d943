"""What the recipe of the shipped package gains on scenes that it has not seen: four folds, a sensor left out.

Each model of model/configs/cross_validation/flight.toml is trained by the shipped recipe as it stands for this machine,
quantized by the shipped recipe, made a package in memory, and codes the scenes that it has not seen with the stage
`best`, every byte counted, beside the stage alone. Trainings are kept under runs/cross_validation: the command resumes.

    OMP_NUM_THREADS=1 python -m benchmarks.bench_cross_validation [--only fold-0 [--set schedule.weight_decay=0]]
"""

import functools
import json
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import click
import torch

from benchmarks.harness.record import RESULTS, SCENES, save
from benchmarks.rate.scenes import column, folds, matches
from export.finetuning import packaged
from export.package_worth import BEST, FLIGHT_STAGE, rates_of, stage_rates
from model.scenes.scene import Scene
from model.scenes.scene_list import load_scenes
from model.training.train import stored_checkpoint, train
from model.training.training_config import TrainingConfig, load_cross_validation
from quantize.integers import integer_cell
from quantize.pipeline import QuantizeOptions, calibrated, flight_checkpoint, scene_samples
from quantize.recipe import SHIPPED_RECIPE, recipe_values

TABLES = Path("model/configs/cross_validation/flight.toml")
OUTPUT = "runs/cross_validation"
ENMAP = ("enmap_potsdam_a", "hyspecnet_dt4950_x03110438")
SHIPPED = Path("flight")
RECIPE = QuantizeOptions(**recipe_values(SHIPPED_RECIPE))
"""The shipped recipe, which codes all lines of a scene."""


@functools.cache
def alone(scene: Scene) -> float:
    """Bits per sample of the stage without a network."""
    return stage_rates({scene.name: functools.partial(scene_samples, scene, RECIPE)})[scene.name]


class Model(NamedTuple):
    """A training of the recipe."""

    table: str
    seed: int
    changed: tuple[str, ...] = ()
    """Settings that differ from the recipe."""

    @property
    def name(self) -> str:
        """Of its run."""
        return "-".join([self.table, str(self.seed), *(change.replace("=", "-") for change in self.changed)])


def trained(model: Model) -> tuple[TrainingConfig, Path]:
    """The configuration of a model, and its checkpoint."""
    settings = [f"output={OUTPUT}", f"schedule.seed={model.seed}", f"data.manifest={SCENES / 'MANIFEST.json'}"]
    settings += [f"name={model.name}", *model.changed]
    (values,) = load_cross_validation(SHIPPED, TABLES, settings, [model.table])
    last = Path(values.output) / values.name / "last.ckpt"
    stored = stored_checkpoint(last) if last.is_file() else None
    is_same = stored is not None and stored["hyper_parameters"]["config"] == values.to_dict()
    if stored is not None and is_same and stored["epoch"] + 1 == values.schedule.epochs:
        return values, last
    return values, train(values, resume=is_same)


def gains(model: Model) -> dict[str, float]:
    """Bits per sample that the network takes off those of the stage, of scenes that it has not seen; plots are one."""
    values, checkpoint = trained(model)
    network, _ = flight_checkpoint(checkpoint)
    training = load_scenes(values.data, values.data.train_split)
    cell = integer_cell(calibrated(network, values, training, RECIPE).network)
    package = packaged(Path(OUTPUT) / values.name / "package", cell, {}, RECIPE.weight_bits)
    unseen = folds().get(model.table, ENMAP)
    scenes = [scene for scene in load_scenes(values.data, values.data.validation_split) if matches(scene.name, unseen)]
    samples = {scene.name: functools.partial(scene_samples, scene, RECIPE) for scene in scenes}
    rates = rates_of(package, samples, model.name, (FLIGHT_STAGE,))
    found: dict[str, list[float]] = {}
    for scene in scenes:
        found.setdefault(column(scene.name), []).append(alone(scene) - rates[BEST][scene.name])
    return {name: mean(parts) for name, parts in found.items()}


def rounded(gains: dict[str, float]) -> str:
    """For the table."""
    return ", ".join(f"{name} {gain:.4f}" for name, gain in gains.items())


def known_rows() -> list[dict[str, Any]]:
    """Of the result as it is now."""
    file = RESULTS / "cross_validation.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text())["rows"] if file.is_file() else []
    return rows


@click.command()
@click.option("--only", help="One table.")
@click.option("--set", "changed", multiple=True, help="Another value than the recipe's, as for `linerwkv train`.")
def main(only: str | None, changed: tuple[str, ...]) -> None:
    """Train what is missing, measure, write the table."""
    torch.set_num_threads(1)
    models = [Model(fold, 0) for fold in folds()] + [Model("sensor-new", seed) for seed in range(3)]
    for model in (model._replace(changed=changed) for model in models if only in (None, model.table)):
        if any(row["model"] == model.name for row in known_rows()):
            continue
        found = gains(model)
        row = {"model": model.name, "gain": round(mean(list(found.values())), 4), "of each": rounded(found)}
        rows = [*known_rows(), row]  # another fold may have been measured meanwhile
        save("cross_validation", "OMP_NUM_THREADS=1 python -m benchmarks.bench_cross_validation", rows)


if __name__ == "__main__":
    main()

"""Whether simulated scenes of other sensors, in the training, help on sensors that a network has never seen.

The network that is built is trained as in `bench_network_forms`, on the same scenes, with and without raw scenes of
four sensors that `linerwkv simulate` makes of two of them, drawn as often as their size says.

    OMP_NUM_THREADS=1 python -m benchmarks.bench_simulated_training [--steps 300]
"""

import tempfile
from pathlib import Path
from typing import Any

import click
import torch

from benchmarks.bench_network_forms import USUAL, banks, measured, scene_lists, shared, trained
from benchmarks.harness.record import SCENES, save
from model.scenes.data_config import DataConfig
from model.scenes.scene import Scene
from model.scenes.scene_list import load_scenes
from model.sensors.scene_source import scene_sources
from model.sensors.sensor import load_sensor
from model.sensors.simulated_folder import simulate_scenes
from model.sensors.simulated_scene import Simulation
from model.training.heap import keep_freed_memory

SENSORS = ("enmap", "prisma", "emit", "hypso1")
SOURCES = ("jasper_ridge", "abu_beach_2")


def simulated(folder: Path) -> list[Scene]:
    """Raw scenes of each sensor, of as many lines and columns as their sources."""
    sources = scene_sources([SCENES / f"{name}.hdr" for name in SOURCES], (400.0, 2500.0))
    for sensor in SENSORS:
        simulate_scenes(Simulation(load_sensor(Path(sensor))), sources, folder, lambda _: None)
    data = DataConfig(manifest=str(folder / "manifest.json"), validation_fraction=0.0, check=False)
    return load_scenes(data, data.train_split)


@click.command()
@click.option("--steps", default=300, show_default=True)
def main(steps: int) -> None:
    """Train both, measure, write the table."""
    keep_freed_memory()
    torch.set_num_threads(1)
    training, others = scene_lists()
    with tempfile.TemporaryDirectory() as folder:
        made = simulated(Path(folder))
        rows: list[dict[str, Any]] = []
        for label, scenes in (("real scenes", training), ("real and simulated scenes", training + made)):
            bank, measured_banks = banks(scenes, others)
            torch.manual_seed(0)
            network = shared(8, 64, 24)
            trained(network, bank, steps, USUAL)
            losses = {name: round(measured(network, own), 4) for name, own in measured_banks.items()}
            rows.append({"trained on": label, "scenes": len(scenes), "steps": steps, **losses})
            del bank
    command = f"OMP_NUM_THREADS=1 python -m benchmarks.bench_simulated_training --steps {steps}"
    save("simulated_training", command, rows, sensors=list(SENSORS), sources=list(SOURCES))


if __name__ == "__main__":
    main()

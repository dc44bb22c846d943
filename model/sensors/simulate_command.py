"""The command `simulate`."""

import json
import math
import os
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from model.sensors.landscape import Values
from model.sensors.scene_source import SceneSource, scene_sources
from model.sensors.sensor import load_sensor
from model.sensors.simulated_folder import simulate_scenes
from model.sensors.simulated_scene import Simulation
from runtime.command_options import json_option, note

FILE = click.Path(path_type=Path)
Positive = click.FloatRange(min=0, min_open=True)
LARGEST_SIDE = 1 << 16


@click.command()
@click.argument("sensor_path", metavar="SENSOR", type=FILE)
@click.argument("scenes", type=FILE, nargs=-1, required=True)
@click.option("-o", "--output", "folder", type=FILE, required=True, help="Folder for the scenes and their manifest.")
@click.option("--lines", "n_lines", type=click.IntRange(1), help="Of each scene; default: what the source has.")
@click.option("--columns", "n_columns", type=click.IntRange(1, LARGEST_SIDE), help="As --lines.")
@click.option("--seed", type=click.IntRange(0, (1 << 64) - 1), default=0, show_default=True, help="Another instrument.")
@click.option(
    "--values", type=click.Choice(["reflectance", "radiance"]), default="reflectance", show_default=True,
    help="What the samples of SCENES are proportional to.",
)  # fmt: skip
@click.option("--scale", type=Positive, help="Value of reflectance 1; default: the header's, else from bright samples.")
@click.option(
    "--range", "spread", type=Positive, nargs=2, metavar="FIRST LAST",
    help="Wavelengths in nm, spread evenly over the bands of scenes that state none.",
)  # fmt: skip
@click.option("--raw", is_flag=True, help="Write the lines with their records as the instrument sends them, too.")
@click.option("--set", "settings", multiple=True, help="KEY=VALUE or TABLE.KEY=VALUE, in TOML, instead of SENSOR's.")
@json_option
def simulate(
    sensor_path: Path,
    scenes: tuple[Path, ...],
    folder: Path,
    n_lines: int | None,
    n_columns: int | None,
    seed: int,
    values: Values,
    scale: float | None,
    spread: tuple[float, float] | None,
    raw: bool,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make raw scenes of SENSOR, a TOML file or the name of a shipped one, from SCENES of other sensors."""
    for name, number in (("--scale", scale), *(("--range", end) for end in spread or ())):
        if number is not None and not math.isfinite(number):
            raise click.UsageError(f"{name} {number}: allowed finite numbers")
    if spread is not None and not spread[0] < spread[1]:
        raise click.UsageError(f"--range {spread[0]:g} {spread[1]:g}: allowed ascending numbers")
    if scale is not None and values == "radiance":
        raise click.UsageError("--scale has no meaning with --values radiance")
    sensor = load_sensor(sensor_path, settings)
    sources = scene_sources(list(scenes), spread)
    say_assumed(sources)
    simulation = Simulation(sensor, values, scale, n_lines, n_columns, seed, raw)
    total = sum(simulation.frames(source)[0] for source in sources)
    with tqdm(total=total, desc="simulate", unit="line", disable=None, leave=False) as bar:
        entries = simulate_scenes(simulation, sources, folder, bar.update)
    made = [entry for entry in entries if entry["made"]]
    if as_json:
        click.echo(json.dumps({"folder": os.fspath(folder), "sensor": sensor.name, "scenes": rows(entries)}))
    else:
        click.echo(f"{folder}: {len(made)} scenes made, {len(entries) - len(made)} there already")


def say_assumed(sources: list[SceneSource]) -> None:
    """One note for all scenes whose wavelengths are assumed."""
    assumed = [source for source in sources if source.centres.spread]
    if assumed:
        ends = sorted({(one.centres.centres[0], one.centres.centres[-1]) for one in assumed})
        ranges = ", ".join(f"{first:.0f}..{last:.0f}" for first, last in ends)
        others = f" and {len(assumed) - 1} others" if len(assumed) > 1 else ""
        note(f"{assumed[0].path}{others}: wavelengths assumed, {ranges} nm spread evenly over the bands")


def rows(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries for the terminal, without what was asked for, which the manifest has."""
    return [{key: value for key, value in entry.items() if key != "asked"} for entry in entries]

"""The commands of training: train, evaluate, pack-scenes."""

import json
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from model.evaluation.evaluate import CodedSize
from model.evaluation.networks import coded_size
from model.scenes import hyspecnet
from model.scenes.pack import pack_scenes
from model.scenes.scene_cache import read_samples, valid_bands, whole_numbers
from model.training.chosen_run import chosen_run
from model.training.run_record import RATE, read_rows
from model.training.train import load_checkpoint
from model.training.train import train as run_training
from model.training.training_config import TrainingConfig, load_cross_validation, load_training_config
from runtime.errors import BadArgument

FILE = click.Path(path_type=Path)
set_option = click.option(
    "--set", "settings", multiple=True, help="TABLE.KEY=VALUE, in TOML, instead of the value in CONFIG."
)
scenes_option = click.option(
    "--scenes", type=FILE, help="Scenes instead of those of CONFIG: a folder, a manifest, or one scene."
)
packages_option = click.option(
    "--package",
    "packages",
    type=FILE,
    multiple=True,
    help="Flight package that a stream among the scenes needs beside the shipped ones; more if given more than once.",
)


def report(config: TrainingConfig, checkpoint: Path, *, as_json: bool) -> None:
    """Print where the run left its files, and its last and best rates."""
    rows = read_rows(checkpoint.parent)
    rates = [row[RATE] for row in rows if RATE in row]
    values: dict[str, Any] = {
        "name": config.name,
        "checkpoint": str(checkpoint),
        "epochs_done": len(rows),
        "epochs": config.schedule.epochs,
        "seconds": rows[-1]["seconds"],
        "last_bits_per_sample": rates[-1] if rates else None,
        "best_bits_per_sample": min(rates, default=None),
    }
    if as_json:
        click.echo(json.dumps(values))
    else:
        state = "finished" if len(rows) == config.schedule.epochs else "stopped, continue with train CONFIG --resume"
        click.echo(f"{checkpoint}: epoch {len(rows)} of {config.schedule.epochs}, {state}")


@click.command()
@click.argument("config", type=FILE)
@scenes_option
@packages_option
@click.option("--start", type=FILE, help="A checkpoint whose weights begin the run.")
@click.option("--resume", is_flag=True, help="Continue from the run's last checkpoint, if there is one.")
@click.option("--max-minutes", type=float, help="Stop in time, after a whole epoch, ready to be resumed.")
@set_option
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
@click.option("--cross-validation", type=FILE, help="A TOML file: train CONFIG once a table, with its keys.")
@click.option("--only", multiple=True, help="A table of --cross-validation; more if given more than once.")
def train(
    config: Path,
    scenes: Path | None,
    packages: tuple[Path, ...],
    start: Path | None,
    resume: bool,
    max_minutes: float | None,
    settings: tuple[str, ...],
    as_json: bool,
    cross_validation: Path | None,
    only: tuple[str, ...],
) -> None:
    """Train the network that CONFIG, a TOML file or the name of a shipped one, describes."""
    if cross_validation:
        runs = load_cross_validation(config, cross_validation, settings, only)
    else:
        runs = [load_training_config(config, settings)]
    for values in runs:
        values = chosen_run(values, scenes, packages)
        last = run_training(values, resume=resume, start=start, max_minutes=max_minutes)
        report(values, last, as_json=as_json)


@click.command()
@click.argument("checkpoint", type=FILE)
@click.argument("scenes", type=FILE, nargs=-1, required=True)
@click.option("--segment-lines", type=click.IntRange(min=2), default=64, show_default=True)
@click.option("--split", default="hard/test", show_default=True, help="Of a root of HySpecNet-11k among SCENES.")
@packages_option
@click.option("--bands", "with_bands", is_flag=True, help="Print the rate of every band.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; it has every band.")
def evaluate(
    checkpoint: Path,
    scenes: tuple[Path, ...],
    segment_lines: int,
    split: str,
    packages: tuple[Path, ...],
    with_bands: bool,
    as_json: bool,
) -> None:
    """Bits per sample that the network of CHECKPOINT needs for SCENES.

    A scene is a file (.hdr, .npy, .tif, .lrwk, .lrwkv), or the root of HySpecNet-11k, which stands for all patches of
    one split.
    """
    network = load_checkpoint(checkpoint)[0].network.eval()
    sizes: dict[str, CodedSize] = {}
    named = [(path, is_patch) for source in scenes for path, is_patch in scene_files(source, split)]
    for path, is_patch in tqdm(named, desc="evaluate", unit="scene", disable=None, leave=False):
        samples = whole_numbers(path, read_samples(path, [str(package) for package in packages]))
        samples = valid_bands(path, samples) if is_patch else samples
        sizes[str(path)] = coded_size(network, samples.astype("int32"), segment_lines)
    mean = 8 * sum(size.n_bytes for size in sizes.values()) / sum(size.n_samples for size in sizes.values())
    if as_json:
        rows = [as_row(*item) for item in sizes.items()]
        click.echo(json.dumps({"checkpoint": str(checkpoint), "scenes": rows, "bits_per_sample": mean}))
        return
    width = max(len(name) for name in sizes)
    click.echo(f"{'scene':{width}}  bits/sample        bytes  lowest band  highest band")
    for name, size in sizes.items():
        rates = size.band_rates
        click.echo(
            f"{name:{width}}  {size.bits_per_sample:11.4f}  {size.n_bytes:11,}  "
            f"{rates.min():11.3f}  {rates.max():12.3f}"
        )
        if with_bands:
            for z, rate in enumerate(rates):
                click.echo(f"{'':{width}}  band {z:4d}: {rate:7.4f}")
    if len(sizes) > 1:
        click.echo(f"{f'all {len(sizes)} scenes':{width}}  {mean:11.4f}")


def scene_files(source: Path, split: str) -> list[tuple[Path, bool]]:
    """The file, or the patches of a split of HySpecNet-11k, and whether it is one of these. Raises BadArgument."""
    if hyspecnet.is_hyspecnet(source):
        return [(patch.image, True) for patch in hyspecnet.patches(source, *hyspecnet.split_words(split))]
    if not source.is_file():
        raise BadArgument(f"{source} not found, allowed a scene or the root of HySpecNet-11k")
    return [(source, False)]


def as_row(name: str, size: CodedSize) -> dict[str, Any]:
    """A scene's figures for JSON."""
    return {
        "scene": name,
        "bits_per_sample": size.bits_per_sample,
        "bytes": size.n_bytes,
        "samples": size.n_samples,
        "band_bits_per_sample": [round(float(rate), 4) for rate in size.band_rates],
    }


@click.command("pack-scenes")
@click.argument("config", type=FILE)
@click.argument("folder", type=FILE)
@set_option
def pack(config: Path, folder: Path, settings: tuple[str, ...]) -> None:
    """Write the scenes of CONFIG into FOLDER, compressed, with a manifest to train from."""
    data = load_training_config(config, settings).data
    n_bytes = pack_scenes(data, [data.train_split, data.validation_split], folder)
    click.echo(f"{folder}: {n_bytes:,} bytes")

"""The command `linerwkv finetune`."""

import json
from pathlib import Path

import click

from export.finetune_report import outcome, warning, worth_lines
from export.finetuning import PACKAGE, FinetuneOptions, finetune_package
from model.commands import packages_option
from runtime.checked_table import checked_table
from runtime.command_options import note

FILE = click.Path(path_type=Path)
DEFAULT = FinetuneOptions()
PRINTED = (
    "package_sha256", "parent", "written", "epochs_done", "gain", "own", "others", "others_are", "others_worse",
)  # fmt: skip


@click.command()
@click.argument("package", type=FILE)
@click.argument("scenes", type=FILE, nargs=-1, required=True)
@click.option("-o", "--output", required=True, type=FILE, help="Folder for the new package, its report and its run.")
@click.option(
    "--others",
    type=FILE,
    multiple=True,
    help="Scenes of other kinds, on which the package is only measured; more if given more than once.",
)
@packages_option
@click.option("--epochs", type=int, default=DEFAULT.epochs, show_default=True)
@click.option("--batches", type=int, default=DEFAULT.batches, show_default=True, help="Of an epoch.")
@click.option("--learning-rate", type=float, default=DEFAULT.learning_rate, show_default=True)
@click.option("--seed", type=int, default=DEFAULT.seed, show_default=True)
@click.option(
    "--held-out-lines",
    type=int,
    default=DEFAULT.held_out_lines,
    show_default=True,
    help="Validation lines of a scene, at most.",
)
@click.option("--calibration-batches", type=int, default=DEFAULT.calibration_batches, show_default=True)
@click.option("--resume", is_flag=True, help="Continue the training in the output folder, if there is one.")
@click.option("--max-minutes", type=float, help="End the training in time, after a whole epoch.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def finetune(
    package: Path,
    scenes: tuple[Path, ...],
    output: Path,
    others: tuple[Path, ...],
    packages: tuple[Path, ...],
    resume: bool,
    max_minutes: float | None,
    as_json: bool,
    **values: object,
) -> None:
    """Adapt the INT8 PACKAGE (folder, zip, or name of a shipped one) to SCENES: images, streams, manifests, folders.

    Where nothing is gained on held-out lines, the new package is PACKAGE itself.
    """
    options = checked_table(FinetuneOptions, values, "linerwkv finetune")
    report = finetune_package(
        package,
        list(scenes),
        output,
        options,
        others=others,
        packages=packages,
        resume=resume,
        max_minutes=max_minutes,
    )
    if (said := warning(report["others_worse"])) is not None:
        note(said)
    if as_json:
        click.echo(json.dumps({key: report[key] for key in PRINTED} | {"package": str(output / PACKAGE)}))
        return
    click.echo(f"{output / PACKAGE}: {outcome(report)}")
    for line in worth_lines(report):
        click.echo(line)

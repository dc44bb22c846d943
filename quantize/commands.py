"""The command `linerwkv quantize`."""

import json
from pathlib import Path

import click

from quantize.pipeline import CALIBRATION_CROPS, QuantizeOptions, quantize
from quantize.recipe import SHIPPED_RECIPE, recipe_values
from runtime.checked_table import checked_table
from runtime.errors import BadArgument

FILE = click.Path(path_type=Path)
DEFAULT = QuantizeOptions()


def take_recipe(context: click.Context, parameter: click.Parameter, path: Path) -> None:
    """The values of a recipe are the defaults of options that are not given."""
    context.default_map = recipe_values(path)


@click.command("quantize")
@click.argument("checkpoint", type=FILE)
@click.option("-o", "--output", required=True, type=FILE, help="Folder for integers, report and fine-tuning run.")
@click.option(
    "--recipe",
    type=FILE,
    is_eager=True,
    expose_value=False,
    callback=take_recipe,
    default=SHIPPED_RECIPE,
    show_default=True,
    help="Options that are not given here: a TOML file, or the name of a shipped one.",
)
@click.option("--manifest", type=FILE, help="Scenes instead of those that the checkpoint was trained on.")
@click.option(
    "--weight-bits",
    type=int,
    default=DEFAULT.weight_bits,
    show_default=True,
    help="8; 7 for int8 accelerators; 6 for uint8 on x86 without VNNI too.",
)
@click.option("--epochs", type=int, default=DEFAULT.epochs, show_default=True, help="Of fine-tuning; 0: none.")
@click.option("--batches", type=int, default=DEFAULT.batches, show_default=True, help="Of an epoch.")
@click.option("--learning-rate", type=float, default=DEFAULT.learning_rate, show_default=True)
@click.option("--max-minutes", type=float, help="End fine-tuning in time, after a whole epoch.")
@click.option("--seed", type=int, default=DEFAULT.seed, show_default=True)
@click.option(
    "--calibration-batches", type=int, help=f"Of the training; default: as many as have {CALIBRATION_CROPS} crops."
)
@click.option(
    "--validation-lines",
    type=int,
    default=DEFAULT.validation_lines,
    show_default=True,
    help="Lines of each validation scene that are coded; 0: all.",
)
@click.option("--resume", is_flag=True, help="Continue the fine-tuning in the output folder, if there is one.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def quantize_command(checkpoint: Path, output: Path, as_json: bool, **values: object) -> None:
    """Turn a trained flight CHECKPOINT into the integers of an INT8 cell."""
    options = checked_table(QuantizeOptions, values, "linerwkv quantize")
    if not checkpoint.is_file():
        raise BadArgument(f"checkpoint {checkpoint} not found")
    report = quantize(checkpoint, output, options)
    if as_json:
        keys = ("name", "bits_per_sample", "written", "loss", "loss_by_rounding")
        click.echo(json.dumps({key: report[key] for key in keys} | {"output": str(output)}))
        return
    worst = max(report["loss"], key=report["loss"].__getitem__)
    click.echo(f"{output}: {report['written']}, at most {report['loss'][worst]:+.4f} bits/sample ({worst})")

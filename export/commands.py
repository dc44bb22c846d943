"""The command `linerwkv export`."""

import json
import subprocess
from pathlib import Path
from typing import Any

import click

from export.accelerator_graphs import DEFAULT_TILE
from export.dense_files import write_accelerator_graphs, write_qonnx
from export.integer_package import integer_package_parts
from export.package_files import check_package_name, write_package
from export.quantized_folder import QuantizedFolder, is_quantized_folder, read_quantized_folder
from runtime.errors import BadArgument
from runtime.output_checks import check_outputs, files_of


def working_commit() -> str:
    """The commit of the working tree, or `unknown` outside one."""
    try:
        result = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return result.stdout.strip()


def training_record(config: dict[str, Any], commit: str) -> dict[str, Any]:
    """What the manifest says of the training; the manifest's path is reduced to its name."""
    data = {**config["data"], "manifest": Path(config["data"]["manifest"]).name}
    data.pop("packages", None)  # places on this machine
    return {"commit": commit, "name": config["name"], "data": data, "schedule": config["schedule"]}


def float_parts(
    checkpoint: Path, name: str | None, commit: str | None, n_bands: int | None, n_columns: int | None
) -> dict[str, bytes]:
    """The float32 package of a checkpoint."""
    # torch is loaded only where it is needed: integers are exported without it
    from export.package_writer import package_parts
    from model.network.network import LineRwkv
    from model.training.train import load_checkpoint

    module, config = load_checkpoint(checkpoint)
    if not isinstance(module.network, LineRwkv):
        raise BadArgument(f"checkpoint {checkpoint} is of the flight preset: quantize it first (linerwkv quantize)")
    training = training_record(config.to_dict(), commit or working_commit())
    return package_parts(module.network, name or config.name, training, n_bands=n_bands, n_columns=n_columns)


def integer_parts(
    found: QuantizedFolder, name: str | None, training_commit: str | None, n_bands: int | None, n_columns: int | None
) -> dict[str, bytes]:
    """The int8 package of the integers that `linerwkv quantize` wrote."""
    sizes = {"n_bands": n_bands, "n_columns": n_columns}
    training = {"commit": training_commit or working_commit(), **found.training}
    return integer_package_parts(found.cell, name or found.name, training, found.quantization, **sizes)


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder, or a name ending in .zip."
)
@click.option("--name", help="Name of the package; default: that of the training run.")
@click.option("--bands", type=int, help="Fix the number of bands of a step; an int8 package takes whole groups.")
@click.option("--columns", type=int, help="Fix the number of columns of a step.")
@click.option("--training-commit", help="Commit that trained a checkpoint; default: that of the working tree.")
@click.option(
    "--accelerator",
    type=click.Path(path_type=Path),
    help="Also write the dense sub-graphs to this folder, for tiles of --bands by --columns (default: a group, 1000).",
)
@click.option(
    "--activation", type=click.Choice(["uint8", "int8"]), default="uint8", help="Type of the sub-graphs' activations."
)
@click.option("--qonnx", type=click.Path(path_type=Path), help="Also write the dense part as QONNX to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def export(
    source: Path,
    output: Path,
    name: str | None,
    bands: int | None,
    columns: int | None,
    training_commit: str | None,
    accelerator: Path | None,
    activation: str,
    qonnx: Path | None,
    as_json: bool,
) -> None:
    """Write the flight package of SOURCE: a trained checkpoint, or a folder that `linerwkv quantize` wrote."""
    check_package_name(output)
    written = [path for path in (output, qonnx) if path is not None]
    check_outputs(written, files_of(source))
    if accelerator is not None:
        check_package_name(accelerator)
    if is_quantized_folder(source):
        found = read_quantized_folder(source)
        parts = integer_parts(found, name, training_commit, bands, columns)
        tile = found.cell.shape.groups(bands) if bands else DEFAULT_TILE[0], columns or DEFAULT_TILE[1]
        if accelerator is not None:
            write_accelerator_graphs(found.cell, accelerator, tile, activation)
        if qonnx is not None:
            write_qonnx(found.cell, qonnx, tile)
    elif accelerator is not None or qonnx is not None:
        raise BadArgument(f"{source} is no output of linerwkv quantize: --accelerator and --qonnx need integers")
    else:
        parts = float_parts(source, name, training_commit, bands, columns)
    write_package(parts, output)
    manifest = json.loads(parts["manifest.json"])
    if as_json:
        click.echo(json.dumps(manifest))
        return
    size = sum(len(data) for data in parts.values())
    click.echo(
        f"{output}: {manifest['name']}, {manifest['arithmetic']}, {manifest['n_parameters']:,} parameters, "
        f"{manifest['macs_per_sample']:,} MAC per sample, opset {manifest['opset']}, {size:,} bytes"
    )

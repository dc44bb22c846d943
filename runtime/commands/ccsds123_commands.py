"""The verb `linerwkv ccsds123`: encode, decode and inspect CCSDS 123.0-B-2 images."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from runtime.ccsds123.announcement import DEFAULT_MAX_SAMPLES
from runtime.ccsds123.choices import CoderType, Fidelity, LocalSum, Mode, Order
from runtime.ccsds123.dictionary import DEFAULTS
from runtime.ccsds123.header import read_header
from runtime.ccsds123.parameters import Ccsds123Parameters
from runtime.ccsds123.presets import PRESETS
from runtime.checked_table import read_file
from runtime.command_options import axes_option, json_option, note, note_not_carried
from runtime.errors import BadArgument, naming, one_line
from runtime.images.envi_pair import is_header, new_pair
from runtime.images.sample_file import stored_samples
from runtime.images.scene_reader import Scene, not_carried, open_scene, sample_range
from runtime.images.scene_writer import writing_envi, writing_samples
from runtime.output_checks import check_outputs
from runtime.stream.depth import fewest_bits
from runtime.whole_output import replacing

CHOICES: dict[str, Any] = {
    "order": Order, "coder": CoderType, "fidelity": Fidelity, "mode": Mode, "local_sum": LocalSum
}  # fmt: skip
INTERLEAVES = click.Choice(["bil", "bip", "bsq"])
file_path = click.Path(path_type=Path)


def parse_json(text: str) -> Any:
    """A number, list or object: JSON text, or @FILE with such text."""
    try:
        return json.loads(Path(text[1:]).read_text("utf-8") if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise BadArgument(f"{text} is no JSON: {one_line(error)}") from None


def parse_object(text: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value := parse_json(text), dict):
        raise BadArgument(f"{text} is no JSON object")
    return value


def parameter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option per key of the parameter dictionary, named by the standard's symbol."""
    for key, default in reversed(DEFAULTS.items()):
        shown = f"Default {json.dumps(default)}." if default is not None else "Default none."
        kind: dict[str, Any] = {"type": parse_json, "metavar": "JSON"}
        if key in CHOICES:
            kind = {"type": click.Choice([choice.value for choice in CHOICES[key]])}
        command = click.option(f"--{key.replace('_', '-')}", key, help=shown, **kind)(command)
    return command


@click.group()
def ccsds123() -> None:
    """Encode, decode and inspect CCSDS 123.0-B-2 images."""


@ccsds123.command()
@click.argument("source", metavar="IN", type=file_path)
@click.argument("output", metavar="OUT", type=file_path)
@click.option("--preset", type=click.Choice(list(PRESETS)), default="lossless", show_default=True)
@click.option(
    "--parameters", "given", type=parse_object, default="{}", metavar="JSON", help="All at once: {...} or @FILE."
)
@click.option("--Nx", "n_columns", type=click.IntRange(1), help="Columns of a raw image.")
@click.option("--Ny", "n_lines", type=click.IntRange(1), help="Lines of a raw image.")
@click.option("--Nz", "n_bands", type=click.IntRange(1), help="Bands of a raw image.")
@click.option("--dtype", default="<u2", show_default=True, help="Sample type of a raw image.")
@click.option("--interleave", type=INTERLEAVES, default="bil", show_default=True, help="Of a raw image.")
@click.option("--D", "depth", type=click.IntRange(2, 32), help="Bits per sample; default: the fewest that hold them.")
@axes_option
@parameter_options
@json_option
def encode(
    source: Path, output: Path, preset: str, given: dict[str, Any], n_columns: int | None, n_lines: int | None,
    n_bands: int | None, dtype: str, interleave: str, depth: int | None, axes: str | None, as_json: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Encode an image (ENVI, GeoTIFF, HDF5, .npy) or raw samples, which need --Nx, --Ny and --Nz.

    Tables are JSON, or @FILE. A limit --a or --r alone chooses its fidelity; --M without --order BSQ is 1 for BIL,
    the number of bands for BIP.
    """
    if n_columns is None and n_lines is None and n_bands is None:
        scene = open_scene(source, axes)
    elif n_columns is None or n_lines is None or n_bands is None:
        raise click.UsageError("a raw image needs --Nx, --Ny and --Nz")
    else:
        scene = Scene(stored_samples(source, (n_lines, n_bands, n_columns), dtype, interleave), files=(source,))
    if scene.source.dtype.kind not in "iu" or scene.source.dtype.itemsize > 4:
        raise BadArgument(f"{source}: samples are {scene.source.dtype}, allowed integers of at most 32 bits")
    check_outputs([output], scene.files)
    for text in scene.notes:
        note(f"{source}: {text}")
    note_not_carried(source, not_carried(scene, None))
    values = PRESETS[preset] | given | {key: value for key, value in options.items() if value is not None}
    values |= dict(zip(("Ny", "Nz", "Nx"), scene.shape, strict=True))
    if values.get("fidelity") is None:
        has_limit = [any(values.get(key) is not None for key in (name, f"{name}_periods")) for name in "ar"]
        values["fidelity"] = Fidelity.from_code(has_limit[0] + 2 * has_limit[1]).value
    if depth is not None or values.get("D") is None:
        values |= depth_and_sign(scene, depth, values.get("signed"))
    parameters = Ccsds123Parameters.from_dict(values)
    n_bytes, n_samples = write_stream(output, scene, parameters), math.prod(scene.shape)
    rate = n_bytes * 8 / n_samples
    if as_json:
        click.echo(json.dumps({"samples": n_samples, "bytes": n_bytes, "bits_per_sample": round(rate, 4)}))
    else:
        click.echo(f"{output}: {n_samples} samples in {n_bytes} bytes, {rate:.3f} bits per sample")


@ccsds123.command()
@click.argument("source", metavar="IN", type=file_path)
@click.argument("output", metavar="OUT", type=file_path)
@click.option(
    "--tables", type=parse_object, metavar="JSON", help="Tables not in the header, by symbol: {...} or @FILE."
)
@click.option("--interleave", type=INTERLEAVES, default="bil", show_default=True, help="Of OUT.")
@click.option("--max-samples", type=click.IntRange(1), default=DEFAULT_MAX_SAMPLES, show_default=True)
@json_option
def decode(source: Path, output: Path, tables: Any, interleave: str, max_samples: int, as_json: bool) -> None:
    """Decode to an ENVI image (OUT ends in .hdr) or to raw little-endian samples."""
    from runtime.ccsds123.decoder import open_lines

    data = read_file(source, str(source))
    with naming(source):
        parameters, lines = open_lines(data, tables, max_samples)
    image = parameters.image
    check_outputs([output, *([new_pair(output, interleave)] if is_header(output) else [])], [source])
    if parameters.supplementary_tables:
        note_not_carried(source, ["supplementary information tables"])
    if is_header(output):
        sizes = (image.n_bands, image.n_columns)
        writing = writing_envi(output, sizes, image.dtype, {}, interleave, image.n_lines)
    else:
        writing = writing_samples(output, image.dtype, interleave, image.n_lines)
    with writing as file, naming(source):
        for line in lines:
            file.append(line)
    numbers = {"lines": image.n_lines, "bands": image.n_bands, "columns": image.n_columns}
    if as_json:
        click.echo(json.dumps({**numbers, "dtype": image.dtype.name, "interleave": interleave}))
    else:
        shown = " x ".join(f"{number} {axis}" for axis, number in numbers.items())
        click.echo(f"{output}: {shown}, {image.dtype}, {interleave}")


@ccsds123.command()
@click.argument("source", metavar="IN", type=file_path)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; parameters as `encode --parameters` takes them.")
def info(source: Path, as_json: bool) -> None:
    """Print every header field in the standard's words."""
    from runtime.ccsds123.description import describe

    data = read_file(source, str(source))
    with naming(source):
        parameters = read_header(data)
    subparts = describe(parameters)
    if as_json:
        click.echo(json.dumps({"header": subparts, "parameters": parameters.to_dict()}, indent=1))
        return
    for subpart, fields in subparts.items():
        click.echo("\n".join([subpart, *(f"  {field}: {value}" for field, value in fields.items())]))


def depth_and_sign(scene: Scene, depth: int | None, is_signed: bool | None) -> dict[str, Any]:
    """D and signed: those given, else the fewest bits that hold every sample, signed where one is negative."""
    lowest, highest = sample_range(scene)
    signed = lowest < 0 if is_signed is None else bool(is_signed)
    return {"D": depth or max(2, fewest_bits(lowest, highest, is_signed=signed)), "signed": signed}


def write_stream(output: Path, scene: Scene, parameters: Ccsds123Parameters) -> int:
    """Write the compressed image of a scene, line by line where the order allows; its length in bytes."""
    from runtime.ccsds123 import encoder

    with replacing(output) as unfinished, unfinished.open("wb") as stream:
        if parameters.image.is_sequential:
            return stream.write(encoder.encode(np.moveaxis(scene.read(), 1, 0), parameters))
        lines = encoder.LineEncoder(parameters)
        n_bytes = sum(stream.write(lines.push(line)) for line in scene.lines())
        return n_bytes + stream.write(lines.finish())

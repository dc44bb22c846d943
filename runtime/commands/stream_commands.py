"""The verbs that make streams of images and images of streams, and tell what a stream holds."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from runtime.command_options import PREDICTORS, executor_option, json_option, package_option


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("output", metavar="OUT", type=click.Path(path_type=Path))
@package_option
@executor_option
@click.option("--predictor", type=click.Choice(PREDICTORS), default="linerwkv", show_default=True)
@click.option("--stage", type=click.Choice(["none", "fast", "best"]), help="Adaptive stage; default: best, if any.")
@click.option("--max-error", type=click.IntRange(0), default=0, show_default=True, help="Largest error of any sample.")
@click.option(
    "--quantisation",
    type=click.Choice(["in-loop", "prequantised"]),
    help="Where --max-error rounds: residuals or samples; default: in-loop, but float32 packages only allow the other.",
)
@click.option("--segment-lines", type=int, help="Lines that decode by themselves; default 64.")
@click.option(
    "--bit-depth", type=click.IntRange(8, 16), help="Bits per sample; needed for a pipe, else found by a scan."
)
@click.option("--bands", type=int, help="Bands of a line, for a pipe.")
@click.option("--columns", type=int, help="Columns of a line, for a pipe.")
@click.option("--dtype", default="<u2", show_default=True, help="Sample type of a pipe: uint8, <i2, <u2, >i2, >u2.")
@click.option("--interleave", type=click.Choice(["bil", "bip", "bsq"]), default="bil", help="Of a pipe.")
@click.option("--isolate", is_flag=True, help="Run the executor in a worker process that may hang or die alone.")
@click.option(
    "--line-deadline",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="Seconds that the worker of --isolate has for a line; then it is killed and restarted.",
)
@click.option(
    "--guard",
    type=click.Choice(["off", "checks", "proof"]),
    default="off",
    show_default=True,
    help="Against flipped bits in memory: checksums and self-tests, or each segment decoded before it goes down.",
)
@click.option(
    "--telemetry",
    type=click.Path(path_type=Path),
    help="A JSON line for each segment; -: standard output, standard error where OUT is -.",
)
@json_option
def compress(
    source: Path,
    output: Path,
    package_path: Path | None,
    executor: str,
    predictor: str,
    stage: str | None,
    max_error: int,
    quantisation: str | None,
    segment_lines: int | None,
    bit_depth: int | None,
    bands: int | None,
    columns: int | None,
    dtype: str,
    interleave: str,
    isolate: bool,
    line_deadline: float,
    guard: str,
    telemetry: Path | None,
    as_json: bool,
) -> None:
    """Compress an image (ENVI, GeoTIFF, .npy, or `-` for raw lines from a pipe)."""
    from runtime.cell.flight_package import SHIPPED, open_package
    from runtime.codec.compression import PIPE, compress_lines
    from runtime.codec.encoder import DEFAULT_SEGMENT_LINES
    from runtime.defences.segment_guard import GuardLevel
    from runtime.images.raw_lines import RawLayout, describe_pipe, raw_lines
    from runtime.images.scene_reader import describe, open_scene
    from runtime.stream.stream_format import AdaptiveStage, PredictorKind, Quantisation

    package = open_package(package_path or SHIPPED) if predictor == "linerwkv" else None
    if source == PIPE:
        if bands is None or columns is None or bit_depth is None:
            raise click.UsageError("a pipe needs --bands, --columns and --bit-depth")
        layout = RawLayout(bands, columns, dtype, interleave)
        image, lines = describe_pipe(layout, bit_depth), raw_lines(sys.stdin.buffer, layout)
    else:
        scene = open_scene(source)
        image, lines = describe(scene, bit_depth), scene.lines()
    report = compress_lines(
        lines,
        image,
        output,
        package,
        executor,
        predictor=PredictorKind[predictor.upper()],
        max_error=max_error,
        segment_lines=DEFAULT_SEGMENT_LINES if segment_lines is None else segment_lines,
        stage=None if stage is None else AdaptiveStage[stage.upper()],
        quantisation=None if quantisation is None else Quantisation[quantisation.upper().replace("-", "_")],
        line_deadline_s=line_deadline if isolate else None,
        guard=GuardLevel(guard),
        telemetry=telemetry,
    )
    show(report.to_dict(), as_json, to_stderr=output == PIPE)
    if report.n_fallbacks:
        click.echo(f"linerwkv: {report.n_fallbacks} segments fell back to ccsds123, --telemetry says why", err=True)


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("output", metavar="OUT.hdr", type=click.Path(path_type=Path))
@package_option
@executor_option
@click.option("--salvage", is_flag=True, help="Give back every intact segment of a damaged stream.")
@json_option
def decompress(
    source: Path, output: Path, package_path: Path | None, executor: str, salvage: bool, as_json: bool
) -> None:
    """Restore an image as ENVI (`-`: raw little-endian BIL lines to a pipe)."""
    from runtime.cell.flight_package import SHIPPED, open_package
    from runtime.codec.compression import PIPE, decompress_salvaged
    from runtime.codec.compression import decompress as decompress_stream

    package = open_package(package_path or SHIPPED) if package_path or SHIPPED.exists() else None
    report = (decompress_salvaged if salvage else decompress_stream)(source, output, package, executor)
    show(report.to_dict(), as_json, to_stderr=output == PIPE)
    for first, last in report.missing_lines:
        click.echo(f"linerwkv: lines {first}..{last} are missing and zero in the output", err=True)


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@json_option
def info(source: Path, as_json: bool) -> None:
    """Print the header and the segments of a stream, after checking every checksum."""
    from runtime.codec.stream_info import stream_info

    description = stream_info(source)
    if as_json:
        click.echo(json.dumps(description))
        return
    for name, value in description["header"].items():
        click.echo(f"{name:16} {value}")
    for segment in description["segments"]:
        click.echo("segment          " + ", ".join(f"{name} {value}" for name, value in segment.items()))


def show(values: dict[str, Any], as_json: bool, *, to_stderr: bool) -> None:
    """Print a report; to standard error where standard output carries data."""
    if as_json:
        click.echo(json.dumps(values), err=to_stderr)
        return
    click.echo(
        f"{values['lines']} lines x {values['bands']} bands x {values['columns']} columns: {values['bytes']:,} bytes, "
        f"{values['bits_per_sample']} bits per sample, {values['msamples_per_s']} Msamples/s",
        err=to_stderr,
    )

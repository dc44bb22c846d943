"""The command `linerwkv`: a verb parses, calls one function of the library, prints."""

import importlib.metadata
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from runtime.errors import LineRwkvError

EXIT_CHECK_FAILED = 1
EXIT_BAD_INPUT = 2
COMMAND_GROUP = "linerwkv.commands"
PREDICTORS = ["linerwkv", "rls", "ccsds123", "dpcm"]
HELP_OF_OTHERS = {  # so that --help need not import torch
    "ccsds123": "Encode, decode and describe CCSDS 123.0-B-2 images.",
    "evaluate": "Bits per sample of a checkpoint on scenes.",
    "export": "Write the flight package of a checkpoint.",
    "finetune": "Adapt an INT8 package to the scenes of a mission.",
    "hil": "Accept the runtime on a target: steps, limits, report.",
    "pack-scenes": "Pack training scenes for a machine without network.",
    "quantize": "Turn a flight checkpoint into INT8 integers.",
    "train": "Train a network from a TOML file.",
    "train-flight": "Scenes to an INT8 package by two TOML files.",
}


class Verbs(click.Group):
    """The verbs of the runtime, and those of other packages, which are imported only when called."""

    def installed(self) -> dict[str, importlib.metadata.EntryPoint]:
        """Verbs that entry points name."""
        return {point.name: point for point in importlib.metadata.entry_points(group=COMMAND_GROUP)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs in alphabetical order."""
        return sorted({*super().list_commands(ctx), *self.installed()})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """A verb by name; where its package needs more than the base install, an error that says what."""
        command = super().get_command(ctx, name)
        if command is not None or name not in self.installed():
            return command
        try:
            loaded: click.Command = self.installed()[name].load()
        except ModuleNotFoundError as error:
            return missing_extra(name, str(error.name))
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing torch for their help lines."""
        rows = []
        for name in self.list_commands(ctx):
            command = super().get_command(ctx, name)
            rows.append((name, command.get_short_help_str(60) if command else HELP_OF_OTHERS.get(name, "")))
        with formatter.section("Verbs"):
            formatter.write_dl(rows)


def missing_extra(name: str, module: str) -> click.Command:
    """A verb that only says which install it needs."""

    @click.command(name, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    def missing() -> None:
        raise LineRwkvError(f"verb {name} needs {module}: install linerwkv[train]")

    return missing


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="linerwkv")
def cli() -> None:
    """Onboard compression of hyperspectral images with LineRWKV.

    \b
    Shell completion: eval "$(_LINERWKV_COMPLETE=bash_source linerwkv)"
    Exit codes: 0 done, 1 a check failed, 2 bad input.
    """  # noqa: D301  # click's mark for a block that it must not rewrap is a real \\b


def main() -> None:
    """Entry point."""
    guarded(cli)


def guarded(command: click.Command) -> None:
    """Run a command; an error of ours becomes one line on standard error and exit code 2."""
    try:
        command(standalone_mode=False)
    except LineRwkvError as error:
        click.echo(f"linerwkv: {error}", err=True)
        sys.exit(EXIT_BAD_INPUT)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        click.echo("linerwkv: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_BAD_INPUT)


def package_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that names a flight package."""
    return click.option(
        "--package",
        "package_path",
        type=click.Path(path_type=Path),
        help="Flight package: a folder, a zip, or the name of a shipped one; default: flight.",
    )(command)


def executor_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that names an executor."""
    return click.option(
        "--executor", default="onnxruntime", show_default=True, help="What runs the cells: NAME or NAME:PROVIDER."
    )(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@cli.command()
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
    from runtime.compression import PIPE, compress_lines
    from runtime.encoder import DEFAULT_SEGMENT_LINES
    from runtime.flight_package import SHIPPED, open_package
    from runtime.scene_reader import RawLayout, describe, describe_pipe, open_scene, raw_lines
    from runtime.segment_guard import GuardLevel
    from runtime.stream_format import AdaptiveStage, PredictorKind, Quantisation

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


@cli.command()
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
    from runtime.compression import PIPE, decompress_salvaged
    from runtime.compression import decompress as decompress_stream
    from runtime.flight_package import SHIPPED, open_package

    package = open_package(package_path or SHIPPED) if package_path or SHIPPED.exists() else None
    report = (decompress_salvaged if salvage else decompress_stream)(source, output, package, executor)
    show(report.to_dict(), as_json, to_stderr=output == PIPE)
    for first, last in report.missing_lines:
        click.echo(f"linerwkv: lines {first}..{last} are missing and zero in the output", err=True)


@cli.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@json_option
def info(source: Path, as_json: bool) -> None:
    """Print the header and the segments of a stream, after checking every checksum."""
    from runtime.stream_info import stream_info

    description = stream_info(source)
    if as_json:
        click.echo(json.dumps(description))
        return
    for name, value in description["header"].items():
        click.echo(f"{name:16} {value}")
    for segment in description["segments"]:
        click.echo("segment          " + ", ".join(f"{name} {value}" for name, value in segment.items()))


@cli.command()
@click.argument("package_path", metavar="[PACKAGE]", type=click.Path(path_type=Path), required=False)
@click.option("--executor", help="Only this one; default: all that are installed.")
@json_option
def verify(package_path: Path | None, executor: str | None, as_json: bool) -> None:
    """Show which executors here reproduce an int8 package bit for bit; exit code 1 where one does not.

    An executor that is not here does not count, unless it is the one asked for.
    """
    from runtime.flight_package import SHIPPED, open_integer_package
    from runtime.verify import verdicts

    package = open_integer_package(package_path or SHIPPED)
    rows = []
    for row in verdicts(package, executor):
        rows.append(row)
        if not as_json:
            rate = f"{row.msamples_per_s:7.3f}" if row.msamples_per_s is not None else "      -"
            click.echo(f"{row.executor:44} {row.setting:36} tile {row.tile:4} {rate} Msamples/s  {row.finding}")
    if as_json:
        click.echo(json.dumps({"package": package.sha256.hex(), "rows": [row.to_dict() for row in rows]}))
    if any(row.is_equal is False or (executor and not row.is_equal) for row in rows):
        sys.exit(EXIT_CHECK_FAILED)


@cli.command()
@click.option("--output", type=click.Path(path_type=Path), default=Path("demo_output"), show_default=True)
@click.option("--lines", type=click.IntRange(2), default=64, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@package_option
@json_option
def demo(output: Path, lines: int, seed: int, package_path: Path | None, as_json: bool) -> None:
    """Compress and restore a synthetic pushbroom scene, compare, and write a picture."""
    from runtime.demo import run_demo
    from runtime.flight_package import SHIPPED, open_package

    rows = run_demo(output, n_lines=lines, seed=seed, package=open_package(package_path or SHIPPED))
    if as_json:
        click.echo(json.dumps(rows))


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


if __name__ == "__main__":
    main()

"""The command `linerwkv hil accelerator`, also `python -m hil_tests.accelerators.command`: one report of one tool."""

import importlib
import sys
from pathlib import Path

import click

from hil_tests.places.tool import Steps
from runtime.cell.flight_package import SHIPPED, open_integer_package
from runtime.errors import LineRwkvError

REPORTS = ("openvino", "vela", "htp", "rtl", "probe")
EXIT_FAILED = 2


@click.command()
@click.argument("name", type=click.Choice(REPORTS))
@click.option("--package", "source", type=click.Path(path_type=Path), default=SHIPPED, help="Default: the shipped one.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="JSON; beside it the same as .md.")
def accelerator(name: str, source: Path, output: Path) -> None:
    """Report what a tool says: OpenVINO, TOSA with Vela, the HTP simulator, our array in Verilog, or the probe.

    They have environments of their own, made by python -m hil_tests.places.executor_setup: openvino and
    onnxruntime-openvino, vela, qnn, rtl; the probe needs qnn.
    """
    # the benchmarks are no part of an installed wheel, and only this verb needs them
    module = importlib.import_module(f"hil_tests.accelerators.{name}_report")
    written = importlib.import_module("hil_tests.accelerators.written_report")
    package = open_integer_package(source)
    steps = Steps(name)
    report = getattr(module, f"{name}_report")(package, steps.log)
    written.write_report(report, package, f"linerwkv hil accelerator {name}", output)
    steps.log(f"wrote {output} and {output.with_suffix('.md').name}")


if __name__ == "__main__":
    try:
        accelerator()
    except LineRwkvError as error:
        click.echo(f"accelerator: {error}", err=True)
        sys.exit(EXIT_FAILED)

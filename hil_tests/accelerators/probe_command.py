"""The verb `linerwkv hil probe`: which rules of rounding, saturation and sums an executor follows."""

import json
import sys
from functools import partial

import click

from hil_tests.accelerators.probe import certificate, probed
from runtime.command_options import EXIT_CHECK_FAILED, json_option
from runtime.executors.executor_registry import load_executor
from runtime.executors.subgraph_cell import ZERO_POINTS


@click.command("probe")
@click.argument("executor")
@click.option(
    "--activation",
    type=click.Choice(list(ZERO_POINTS)),
    default="uint8",
    show_default=True,
    help="Type of activations.",
)
@json_option
def probe(executor: str, activation: str, as_json: bool) -> None:
    """Name the rules that EXECUTOR follows in the operators of dense sub-graphs, by vectors made to tell them apart.

    EXECUTOR runs ONNX files: onnxruntime, onnxruntime:PROVIDER, openvino, htp, or module:function. Exit code 1 where no
    sub-graph can be exact there.
    """
    provider, findings = probed(partial(load_executor, executor), activation)
    found = certificate(executor, provider, activation, findings)
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(f"{provider}, {activation}")
        width = max(len(row["operator"]) for row in found["operators"])
        for row in found["operators"]:
            click.echo(f"{row['operator']:{width}}  {row['outputs']:>8,} outputs  {row['finding']}")
        click.echo(found["verdict"])
    if not found["is_usable"]:
        sys.exit(EXIT_CHECK_FAILED)

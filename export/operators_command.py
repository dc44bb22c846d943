"""The command `linerwkv operators`."""

import json
from pathlib import Path

import click

from export.operator_report import operator_report, report_text


@click.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def operators(package: Path, as_json: bool) -> None:
    """Say which operators and sub-graphs of PACKAGE run on which executors, by the documents of their makers."""
    report = operator_report(package)
    click.echo(json.dumps(report) if as_json else report_text(report))

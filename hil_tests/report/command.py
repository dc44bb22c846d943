"""`linerwkv hil report`: draw the page of a report.json again."""

from pathlib import Path

import click

from hil_tests.findings.findings_file import read_findings
from runtime.extras import needed_for

FILE = click.Path(path_type=Path)


@click.command("report")
@click.argument("report", type=FILE)
@click.option("--earlier", type=FILE, multiple=True, help="report.json of an earlier run to compare with; repeatable.")
@click.option("-o", "--output", type=FILE, help="The page; default: report.html beside the report.")
def report_command(report: Path, earlier: tuple[Path, ...], output: Path | None) -> None:
    """Draw the page of REPORT, a report.json, again."""
    with needed_for("the page", "hil"):
        from hil_tests.report.page import write_page
    page = output or report.with_suffix(".html")
    write_page(read_findings(report), [read_findings(path) for path in earlier], page)
    click.echo(str(page))

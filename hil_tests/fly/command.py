"""`linerwkv hil fly`: the recorder through every fault in one flight, and a report."""

import json
import sys
from pathlib import Path

import click

from hil_tests.board.board import load_board
from hil_tests.findings.provenance import head
from hil_tests.fly.flown import PAGE, REPORT, flown_here, flown_on
from runtime.command_options import EXIT_CHECK_FAILED, json_option
from runtime.extras import needed_for
from runtime.whole_output import replacing

FILE = click.Path(path_type=Path)
SHORT_LINES = 600
OUTPUT = Path("hil_output/fly")


@click.command("fly")
@click.option("--board", "board_file", type=FILE, help="That flies; default: this machine, as it is.")
@click.option("--short", is_flag=True, help=f"{SHORT_LINES} lines.")
@click.option("--lines", type=click.IntRange(200), default=2000, show_default=True)
@click.option("--bands", type=click.IntRange(1), default=100, show_default=True)
@click.option("--columns", type=click.IntRange(1), default=600, show_default=True)
@click.option("--stage", type=click.Choice(["best", "none"]), default="best", show_default=True, help="Of the network.")
@click.option("--line-deadline", type=float, default=2.0, show_default=True, help="Seconds of an executor that hangs.")
@click.option("-o", "--output", type=FILE, default=OUTPUT, show_default=True, help="Folder of the report.")
@json_option
def fly_command(
    board_file: Path | None, short: bool, lines: int, bands: int, columns: int, stage: str, line_deadline: float,
    output: Path, as_json: bool,
) -> None:  # fmt: skip
    """Fly: an imager three times as fast as the network, and every fault in its turn (docs/fly.md).

    Exit code 1 where a line that was accepted is lost, a segment does not decode, or telemetry does not account for an
    event.
    """
    words = [
        "--lines", str(SHORT_LINES if short else lines), "--bands", str(bands), "--columns", str(columns),
        "--stage", stage, "--line-deadline", str(line_deadline),
    ]  # fmt: skip
    output.mkdir(parents=True, exist_ok=True)
    if board_file is None:
        found = {"label": "measured", "board": "this machine", **head(), **flown_here(output, words)}
    else:
        board = load_board(board_file)
        found = {"label": board.label, "board": board.name, "commit": head()["commit"]}
        found |= flown_on(board, output, words)
    with replacing(output / REPORT) as part:
        part.write_text(json.dumps(found, indent=1) + "\n")
    with needed_for("the page", "hil"):
        from hil_tests.fly.page import write_page
    write_page(found, output / PAGE)
    if as_json:
        click.echo(json.dumps(found))
    else:
        for one in found.get("checks", []):
            click.echo(f"{'held  ' if one['is_held'] else 'FAILED'} {one['name']}: {one['found']}")
        for text in found.get("left_out", []):
            click.echo(f"left out: {text}")
        outcome = found.get("error") or ("passed" if found["passed"] else "failed")
        click.echo(f"{found['board']} ({found['label']}): {outcome}; {output / PAGE}")
    if not found["passed"]:
        sys.exit(EXIT_CHECK_FAILED)

"""The options and exit codes that several commands share."""

from collections.abc import Sequence
from pathlib import Path

import click

from runtime.usable_cores import usable_cores

EXIT_DONE = 0
EXIT_CHECK_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130

DEBUG = "--debug"
debug_option = click.option(
    DEBUG, is_flag=True, expose_value=False, help="Show the traceback of an error, before its line."
)

PACKAGE_HELP = "folder, zip, or name of a shipped one; default: flight."
package_option = click.option(
    "--package", "package_path", type=click.Path(path_type=Path), help=f"Flight package: {PACKAGE_HELP}"
)
trust_option = click.option(
    "--trust",
    type=click.Path(path_type=Path),
    help="File of public keys: a package that none of them signed is refused.",
)
executor_option = click.option(
    "--executor", default="onnxruntime", show_default=True, help="What runs the cells: NAME or NAME:PROVIDER."
)


axes_option = click.option(
    "--axes",
    type=click.Choice(["ZYX", "YXZ", "YZX", "ZXY", "XYZ", "XZY"], case_sensitive=False),
    help="Of HDF5 and NetCDF: the axes in the file's order, Y lines, X columns, Z bands; default: as the file says.",
)


threads_option = click.option(
    "--threads", "n_threads", type=click.IntRange(1), default=usable_cores, show_default="all cores allowed",
    help="Of files each codes whole segments; of lines from a pipe one runs the network ahead, one codes. Same bytes.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


MOST_TOLD = 20
"""Notes, and runs of missing lines, that are printed."""


def note(text: str) -> None:
    """One line on standard error of what the user should know and need not change."""
    click.echo(f"linerwkv: note: {text}", err=True)


def tell_missing(runs: Sequence[Sequence[int]], *, in_output: str = "", more: str = "") -> None:
    """A line on standard error for each run (first, last) of missing lines, and one for those that are too many."""
    for first, last in runs[:MOST_TOLD]:
        click.echo(f"linerwkv: lines {first}..{last} are missing{in_output}", err=True)
    if (n_more := len(runs) - MOST_TOLD) > 0:
        click.echo(f"linerwkv: {n_more} more runs of lines are missing{more}", err=True)


def note_not_carried(source: Path, what: Sequence[str]) -> None:
    """Say what an input has and the output lacks, if anything."""
    if what:
        note(f"{source}: not carried: {', '.join(' '.join(one.split()) for one in what)}")

"""The options and exit codes that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

EXIT_CHECK_FAILED = 1
EXIT_BAD_INPUT = 2


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

"""The options of a quantization as a TOML file."""

from pathlib import Path
from typing import Any

from quantize.pipeline import QuantizeOptions
from runtime.checked_table import checked_arguments, checked_table, read_toml

OF_A_RUN = ("max_minutes", "manifest", "resume")
"""Options that are no part of a recipe."""


def recipe_values(path: Path) -> dict[str, Any]:
    """The options that a file sets. Raises BadArgument for unknown keys, wrong kinds and values out of range."""
    where = f"quantization recipe {path}"
    values = checked_arguments(QuantizeOptions, read_toml(path, where), where, without=OF_A_RUN)
    checked_table(QuantizeOptions, values, where)
    return values

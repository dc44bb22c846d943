"""The options of a quantization as a TOML file."""

from pathlib import Path
from typing import Any

from model.shipped import file_or_shipped
from quantize.pipeline import QuantizeOptions
from runtime.checked_table import checked_arguments, checked_table, read_toml

CONFIGS = Path(__file__).parent / "configs"
SHIPPED_RECIPE = Path("flight")
"""The name of the recipe of the shipped package."""
OF_A_RUN = ("max_minutes", "manifest", "resume")
"""Options that are no part of a recipe."""


def recipe_values(path: Path) -> dict[str, Any]:
    """The options that a file, or the shipped one of that name, sets.

    Raises BadArgument for unknown keys, wrong kinds and values out of range.
    """
    where = f"quantization recipe {path}"
    table = read_toml(file_or_shipped(path, CONFIGS, where), where)
    values = checked_arguments(QuantizeOptions, table, where, without=OF_A_RUN)
    checked_table(QuantizeOptions, values, where)
    return values

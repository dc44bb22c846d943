"""The options of a quantization as a TOML file."""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from quantize.road import QuantizeOptions
from runtime.errors import BadArgument

OF_A_RUN = ("max_minutes", "manifest", "resume")
"""Options that are no part of a recipe."""


def recipe_values(path: Path) -> dict[str, Any]:
    """The options that a file sets. Raises BadArgument for unknown keys and wrong types."""
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadArgument(f"quantization recipe {path}: {error}") from error
    kinds = {item.name: type(item.default) for item in fields(QuantizeOptions) if item.name not in OF_A_RUN}
    for name, value in values.items():
        if name not in kinds:
            raise BadArgument(f"quantization recipe {path}: unknown key {name!r}, allowed {', '.join(kinds)}")
        if type(value) is not kinds[name]:
            raise BadArgument(f"quantization recipe {path}: {name} is {value!r}, allowed type {kinds[name].__name__}")
    return values

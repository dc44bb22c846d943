"""Keys of a TOML file set on the command line, instead of their values in the file."""

import tomllib
from collections.abc import Sequence
from typing import Any

from runtime.errors import BadArgument


def set_value(values: dict[str, Any], setting: str) -> None:
    """Set one key of the tables of a file by `table.key=value`, in TOML; what is no TOML is a string."""
    names, sign, text = setting.partition("=")
    *tables, key = names.strip().split(".")
    if not sign or not key:
        raise BadArgument(f"setting {setting!r}, allowed KEY=VALUE or TABLE.KEY=VALUE")
    for table in tables:
        values = values.setdefault(table, {})
        if not isinstance(values, dict):
            raise BadArgument(f"setting {setting!r}: {table!r} is no table")
    try:
        values[key] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        values[key] = text.strip()


def said_settings(settings: Sequence[str]) -> str:
    """What an error adds to the name of a file whose keys were set; nothing where none were."""
    return f", --set {' '.join(' '.join(settings).split())}" if settings else ""

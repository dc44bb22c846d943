"""Tables of a TOML file as dataclasses, with one line for what they may not say."""

import math
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from runtime.errors import BadArgument

Table = TypeVar("Table")
WORDS = {str: "a text", int: "a whole number", float: "a finite number", list: "a list", dict: "a table"}


def read_toml(path: Path, where: str) -> tuple[bytes, dict[str, Any]]:
    """The bytes of a file and its values: no text has a zero byte, no number more than 64 bits. Raises BadArgument."""
    try:
        text = path.read_bytes()
        values = tomllib.loads(text.decode())
    except OSError as error:
        raise BadArgument(f"{where}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadArgument(f"{where}: not TOML: {' '.join(str(error).split())}") from None
    for value in leaves(values):
        if isinstance(value, str) and "\0" in value:
            raise BadArgument(f"{where}: a text with a zero byte: {value[:40]!r}")
        if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
            raise BadArgument(f"{where}: a whole number of {len(str(abs(value)))} digits, allowed 64 bits")
    return text, values


def leaves(value: Any) -> Iterator[Any]:
    """Keys and values that are no tables and no lists, however deep."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from leaves(entry)
    else:
        yield value


def tables(values: dict[str, Any], key: str, where: str) -> list[Any]:
    """The tables under a key, which leaves `values`."""
    found = values.pop(key, [])
    if not isinstance(found, list):
        raise BadArgument(f"{where}: {key} is {found!r}, allowed tables [[{key}]]")
    return found


def table_of(kind: type[Table], values: Any, where: str, more: dict[str, Any] | None = None) -> Table:
    """A dataclass from a table of TOML; `more`: its fields that are made already. Raises BadArgument."""
    more = more or {}
    if not isinstance(values, dict):
        raise BadArgument(f"{where} is {values!r}, allowed a table")
    known = {item.name: item for item in fields(kind) if item.name not in more}  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise BadArgument(f"{where}: key {key!r} is not known, allowed {', '.join(known)}")
    for key, item in known.items():
        if key not in values and item.default is MISSING and item.default_factory is MISSING:
            raise BadArgument(f"{where}: key {key!r} is missing")
    return kind(**{key: checked(value, known[key].type, f"{where}: {key}") for key, value in values.items()}, **more)


def checked(value: Any, kind: Any, where: str) -> Any:
    """A value of TOML as the field's type wants it. Raises BadArgument."""
    whole = get_origin(kind) or kind
    if whole is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if not isinstance(value, whole) or (isinstance(value, bool) and whole is not bool) or whole is float:
        raise BadArgument(f"{where} is {value!r}, allowed {WORDS[whole]}")
    if whole is list:
        return [checked(entry, get_args(kind)[0], f"{where}[{index}]") for index, entry in enumerate(value)]
    if whole is dict and get_args(kind)[1] is not Any:
        return {key: checked(entry, get_args(kind)[1], f"{where}.{key}") for key, entry in value.items()}
    return value

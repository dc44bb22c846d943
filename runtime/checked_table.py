"""Tables of TOML and JSON as dataclasses, or as arguments, strictly; what is wrong is one line with file and key.

A key's kind and range are its annotation: `Annotated[int, Meta(ge=1)]`, `Literal["fast", "best"]`, `list[str]`, another
dataclass. `where` names the file, `at` the dotted path of the table in it: `FILE: key data.crop_lines: found 1,
allowed int at least 2`. What several keys must be together is checked by `__post_init__`, which raises BadArgument with
the rest of that line: `KEY: found ..., allowed ...`.
"""

import inspect
import json
import math
import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

import msgspec
from msgspec import Meta
from msgspec import inspect as kinds

from runtime.errors import BadArgument, one_line

Table = TypeVar("Table")
Text = Annotated[str, Meta(min_length=1)]
AtLeast0 = Annotated[int, Meta(ge=0)]
AtLeast1 = Annotated[int, Meta(ge=1)]

LONGEST_SHOWN = 60
PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
NAMES: dict[type[kinds.Type], str] = {
    kinds.BoolType: "true or false", kinds.IntType: "int", kinds.FloatType: "finite number", kinds.StrType: "text",
    kinds.NoneType: "null", kinds.CustomType: "path", kinds.ListType: "list", kinds.DictType: "table",
    kinds.DataclassType: "table",
}  # fmt: skip
BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below", "min_length": "of length at least"}


def read_file(path: Path, where: str) -> bytes:
    """The bytes of a file. Raises BadArgument."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise BadArgument(f"{where}: {getattr(error, 'strerror', None) or error}") from None


def read_toml(path: Path, where: str) -> dict[str, Any]:
    """The tables of the file at `path`. Raises BadArgument."""
    return toml_table(read_file(path, where), where)


def toml_table(text: bytes, where: str) -> dict[str, Any]:
    """The tables of a TOML file. Raises BadArgument."""
    try:
        return tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise BadArgument(f"{where}: not TOML: {one_line(error)}") from None


def json_table(text: str, where: str) -> dict[str, Any]:
    """The table of a JSON text. Raises BadArgument."""
    try:
        values = msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:
        raise BadArgument(f"{where}: not JSON: {one_line(error)}") from None
    if not isinstance(values, dict):
        raise wrong(where, "", values, "table")
    return values


def checked_table(kind: Callable[..., Table], values: Any, where: str, at: str = "", **made: Any) -> Table:
    """A dataclass from a table; `made`: arguments that the table may not have. Raises BadArgument."""
    arguments = checked_arguments(kind, values, where, at, without=made)
    try:
        return kind(**arguments, **made)
    except BadArgument as error:
        raise BadArgument(f"{where}: key {f'{at}.' if at else ''}{error}") from None


def checked_arguments(
    kind: Callable[..., Any], values: Any, where: str, at: str = "", without: Collection[str] = ()
) -> dict[str, Any]:
    """The arguments of a dataclass or function from a table, those of `without` not allowed. Raises BadArgument."""
    if not isinstance(values, dict):
        raise wrong(where, at, values, "table")
    known = {name: one for name, one in inspect.signature(kind).parameters.items() if name not in without}
    for key in values:
        if key not in known:
            raise BadArgument(f"{where}: key {dotted(at, key)}: not known, allowed {', '.join(known) or 'none'}")
    for name, one in known.items():
        if one.default is inspect.Parameter.empty and name not in values:
            raise BadArgument(f"{where}: key {dotted(at, name)}: found nothing, allowed {allowed(one.annotation)}")
    return {key: checked_value(known[key].annotation, one, where, dotted(at, key)) for key, one in values.items()}


def checked_value(kind: Any, value: Any, where: str, at: str) -> Any:
    """A value as a type with its bounds, an int as a float where one is wanted. Raises BadArgument."""
    if is_dataclass(value):
        return value
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if isinstance(value, dict) and get_origin(bare) in (Union, UnionType):  # a table that may be left out
        bare = next(filter(is_dataclass, get_args(bare)), bare)
    if is_dataclass(bare):
        return checked_table(cast(type, bare), value, where, at)
    whole, inner = get_origin(bare) or bare, get_args(bare) or (Any, Any)
    try:
        if isinstance(value, list) and whole in (list, Sequence, Any):
            value = [checked_value(inner[0], one, where, f"{at}[{index}]") for index, one in enumerate(value)]
        elif isinstance(value, dict) and whole in (dict, Mapping, Any):
            paths = {key: dotted(at, key) for key in value}
            value = {
                checked_value(inner[0], key, where, paths[key]): checked_value(inner[1], one, where, paths[key])
                for key, one in value.items()
            }
        found = msgspec.convert(value, kind, dec_hook=path_of)
    except msgspec.ValidationError:
        raise wrong(where, at, value, allowed(kind)) from None
    except RecursionError:
        raise BadArgument(f"{where}: key {at}: nested too deeply") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise wrong(where, at, value, "finite number" if kind is Any else allowed(kind))
    if isinstance(value, int) and value.bit_length() > 63:
        raise wrong(where, at, value, "int of 64 bits")
    if isinstance(value, str) and "\0" in value:
        raise wrong(where, at, value, "text without zero bytes")
    return found


def path_of(kind: type, value: Any) -> Path:
    """A path from a text that is not empty. Raises ValueError."""
    if not isinstance(value, str | Path) or value == "":
        raise ValueError("no path")
    return Path(value)


def wrong(where: str, at: str, value: Any, what_is_allowed: str) -> BadArgument:
    """The error of one value: file, key, what was found, what is allowed."""
    return BadArgument(f"{where}:{f' key {at}:' if at else ''} found {shown(value)}, allowed {what_is_allowed}")


def shown(value: Any) -> str:
    """A value on one line, as JSON writes it, cut where it is long."""
    if isinstance(value, int) and value.bit_length() > 63:
        return f"an int of {value.bit_length()} bits"
    try:
        text = json.dumps(value, default=str)
    except (TypeError, ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def dotted(at: str, key: Any) -> str:
    """The path of a key in the table at `at`, quoted where TOML would quote it."""
    name = key if isinstance(key, str) and PLAIN_KEY.fullmatch(key) else shown(key)
    return f"{at}.{name}" if at else name


def allowed(kind: Any) -> str:
    """What values a type takes, for an error: its Meta's description, or its kind with its bounds."""
    info = kind if isinstance(kind, kinds.Type) else kinds.type_info(kind)
    if isinstance(info, kinds.Metadata):
        return str((info.extra_json_schema or {}).get("description") or allowed(info.type))
    if isinstance(info, kinds.UnionType):
        return " or ".join(allowed(one) for one in info.types)
    if isinstance(info, kinds.LiteralType):
        return ", ".join(shown(one) for one in info.values)
    if isinstance(info, kinds.EnumType):
        return ", ".join(shown(one.value) for one in info.cls)
    found = [(text, getattr(info, name, None)) for name, text in BOUNDS.items()]
    bounds = [f"{text} {f'{one:g}' if isinstance(one, float) else one}" for text, one in found if one is not None]
    word = NAMES.get(type(info), "anything")
    inner = info.item_type if isinstance(info, kinds.ListType) else getattr(info, "value_type", kinds.AnyType())
    if not isinstance(inner, kinds.AnyType):
        word = f"{word} of {allowed(inner)}{',' if bounds else ''}"
    return f"{word} {', '.join(bounds)}".strip()

"""report.json: the findings of a run as a file, and back (docs/formats/hil-report.md)."""

import json
import math
import types
import typing
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from hil_tests.findings.findings import Findings
from runtime.errors import Corrupt, TooNew
from runtime.whole_output import replacing

VERSION = 1
NOT_FINITE = ("inf", "-inf", "nan")
"""JSON has no such numbers: they are these words, in places where a number is expected."""
LARGEST_INTEGER = 2**63 - 1


def write_findings(findings: Findings, path: Path) -> None:
    """Write the file by whole replacement."""
    values = {"version": VERSION, **asdict(findings), "passed": findings.passed}
    with replacing(path) as part:
        part.write_text(json.dumps(as_json(values), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def as_json(value: Any) -> Any:
    """The same value without numbers that JSON does not have."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: as_json(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(entry) for entry in value]
    return value


def read_findings(path: Path) -> Findings:
    """The findings of a file. Raises Corrupt where it is not such a file, TooNew where a later release wrote it."""
    try:
        values = json.loads(path.read_bytes(), parse_constant=refuse_constant)
        check_version(values)
        found: Findings = built(Findings, values)
        if values.get("passed", found.passed) is not found.passed:
            raise ValueError(f"passed is {values['passed']!r}, its steps and limits say {found.passed}")
    except OSError as error:
        raise Corrupt(f"report {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise Corrupt(f"report {path} is not sound: {' '.join(str(error).split())[:300]}") from None
    except TooNew as error:
        raise TooNew(f"report {path}: {error}") from None
    return found


def refuse_constant(name: str) -> Any:
    """Nothing: NaN and the like are no JSON. Raises ValueError."""
    raise ValueError(f"{name} is not a number of JSON")


def check_version(values: Any) -> None:
    """Raises ValueError or TooNew where this release does not know the version."""
    version = values.get("version") if isinstance(values, dict) else None
    if type(version) is not int or version < 1:
        raise ValueError(f"no version, {VERSION} is allowed")
    if version > VERSION:
        raise TooNew(f"version {version}, this release knows {VERSION}")


def built(kind: Any, value: Any, where: str = "") -> Any:
    """A value of JSON as the type that the dataclasses name; keys that this release does not know are left out.

    Raises ValueError that says what was found, what is allowed and where.
    """
    if kind is Any:
        return value
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return None if value is None else built(arguments[0], value, where)
    if origin is list:
        return [built(arguments[0], entry, f"{where}[{i}]") for i, entry in enumerate(of_type(list, value, where))]
    if origin is tuple:
        entries = of_type(list, list(value) if isinstance(value, tuple) else value, where)
        if len(entries) != len(arguments):
            raise ValueError(f"{where}: {len(entries)} values, {len(arguments)} are allowed")
        return tuple(built(one, entry, where) for one, entry in zip(arguments, entries, strict=True))
    if origin is dict:
        return {key: built(arguments[1], entry, f"{where}.{key}") for key, entry in of_type(dict, value, where).items()}
    if is_dataclass(kind):
        return built_dataclass(kind, of_type(dict, value, where), where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        allowed = [member.value for member in kind]
        if value not in allowed:
            raise ValueError(f"{where}: {value!r}, allowed is {', '.join(map(str, allowed))}")
        return kind(value)
    if kind is float and (type(value) is int or value in NOT_FINITE):
        return float(value) if value in NOT_FINITE else float(of_type(int, value, where))
    return of_type(kind, value, where)


def built_dataclass(kind: Any, values: dict[str, Any], where: str) -> Any:
    """One with the fields that are there; those that are not have a default, or are an error."""
    hints = typing.get_type_hints(kind)
    found = {
        item.name: built(hints[item.name], values[item.name], f"{where}.{item.name}".lstrip("."))
        for item in fields(kind)
        if item.name in values
    }
    try:
        return kind(**found)
    except TypeError as error:
        raise ValueError(f"{where or 'the file'}: {error}") from None


def of_type(kind: Any, value: Any, where: str) -> Any:
    """The value, which is of that very type. Raises ValueError."""
    if type(value) is not kind:
        raise ValueError(f"{where or 'the file'}: {repr(value)[:60]}, {kind.__name__} is allowed")
    if kind is int and abs(value) > LARGEST_INTEGER:
        raise ValueError(f"{where}: an integer beyond {LARGEST_INTEGER}")
    return value

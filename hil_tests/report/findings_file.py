"""report.json: the findings of a run as a file, and back."""

import json
import types
import typing
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from hil_tests.report.findings import Findings
from runtime.errors import Corrupt
from runtime.whole_output import replacing


def write_findings(findings: Findings, path: Path) -> None:
    """Write the file by whole replacement."""
    with replacing(path) as part:
        part.write_text(json.dumps({**asdict(findings), "passed": findings.passed}, indent=1) + "\n")


def read_findings(path: Path) -> Findings:
    """The findings of a file. Raises Corrupt where it is not such a file."""
    try:
        values = json.loads(path.read_text())
        found: Findings = built(Findings, values)
    except OSError as error:
        raise Corrupt(f"report {path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Corrupt(f"report {path} is not sound: {type(error).__name__}: {' '.join(str(error).split())}") from None
    return found


def built(kind: Any, value: Any) -> Any:
    """A value of JSON as the type that the dataclasses name; keys that this release does not know are left out."""
    if kind is Any:
        return value
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return None if value is None else built(arguments[0], value)
    if origin is list:
        return [built(arguments[0], entry) for entry in value]
    if origin is tuple:
        return tuple(built(one, entry) for one, entry in zip(arguments, value, strict=True))
    if origin is dict:
        return {str(key): built(arguments[1], entry) for key, entry in value.items()}
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        there = [item.name for item in fields(kind) if item.name in value]
        make: Any = kind
        return make(**{name: built(hints[name], value[name]) for name in there})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"{value!r} in place of {kind.__name__}")
    return value

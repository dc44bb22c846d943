"""Records of JSON, as telemetry and estimates are, as tables of the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hil_tests.report.numerals import aligned, number

DEEPEST = 4
MANY = 40
"""Of more records, the first and last half of these are shown, and as many at most of those between with `errors`."""
NOTHING = "\u2013"


@dataclass(frozen=True)
class Column:
    """One key of the records."""

    key: str
    is_number: bool
    cells: list[str]


@dataclass(frozen=True)
class RecordTable:
    """What is the same in all records, and columns of what is not."""

    same: dict[str, str]
    columns: list[Column]
    n_records: int
    gaps: list[int]
    """The rows before which records are left out."""


def record_table(records: Sequence[dict[str, Any]], *, first: str = "", gather: bool = False) -> RecordTable:
    """The table; a record in a record gives columns of its own.

    first: a key that is the first column in any case. gather: keys with one value throughout go into `same`.
    """
    flat = [flattened(record) for record in records]
    keys = list(dict.fromkeys([*([first] if first else []), *(key for record in flat for key in record)]))
    shown = shown_of(flat)
    columns, same = [], {}
    for key in keys:
        values = [record.get(key) for record in flat]
        if gather and len(values) > 1 and key != first and all(value == values[0] for value in values):
            same[key] = cell(values[0])
        else:
            columns.append(column(key, [flat[index].get(key) for index in shown]))
    gaps = [row for row, (before, index) in enumerate(zip([-1, *shown], shown, strict=False)) if index != before + 1]
    return RecordTable(same, columns, len(flat), gaps)


def shown_of(records: Sequence[dict[str, Any]]) -> list[int]:
    """The records that are shown, in their order."""
    half = MANY // 2
    if len(records) <= MANY:
        return list(range(len(records)))
    faulty = [index for index in range(half, len(records) - half) if records[index].get("errors")]
    return [*range(half), *faulty[:MANY], *range(len(records) - half, len(records))]


def flattened(record: dict[str, Any]) -> dict[str, Any]:
    """The record, with the keys of records in it behind their own."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        flat |= {f"{key} {inner}": entry for inner, entry in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def column(key: str, values: Sequence[Any]) -> Column:
    """Numbers are aligned where there are numbers only."""
    floats = [value for value in values if type(value) in (int, float)]
    if floats and all(value is None or type(value) in (int, float) for value in values):
        whole = all(type(value) is int for value in floats)
        texts = [number(value) for value in values] if whole else aligned([as_float(value) for value in values], 4)
        return Column(
            key, True, [NOTHING if value is None else text for value, text in zip(values, texts, strict=True)]
        )
    return Column(key, False, [cell(value) for value in values])


def as_float(value: int | float | None) -> float | None:
    """The same number; an integer beyond every float is infinite."""
    try:
        return None if value is None else float(value)
    except OverflowError:
        return float("inf")


def cell(value: Any, depth: int = 0) -> str:
    """Any value of JSON in a table, its inner values in words as far as anyone reads them."""
    if value is None or value == []:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return number(value, 4)
    if isinstance(value, (dict, list)) and depth == DEEPEST:
        return "\u2026"
    if isinstance(value, dict):
        return ", ".join(f"{key} {cell(entry, depth + 1)}" for key, entry in value.items())
    if isinstance(value, list):
        return "; ".join(cell(entry, depth + 1) for entry in value)
    return str(value)

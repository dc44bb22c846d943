"""What answers of benchmarks are made of: columns of a record, and their span in words."""

from collections.abc import Iterable
from typing import Any

Record = dict[str, Any]
Row = dict[str, Any]


def span(values: Iterable[float]) -> str:
    """The smallest to the largest, three digits."""
    values = list(values)
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    return low if low == high else f"{low} to {high}"


def of(rows: list[Row], name: str, **wanted: Any) -> list[Any]:
    """A column of the rows that have all of the given values."""
    return [row[name] for row in rows if all(row[key] == value for key, value in wanted.items())]

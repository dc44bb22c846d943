"""What was found in the files of an archive, as tables for people."""

from collections.abc import Iterator, Sequence
from typing import Any

from linerwkv.ground.archive_jobs import Outcome

ANY = ("file", "lines", "bands", "columns", "bytes", "missing lines", "s")
OF_BANDS = ("file", "band", "wavelength", "min", "max", "mean", "missing lines")


def report_text(operation: str, outcomes: Sequence[Outcome]) -> str:
    """A row of each file that gave something, of statistics a row of each of its bands, and a last line."""
    header = OF_BANDS if operation == "statistics" else ANY
    rows = [
        row
        for one in outcomes
        if "lines" in one
        for row in (band_rows(one) if operation == "statistics" else [file_row(one)])
    ]
    n_failed = sum(one["error"] is not None for one in outcomes)
    n_earlier = sum(one.get("earlier", False) for one in outcomes)
    last = f"{len(outcomes) - n_failed} of {len(outcomes)} files, {n_earlier} of them in an earlier run"
    return "\n".join([*(aligned([header, *rows]) if rows else []), last])


def n_missing(outcome: Outcome) -> int:
    """Lines that a file lacks."""
    return sum(last - first + 1 for first, last in outcome.get("missing_lines", ()))


def file_row(outcome: Outcome) -> tuple[Any, ...]:
    """By the names of ANY."""
    return (
        outcome["source"], outcome["lines"], outcome["bands"], outcome["columns"], outcome["bytes"],
        n_missing(outcome), outcome["seconds"],
    )  # fmt: skip


def band_rows(outcome: Outcome) -> Iterator[tuple[Any, ...]]:
    """By the names of OF_BANDS."""
    wavelength = outcome["wavelength"] or [None] * len(outcome["mean"])
    values = zip(wavelength, outcome["minimum"], outcome["maximum"], outcome["mean"], strict=True)
    for z, numbers in enumerate(values):
        yield outcome["source"], z, *numbers, n_missing(outcome)


def aligned(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Lines of a table, numbers to the right."""
    texts = [[text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(n) for cell, n in zip(row[1:], widths[1:], strict=True))])
        for row in texts
    ]


def text(value: Any) -> str:
    """A cell; six digits of numbers that are not whole."""
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)

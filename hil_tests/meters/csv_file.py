"""Power that an external instrument wrote as CSV."""

import csv
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from hil_tests.meters.meter import MeterFailed
from hil_tests.meters.recording import Recording


def read_csv(
    path: Path, *, time: str, rails: Mapping[str, Sequence[str]], delimiter: str, is_integrating: bool
) -> Recording:
    """What the file holds; a last line without its end is left out, the instrument may be writing it.

    time: name of the column of seconds, or of ISO 8601 times. rails: of each rail the names of the columns whose
    product is its power in watts. Lines before the one with these names are skipped. Raises MeterFailed, with the line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise MeterFailed(f"{path}: {error.strerror}") from None
    lines = text[: text.rfind("\n") + 1].replace("\r\n", "\n").split("\n")
    names = [time, *(column for columns in rails.values() for column in columns)]
    rows = csv.reader(lines, delimiter=delimiter)
    try:
        for row in rows:
            header = [cell.strip() for cell in row]
            if set(names) <= set(header):
                break
        else:
            raise MeterFailed(f"{path}: no line names the columns {', '.join(map(repr, names))}")
        columns = [header.index(name) for name in names]
        table = [numbers_in(row, columns, f"{path} line {rows.line_num}") for row in rows if row]
    except csv.Error as error:
        raise MeterFailed(f"{path} line {rows.line_num}: {error}") from None
    if len(table) < 2:
        raise MeterFailed(f"{path}: {len(table)} samples, at least two are needed")
    values = np.array(table)
    backward = np.flatnonzero(np.diff(values[:, 0]) <= 0)
    if len(backward):
        raise MeterFailed(f"{path}: time does not go on after sample {backward[0] + 1} ({values[backward[0], 0]:g} s)")
    watts, next_column = {}, 1
    for rail, of_rail in rails.items():
        watts[rail] = values[:, next_column : next_column + len(of_rail)].prod(axis=1)
        next_column += len(of_rail)
    return Recording(values[:, 0], watts, is_integrating)


def numbers_in(row: Sequence[str], columns: Sequence[int], where: str) -> list[float]:
    """Numbers in these columns, the first one a time. Raises MeterFailed."""
    numbers = []
    for index, column in enumerate(columns):
        cell = row[column].strip() if column < len(row) else ""
        try:
            number = float(cell)
        except ValueError:
            number = seconds_of(cell) if index == 0 else math.nan
        if not math.isfinite(number):
            raise MeterFailed(f"{where}, column {column + 1}: {cell[:40]!r} is not a {'number' if index else 'time'}")
        numbers.append(number)
    return numbers


def seconds_of(text: str) -> float:
    """Seconds of an ISO 8601 time, or not a number."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return math.nan

"""Chosen lines, bands and columns of a stream: only the segments that have them are read and decoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.codec.decoded_segments import Cube, DecodedSegments
from runtime.codec.segment_places import Place
from runtime.errors import Corrupt, Incomplete, TooNew, Truncated

Indices = npt.NDArray[np.int64]
DAMAGE = (Corrupt, Truncated, TooNew)


@dataclass(frozen=True)
class Selection:
    """Indices, each within the image, in any order."""

    lines: Indices  # (Y,)
    bands: slice | Indices  # A slice of rising indices, or (Z,)
    columns: slice | Indices

    def of_line(self, line: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Of a whole line (Z, X)."""
        return line[self.bands][:, self.columns]

    def of_cube(self, cube: Cube, rows: Indices) -> Cube:
        """Of a whole segment (Y, Z, X)."""
        if rows.size and np.all(np.diff(rows) == 1):
            return cube[rows[0] : rows[-1] + 1][:, self.bands][:, :, self.columns]
        return cube[rows][:, self.bands][:, :, self.columns]


class Missing:
    """What becomes of lines that are not there: an error, or a fill value and a note of which they are."""

    def __init__(self, fill: int | float | None, runs: list[tuple[int, int]]) -> None:
        """fill: None: an error. runs: first and last lines that no segment has."""
        self.fill, self.runs = fill, set(runs)

    def lines(self) -> list[tuple[int, int]]:
        """Runs of lines, first and last, that are known to be missing, in order, those that touch as one."""
        joined: list[tuple[int, int]] = []
        for first, last in sorted(self.runs.copy()):  # other threads may add some
            if joined and first <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
            else:
                joined.append((first, last))
        return joined

    def note(self, first: int, last: int, error: Exception | None) -> None:
        """Lines first..last are not there. Raises Incomplete or the error, which name them, unless there is a fill."""
        if self.fill is None:
            kind = Incomplete if error is None else type(error)
            why = "they never came" if error is None else str(error)
            raise kind(f"lines {first}..{last} are missing: {why}; with a fill value the others are read")
        self.runs.add((first, last))


def selected(segments: DecodedSegments, selection: Selection, missing: Missing) -> Cube:
    """A new array (Y, Z, X) of the chosen samples.

    Segments larger than may be kept are decoded line by line. Raises LineRwkvError.
    """
    image = segments.found.header.image
    sizes = (len(range(n)[one]) if isinstance(one, slice) else one.size for n, one in (
        (image.n_bands, selection.bands), (image.n_columns, selection.columns)
    ))  # fmt: skip
    fill = 0 if missing.fill is None else missing.fill
    out = np.full((selection.lines.size, *sizes), fill, segments.dtype)
    if out.size == 0:
        return out
    for place, rows, targets in parts(segments, selection.lines, missing):
        try:
            if segments.n_bytes(place) <= segments.most_kept:
                out[targets] = selection.of_cube(segments.cube(place), rows)
            else:
                for row, line in enumerate(segments.lines(place)):
                    for target in targets[rows == row]:
                        out[target] = selection.of_line(line)
        except DAMAGE as error:
            out[targets] = fill
            missing.note(place.first_line, place.next_line - 1, error)
    return out


def parts(segments: DecodedSegments, lines: Indices, missing: Missing) -> Iterator[tuple[Place, Indices, Indices]]:
    """Each segment that has some of the lines, which of its lines they are, and their places among the chosen.

    What no segment has is noted before that.
    """
    places = segments.found.places
    number = np.searchsorted(segments.firsts, lines, "right") - 1
    is_there = (number >= 0) & (lines < segments.nexts[number]) if places else np.zeros(lines.size, bool)
    for first, last in segments.missing:
        if np.any((lines[~is_there] >= first) & (lines[~is_there] <= last)):
            missing.note(first, last, segments.found.error if last == segments.found.n_lines - 1 else None)
    for i in np.unique(number[is_there]):
        targets = np.flatnonzero(is_there & (number == i))
        yield places[i], lines[targets] - places[i].first_line, targets

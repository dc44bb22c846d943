"""What of a stream has not come: for people, and as a table by which it is sent again (docs/formats/packets.md)."""

from dataclasses import asdict, dataclass, field
from typing import Any

from runtime.checked_table import AtLeast0, Text, checked_table, json_table
from runtime.packets.assembly import Assembled, Run
from runtime.packets.stream_structures import Structure


@dataclass(frozen=True)
class MissingRun:
    """Structures first..last; of one that came in part only the bytes that are missing."""

    first: AtLeast0
    last: AtLeast0
    bytes: list[tuple[int, int]] = field(default_factory=list)
    """Runs, first and last; empty: all."""


@dataclass(frozen=True)
class Missing:
    """Of one stream."""

    stream: Text
    missing: list[MissingRun]
    missing_from: AtLeast0 | None
    """The end did not come: structures from this number on may be missing too."""
    lines: list[tuple[int, int]]
    """Runs of lines of segments that did not come whole, first and last."""

    def __bool__(self) -> bool:
        """Whether there is anything to ask for again."""
        return bool(self.missing) or self.missing_from is not None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, text: bytes, where: str) -> "Missing":
        """As `to_dict` wrote it. Raises BadArgument."""
        return checked_table(cls, json_table(text.decode(errors="replace"), where), where)

    def has(self, structure: Structure, begin: int, end: int) -> bool:
        """Whether bytes begin..end - 1 of a structure are to be sent again."""
        number = structure.place.number
        if self.missing_from is not None and number >= self.missing_from:
            return True
        for run in self.missing:
            if run.first <= number <= run.last:
                return not run.bytes or any(first < end and last >= begin for first, last in run.bytes)
        return False


def missing_of(found: Assembled) -> Missing:
    """What has not come. Numbers that packets claim cost nothing: runs are as many as packets at most."""
    known = sorted({*found.structures, *found.parts})
    total = found.n_structures
    known = known if total is None else [number for number in known if number < total]
    runs: list[MissingRun] = []
    lines: list[Run] = []
    number, line = 0, 0  # The next structure, and its first line as far as it is known
    for one in known:
        if one > number:
            runs.append(MissingRun(number, one - 1))
        whole = found.structures.get(one)
        first_line = whole.place.first_line if whole is not None else found.parts[one][0].first_line
        if first_line > line:
            lines.append((line, first_line - 1))
        if whole is None:
            place, parts = found.parts[one]
            runs.append(MissingRun(one, one, [] if parts == [(0, place.n_bytes - 1)] else parts))
        line, number = found.following.get(one, first_line), one + 1
    return Missing(str(found.stream), runs, None if total is not None else number, joined_runs(lines))


def joined_runs(runs: list[Run]) -> list[Run]:
    """Rising runs, those without a hole between them as one."""
    joined: list[Run] = []
    for first, last in runs:
        if joined and joined[-1][1] + 1 == first:
            joined[-1] = joined[-1][0], last
        else:
            joined.append((first, last))
    return joined

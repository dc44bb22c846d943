"""Structures of a stream from fragments, whatever their order, with repeats and losses."""

from collections.abc import Iterable
from typing import NamedTuple

from runtime.errors import LineRwkvError
from runtime.packets.fragment import Fragment, Place, StreamName, StructureKind
from runtime.packets.stream_structures import Structure, checked_structure
from runtime.stream.records import EndRecord, record_body

Run = tuple[int, int]
"""First and last."""


class Assembled(NamedTuple):
    """What came of a stream."""

    stream: StreamName
    structures: dict[int, Structure]
    """Those that are whole and sound, by number, the header also from the end's copy."""
    following: dict[int, int]
    """The line after each of them."""
    parts: dict[int, tuple[Place, list[Run]]]
    """Of those that are not: the place as its packets say it, and the runs of bytes that are missing."""

    @property
    def n_structures(self) -> int | None:
        """Of the whole stream; None where its end is not there."""
        ends = [one.place.number for one in self.structures.values() if one.place.kind is StructureKind.END]
        return max(ends) + 1 if ends else None


class Assembly:
    """Takes fragments of one stream; holds each byte once, and nothing for what packets only announce."""

    def __init__(self, stream: StreamName) -> None:
        self.stream = stream
        self.pieces: dict[int, dict[Place, dict[int, bytes]]] = {}

    def add(self, fragment: Fragment) -> None:
        """Keep a fragment; of two from one place on, the longer."""
        parts = self.pieces.setdefault(fragment.place.number, {}).setdefault(fragment.place, {})
        if len(fragment.data) > len(parts.get(fragment.offset, b"")):
            parts[fragment.offset] = bytes(fragment.data)

    def assembled(self) -> Assembled:
        """What is whole and what is not."""
        found = Assembled(self.stream, {}, {}, {})
        for number in sorted(self.pieces):
            for place, parts in self.pieces[number].items():
                data, missing = joined(place.n_bytes, parts)
                if not missing:
                    try:
                        lines = checked_structure(place.kind, data, self.stream.stream_crc)
                    except LineRwkvError:
                        missing = [(0, place.n_bytes - 1)]
                    else:
                        if lines is None or lines[0] == place.first_line:
                            found.structures[number] = Structure(place, data)
                            found.following[number] = place.first_line if lines is None else lines[1]
                            found.parts.pop(number, None)
                            break
                found.parts.setdefault(number, (place, missing))
        self.add_header(found)
        return found

    def add_header(self, found: Assembled) -> None:
        """The header from the copy of the end, where it did not come."""
        ends = [one for one in found.structures.values() if one.place.kind is StructureKind.END]
        if 0 not in found.structures and ends:
            header = EndRecord.from_body(record_body(ends[0].data, self.stream.stream_crc)).header
            found.structures[0] = Structure(Place(0, StructureKind.HEADER, 0, len(header)), header)
            found.following[0] = 0
            found.parts.pop(0, None)


def joined(n_bytes: int, parts: dict[int, bytes]) -> tuple[bytes, list[Run]]:
    """The bytes of a structure, and the runs of it that are missing; with one, the bytes are of no use."""
    taken: list[bytes] = []
    missing: list[Run] = []
    end = 0
    for offset in sorted(parts):
        if offset > end:
            missing.append((end, offset - 1))
        part = parts[offset][max(0, end - offset) :]
        taken.append(part)
        end = max(end, offset + len(parts[offset]))
    if end < n_bytes:
        missing.append((end, n_bytes - 1))
    return b"" if missing else b"".join(taken), missing


def assemblies(fragments: Iterable[Fragment]) -> dict[StreamName, Assembly]:
    """One for each stream that fragments are of."""
    found: dict[StreamName, Assembly] = {}
    for fragment in fragments:
        found.setdefault(fragment.stream, Assembly(fragment.stream)).add(fragment)
    return found

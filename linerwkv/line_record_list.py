"""The records of a stream's lines as a sequence that reads them when they are asked for."""

from collections.abc import Sequence
from typing import overload

from typing_extensions import override

from runtime.codec.decoded_segments import DecodedSegments


class LineRecordList(Sequence[bytes]):
    """A record of each line, 0 to 2^16 bytes; none where the line has none, or is missing."""

    def __init__(self, segments: DecodedSegments, n_lines: int) -> None:
        self.segments, self.n_lines = segments, n_lines
        self.last: tuple[int, tuple[bytes, ...]] = (0, ())  # first line and records of the segment read last

    @override
    def __len__(self) -> int:
        return self.n_lines

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    @override
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        """Raises IndexError, or Corrupt, Truncated or TooNew where the segment or its records are damaged."""
        if isinstance(index, slice):
            return [self.of_line(y) for y in range(self.n_lines)[index]]
        return self.of_line(range(self.n_lines)[index])

    def of_line(self, y: int) -> bytes:
        """Of one line."""
        first_line, records = self.last
        if not first_line <= y < first_line + len(records):
            first_line, records = y, (b"",)
            for place in self.segments.found.touched(y, y):
                _, found = self.segments.read(place)
                first_line = place.first_line
                records = (b"",) * place.n_lines if found is None else found.records
            self.last = first_line, records
        return records[y - first_line]

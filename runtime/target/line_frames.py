"""Lines of a source: found by their sync word, held against the line counter; what is lost or repeated is said."""

from collections.abc import Iterator
from typing import NamedTuple

from runtime.exact_read import Take
from runtime.images.line_frame import RecordedLine
from runtime.images.raw_lines import RawLayout
from runtime.target.flight_tables import LinesTable

REPEATED_LINES = 16
"""A counter that goes back by so many lines at most repeats them; further back the imager has begun again."""
LARGEST_GAP = 1 << 16
"""A counter that goes on by more has begun again, too."""
CHUNK_BYTES = 1 << 16


class FoundLine(NamedTuple):
    """A line, and what was wrong before it."""

    recorded: RecordedLine
    n_lost: int = 0  # Lines that the counter left out before it
    has_begun_again: bool = False  # Whether the counter says nothing of the lines before it


class LineFrames:
    """Of one source."""

    def __init__(self, table: LinesTable) -> None:
        self.layout: RawLayout = table.layout()
        self.sync = bytes.fromhex(table.sync)
        self.counter = slice(table.counter_at, table.counter_at + table.counter_bytes)
        self.n_counters = 1 << 8 * table.counter_bytes
        self.last: int | None = None
        self.n_repeated = 0
        self.n_skipped_bytes = 0  # That were of no line: before a sync word, or of a line that was cut

    def lines(self, take: Take) -> Iterator[FoundLine]:
        """Each new line until the source ends; repeated ones are counted and left out."""
        for frame in self.frames(take):
            if (found := self.held(frame)) is not None:
                yield found

    def frames(self, take: Take) -> Iterator[bytes]:
        """Whole frames. With a sync word one counts when another sync word or the end follows it."""
        size, n_sync, data = self.layout.n_bytes, len(self.sync), bytearray()
        is_ended = False
        while not is_ended:
            part = take(CHUNK_BYTES)
            data += part
            is_ended = not part
            while len(data) >= size + (0 if is_ended else n_sync):
                begins = data.startswith(self.sync)
                if begins and (len(data) == size or data[size : size + n_sync] == self.sync):
                    yield bytes(data[:size])
                    del data[:size]
                    continue
                place = data.find(self.sync, 1)
                n_skipped = place if place > 0 else len(data) - n_sync + 1
                self.n_skipped_bytes += n_skipped
                del data[:n_skipped]
        self.n_skipped_bytes += len(data)

    def held(self, frame: bytes) -> FoundLine | None:
        """A frame as a line, by its counter; None: it is there already."""
        if self.n_counters == 1:
            return FoundLine(self.layout.recorded(frame))
        counter, last = int.from_bytes(frame[self.counter], "big"), self.last
        if last is None:
            self.last = counter
            return FoundLine(self.layout.recorded(frame))
        on, back = (counter - last) % self.n_counters, (last - counter) % self.n_counters
        if back <= min(REPEATED_LINES, self.n_counters // 4):
            self.n_repeated += 1
            return None
        self.last = counter
        is_gap = on - 1 <= min(LARGEST_GAP, self.n_counters // 2)
        return FoundLine(self.layout.recorded(frame), on - 1 if is_gap else 0, not is_gap)

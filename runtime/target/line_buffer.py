"""The lines that wait for the encoder, of which there may be so many and no more."""

import threading
from collections import deque

from runtime.target.line_frames import FoundLine


class LineBuffer:
    """Between the thread of a source and the one that codes."""

    def __init__(self, n_lines: int) -> None:
        self.n_lines = n_lines
        self.lines: deque[FoundLine] = deque()
        self.changed = threading.Condition()
        self.has_ended = False
        self.n_dropped = 0
        self.lost = 0  # Dropped since the last line that was kept, of the imager's run that goes on
        self.has_begun_again = False  # Whether a line that was dropped began it
        self.largest = 0
        """Lines that waited at once, at most."""

    def put(self, found: FoundLine, *, can_wait: bool) -> None:
        """Add a line; while there is no room, wait, or where a source cannot wait, drop it: it is a part of a gap."""
        with self.changed:
            while can_wait and len(self.lines) == self.n_lines and not self.has_ended:
                self.changed.wait(1.0)
            if len(self.lines) == self.n_lines:
                self.n_dropped += 1
                self.lost = 1 + found.n_lost + (0 if found.has_begun_again else self.lost)
                self.has_begun_again |= found.has_begun_again
                return
            lost = found.n_lost + (0 if found.has_begun_again else self.lost)
            has_begun_again = found.has_begun_again or self.has_begun_again
            self.lines.append(found._replace(n_lost=lost, has_begun_again=has_begun_again))
            self.lost, self.has_begun_again = 0, False
            self.largest = max(self.largest, len(self.lines))
            self.changed.notify_all()

    def end(self) -> None:
        """No line follows."""
        with self.changed:
            self.has_ended = True
            self.changed.notify_all()

    def take(self, seconds: float) -> FoundLine | None:
        """The next line, waiting so long at most; None: there is none yet, or it has ended."""
        with self.changed:
            if not self.lines and not self.has_ended:
                self.changed.wait(seconds)
            found = self.lines.popleft() if self.lines else None
            self.changed.notify_all()
            return found

    @property
    def fill(self) -> float:
        """Share of it that waits, 0..1."""
        return len(self.lines) / self.n_lines

"""Segments on their way to the disk: told of once they are there, kept while the disk or the quota takes none."""

import time
from typing import Any

from runtime.errors import BadArgument
from runtime.target.event_counters import EventCounters
from runtime.target.stream_files import StreamFiles
from runtime.target.told_lines import Tell

RETRY_S = 1.0
"""From one try to write what the disk or the quota refused to the next."""


class KeptSegments:
    """Of one stream after another."""

    def __init__(self, files: StreamFiles, tell: Tell, events: EventCounters) -> None:
        self.files, self.tell, self.events = files, tell, events
        self.pieces: list[dict[str, Any]] = []  # Telemetry of segments that are not on the disk yet
        self.is_whole = True  # Whether the stream that ends has its end
        self.n_lines_written = 0
        self.why_waiting, self.tried_at = "", 0.0  # What the disk or the quota said last, and when
        self.has_no_file = False  # Whether it was of a file that could not be opened

    def begin(self) -> bool:
        """Whether there is a file for the next stream now."""
        if self.files.waiting:
            return False
        if self.files.recording is not None:  # opened by another try
            return True
        try:
            path = self.files.begin()
        except BadArgument as error:
            self.has_no_file = True
            self.wait_for_room(error)
            return False
        self.has_no_file = False
        self.tell({"file": path.name})
        return True

    def keep(self, data: bytes) -> None:
        """Put what is complete on the disk, then tell of it; where the disk refuses, it waits."""
        if data:
            self.files.append(data)
        self.write()

    def write(self) -> bool:
        """Whether all that is complete is on the disk and told of now."""
        try:
            self.files.flush()
        except BadArgument as error:
            self.wait_for_room(error)
            return False
        if self.why_waiting:
            self.why_waiting = ""
            self.tell({"resumed": True})
        for piece in self.pieces:
            self.n_lines_written += piece["lines"]
            self.tell({**piece, "bytes": self.files.n_bytes})
        self.pieces.clear()
        self.tell_ended()
        return True

    def wait_for_room(self, error: BadArgument) -> None:
        """Nothing is coded until the disk and the quota take what is there: lines stay in the buffer."""
        if not self.why_waiting:
            self.events.add("waits")
            self.tell({"waiting": str(error)})
        self.why_waiting, self.tried_at = str(error), time.monotonic()

    def try_again(self, *, at_once: bool = False) -> bool:
        """Whether there is room now; looked at once in RETRY_S, or at once."""
        if not at_once and time.monotonic() - self.tried_at < RETRY_S:
            return False
        return (not self.has_no_file or self.begin()) and self.write()

    def give_up(self) -> None:
        """Let go of what waits, and of files without content."""
        self.files.waiting.clear()
        self.pieces.clear()
        self.close(is_whole=False)

    def close(self, *, is_kept: bool = True, is_whole: bool = True) -> None:
        """End the stream's file, once all of it is written; one that is not kept is removed."""
        self.is_whole = is_whole
        self.files.close(is_kept=is_kept)
        self.tell_ended()

    def abandon(self) -> None:
        """End the file with the segments that are complete."""
        if not self.files.waiting:
            self.pieces.clear()
        self.close(is_whole=False)

    def tell_ended(self) -> None:
        """Say which streams and packets do not change any more."""
        while self.files.ended:
            recording = self.files.ended.pop(0)
            self.tell({"file_ended": recording.path.name, "bytes": recording.n_bytes, "whole": self.is_whole})

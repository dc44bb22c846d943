"""`record --compress-later`: the streams of the recorder's folder compressed, the oldest first, each in its place.

It may be killed at any time and started again. A stream that another program has locked is being recorded.
"""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from runtime.codec.opened_encoder import needed_package
from runtime.errors import BadArgument, Incomplete, LineRwkvError, one_line
from runtime.target.flight_config import FlightConfig
from runtime.target.later_journal import Done, Journal, read_journal
from runtime.target.later_streams import Later, LeftAsItIs, compress_in_place, pack_stream
from runtime.target.later_table import KEPT_FREE, LaterTable
from runtime.target.stream_files import StreamFiles
from runtime.target.told_lines import Tell
from runtime.whole_output import lock, opened, remove_left

LOCK = ".later.lock"
LEFT = re.compile(r"\.([0-9]+\.(?:lrwk|packets)|later\.json)\.[0-9]+(-[0-9]+)?\.part")
"""What a run that was killed leaves."""


def compress_later(config: FlightConfig, tell: Tell) -> None:
    """Do all streams that are not done. Raises LineRwkvError; Incomplete at the end: some could not be done."""
    if config.later is None:
        raise BadArgument("later: found no such table, allowed one with --compress-later")
    folder = config.output.folder
    if not folder.is_dir():
        raise BadArgument(f"recordings folder {folder}: not there")
    with alone(folder):
        for name in {found[1] for one in folder.iterdir() if (found := LEFT.fullmatch(one.name))}:
            remove_left(folder / name)
        run = LaterRun(config, config.later, tell)
        n_failed = sum(not run.take(path) for path in streams(folder))
    tell({"compressed_all": n_failed == 0, "failed": n_failed})
    if n_failed:
        raise Incomplete(f"{n_failed} streams of {folder} could not be compressed and are as they were")


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else compresses the streams of a folder until the end of the block. Raises BadArgument."""
    path = folder / LOCK
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise BadArgument(f"recordings folder {folder}: {error.strerror}") from error
    try:
        if not lock(fd, path, wait=False):
            raise BadArgument(f"recordings folder {folder}: another program compresses it, or it knows no locks")
        yield
    finally:
        os.close(fd)


def streams(folder: Path) -> list[Path]:
    """Those of the folder, by their numbers."""
    return sorted((path for path in folder.glob("*.lrwk") if path.stem.isdecimal()), key=lambda path: int(path.stem))


class LaterRun:
    """Over one folder."""

    def __init__(self, config: FlightConfig, table: LaterTable, tell: Tell) -> None:
        """Raises LineRwkvError: the package of the form."""
        self.config, self.table, self.tell = config, table, tell
        self.options = table.options()
        package = needed_package(self.options)
        self.packages = [] if package is None else [package]
        try:
            self.journal = read_journal(config.output.folder)
        except BadArgument as error:  # without it streams are done once more, and stay
            self.tell({"journal": f"begun anew: {error}"})
            self.journal = Journal()
        self.told_at = float("-inf")

    def take(self, path: Path) -> bool:
        """Do a stream, if it is not done; False: it could not be, and is told."""
        try:
            with opened(path, os.O_RDONLY) as fd:
                if self.is_done(path):
                    return True
                if not lock(fd, path, wait=False):
                    self.tell({"left": path.name, "why": "it is being recorded, or the file system knows no locks"})
                    return True
                self.do(path)
        except (LineRwkvError, OSError) as error:
            if not path.exists():
                self.tell({"left": path.name, "why": "taken away meanwhile, as the quota of a recorder does"})
                return True
            self.tell({"failed": path.name, "why": one_line(error)})
            return False
        return True

    def is_done(self, path: Path) -> bool:
        """Whether the journal has the stream as it is, in this form."""
        return self.journal.done.get(path.name) == Done.of(path, self.table.form)

    def do(self, path: Path) -> None:
        """Compress a stream, make its packets, note it. Raises LineRwkvError or OSError."""
        start, size = time.perf_counter(), path.stat().st_size
        try:
            with tqdm(total=size, desc=path.name, unit="B", unit_scale=True, disable=None, leave=False) as bar:
                later = Later(self.options, self.packages, self.table.n_threads, lambda n: self.on_line(path, n, bar))
                done = compress_in_place(path, later, self.room())
            told: dict[str, Any] = {
                "compressed": path.name, "lines": done.n_lines, "bytes": [done.bytes_before, done.bytes_after],
                "seconds": round(time.perf_counter() - start, 3), "was_cut": done.is_cut,
            }  # fmt: skip
        except LeftAsItIs as why:
            told = {"left": path.name, "why": str(why)}
        count = self.journal.next_count
        if self.config.packets is not None:
            options = replace(self.config.packets, recording=int(path.stem))
            count = pack_stream(path, options, time.time_ns() // 1_000_000, count, self.room())
        self.note(path, count)
        self.tell(told)

    def note(self, path: Path, count: int) -> None:
        """Write into the journal that a stream is done; streams that are not there any more leave it."""
        folder = self.config.output.folder
        done = {name: one for name, one in self.journal.done.items() if (folder / name).exists()}
        done[path.name] = Done.of(path, self.table.form)
        self.journal = Journal(count, done)
        self.journal.to_folder(folder)

    def room(self) -> float:
        """Bytes that a new file may have, so that the quota is kept beside a recorder that runs."""
        output = self.config.output
        if output.quota_bytes is None:
            return float("inf")
        free = output.quota_bytes - sum(StreamFiles(output, None).sizes().values())
        return min(free, KEPT_FREE * output.rotate_bytes)

    def on_line(self, path: Path, n_bytes: int, bar: Any) -> None:
        """Show how far a stream is, on a terminal and in telemetry."""
        bar.update(n_bytes - bar.n)
        if time.monotonic() - self.told_at >= self.config.telemetry.seconds:
            self.told_at = time.monotonic()
            self.tell({"compressing": path.name, "bytes_read": n_bytes})

"""The recorder's status as a packet of housekeeping every so many seconds: to a file, and to the downlink."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from runtime.errors import BadArgument
from runtime.packets.housekeeping import DEFAULT_APID, pack_housekeeping
from runtime.packets.housekeeping_table import AUTO_FORM, TABLE
from runtime.packets.space_packet import COUNTS, LARGEST_APID

Make = Callable[[], None]


@dataclass(frozen=True)
class HousekeepingTable:
    """Numbers of the recorder as packets."""

    apid: Annotated[int, Meta(ge=0, le=LARGEST_APID)] = DEFAULT_APID  # Not that of the streams' packets
    seconds: Annotated[float, Meta(gt=0)] = 10.0  # From one packet to the next
    file: Path | None = None  # Whole packets are added to it


class HousekeepingPackets:
    """What makes them; whatever goes wrong with one costs no line."""

    def __init__(
        self, table: HousekeepingTable, status: Callable[[], dict[str, Any]], forms: list[str], fd: int | None,
        send: Callable[[list[bytes]], None],
    ) -> None:  # fmt: skip
        """forms: their names in order. fd: of the file."""
        self.table, self.status, self.forms, self.fd, self.send = table, status, forms, fd, send
        self.count = 0  # Sequence count of the next packet
        self.made_at = float("-inf")

    def make_due(self) -> None:
        """Make one where it is time; called often."""
        if time.monotonic() - self.made_at >= self.table.seconds:
            self.make()

    def make(self) -> None:
        """Make one now."""
        self.made_at = time.monotonic()
        values = values_of(self.status(), self.forms)
        with contextlib.suppress(BadArgument):  # a clock before 1958 or after 2137
            packet = pack_housekeeping(values, self.table.apid, self.count, time.time_ns() // 1_000_000)
            self.count = (self.count + 1) % COUNTS
            if self.fd is not None:
                append_whole(self.fd, packet)
            self.send([packet])


@contextlib.contextmanager
def opened_housekeeping(
    table: HousekeepingTable | None, status: Callable[[], dict[str, Any]], forms: list[str],
    send: Callable[[list[bytes]], None],
) -> Iterator[tuple[Make, Make]]:  # fmt: skip
    """What makes a packet where it is due, and what makes one now; None: nothing. Raises BadArgument: the file."""
    if table is None:
        yield lambda: None, lambda: None
        return
    with contextlib.ExitStack() as stack:
        fd = None
        if table.file is not None:
            try:
                fd = os.open(table.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                raise BadArgument(f"housekeeping {table.file}: {error.strerror}") from error
            stack.callback(os.close, fd)
        packets = HousekeepingPackets(table, status, forms, fd, send)
        yield packets.make_due, packets.make


def append_whole(fd: int, packet: bytes) -> None:
    """Add a packet to a file, or nothing where it does not fit."""
    with contextlib.suppress(OSError):
        n_bytes = os.fstat(fd).st_size
        try:
            n_written = os.write(fd, packet)
        except OSError:
            n_written = 0
        if n_written < len(packet):
            os.ftruncate(fd, n_bytes)


def values_of(status: Mapping[str, Any], forms: list[str]) -> dict[str, int]:
    """The parameters of the table from the status of a recorder; forms: their names in order."""
    asked, file, peak = status["form_asked"], status["file"], status["peak_mib"]
    flat = {**status, **status["events"]} | {
        "recording": int(status["recording"]),
        "form": forms.index(status["form"]),
        "form_asked": forms.index(asked) if asked in forms else AUTO_FORM,
        "fill": round(1000 * status["fill"]),
        "largest_fill": round(1000 * status["largest_fill"]),
        "file_number": 0 if file is None else int(Path(file).stem),
        "file_bytes": status["bytes"],
        "peak_memory": 0 if peak is None else round(peak),
    }
    return {one.name: flat[one.name] for one in TABLE}

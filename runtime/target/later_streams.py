"""One recorded stream compressed in its place: it has its name until the new one was decoded and is on the disk."""

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.opened_encoder import opened_file_encoder
from runtime.errors import BadArgument
from runtime.packets.packed_file import StreamPackets
from runtime.packets.packing import PacketOptions
from runtime.stream.records import Gap
from runtime.target.folder_lock import locked_folder
from runtime.target.stream_contents import StreamContents, check_same
from runtime.whole_output import replacing, sync

OnLine = Callable[[int], None]
"""Called with the bytes of the stream that were read so far."""


class Later(NamedTuple):
    """How streams are compressed."""

    options: CodingOptions
    packages: Sequence[FlightPackage]  # Of the options
    n_threads: int
    on_line: OnLine


class Compressed(NamedTuple):
    """What became of a stream."""

    n_lines: int  # Gaps included
    bytes_before: int
    bytes_after: int
    is_cut: bool  # Whether it had no end; its whole segments are compressed


class LeftAsItIs(Exception):
    """A sound stream that is better where it is; the text says why."""


def compress_in_place(path: Path, later: Later, room: float) -> Compressed:
    """Code a stream anew, decode it, hold it against the old one, replace that. room: bytes that the new one may have.

    Raises LeftAsItIs; LineRwkvError: it is damaged, there is no room, it has been taken away: nothing has changed then.
    """
    bytes_before = path.stat().st_size
    with contextlib.ExitStack() as held, replacing(path) as part:
        with path.open("rb") as file:
            identity = os.fstat(file.fileno())
            done = write_copy(StreamContents(file, later.packages, later.n_threads), part, later, room, bytes_before)
        check_same(path, part, later.packages, later.n_threads, later.options.max_error)
        sync(part)  # before the lock, which others wait for
        held.enter_context(locked_folder(path.parent))
        if not (path.exists() and os.path.samestat(identity, path.stat())):
            raise BadArgument("taken away meanwhile")
    return done


def write_copy(source: StreamContents, part: Path, later: Later, room: float, bytes_before: int) -> Compressed:
    """Write a stream of the same content. Raises LeftAsItIs and LineRwkvError."""
    with opened_file_encoder(later.options, source.image, later.n_threads) as encoder, part.open("wb") as out:
        put = Within(out.write, room)
        put(encoder.header)
        for one in source.content():
            if source.max_error:
                raise LeftAsItIs(f"recorded with an error of up to {source.max_error}, which a copy would not tell")
            put(encoder.skip(one.n_lines) if isinstance(one, Gap) else encoder.push(*one))
            later.on_line(source.reader.n_bytes)
        if encoder.n_lines == 0:
            raise BadArgument("no whole segment")
        put(encoder.finish())
    if put.n_bytes >= bytes_before and not source.is_cut:
        raise LeftAsItIs(f"no smaller: {put.n_bytes} bytes, now {bytes_before}")
    return Compressed(encoder.n_lines, bytes_before, put.n_bytes, source.is_cut)


def pack_stream(path: Path, options: PacketOptions, time_ms: int, count: int, room: float) -> int:
    """Write the packets of a stream beside it, of a cut one those of whole structures; the count of the next packet.

    room: bytes that they may have. Raises LineRwkvError; what was there before is there then.
    """
    with path.open("rb") as file, replacing(path.with_suffix(".packets")) as part, part.open("wb") as out:
        packets = StreamPackets(file, options, time_ms, count)
        put = Within(out.write, room, "packets of ")
        for packet in packets:
            put(packet)
    return packets.next_count


class Within:
    """Writes to a file that may have so many bytes. Raises BadArgument for more."""

    def __init__(self, write: Callable[[bytes], object], room: float, what: str = "") -> None:
        """what: is written, for the error."""
        self.write, self.room, self.what = write, room, what
        self.n_bytes = 0

    def __call__(self, data: bytes) -> None:
        """Write the next bytes."""
        self.n_bytes += len(data)
        if self.n_bytes > self.room:
            room = max(0, int(self.room))
            raise BadArgument(f"{self.what}{self.n_bytes} bytes and more, the quota has room for {room}")
        self.write(data)

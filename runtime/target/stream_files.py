"""Streams of a folder, one after another, with the packets of each beside it, within a quota."""

import contextlib
import io
import stat
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from runtime.errors import BadArgument
from runtime.packets.packing import PacketMaker, PacketOptions
from runtime.packets.stream_structures import StructureReader
from runtime.target.downlink import Send
from runtime.target.flight_tables import OutputTable
from runtime.target.folder_lock import locked_folder
from runtime.target.recording import Recording, next_free
from runtime.whole_output import writing

ENDINGS = (".lrwk", ".packets")
NOT_LOOKED = float("inf")


class Waiting(NamedTuple):
    """Bytes that are not on the disk yet."""

    file: Recording
    data: bytes
    packets: list[bytes]  # In them, to be sent once they are


class StreamFiles:
    """What `flush` returned from is on the disk. What the disk or the quota refuses waits, whole and in order."""

    def __init__(self, table: OutputTable, packets: PacketOptions | None, send: Send = lambda packets: None) -> None:
        """send: takes packets once they are on the disk."""
        self.table, self.packets, self.send = table, packets, send
        self.recording: Recording | None = None
        self.packet_file: Recording | None = None
        self.count = 0  # Sequence count of the next packet
        self.reader = StructureReader()
        self.maker: PacketMaker | None = None
        self.total: float = NOT_LOOKED  # Bytes of the folder, as counted since it was looked at
        self.waiting: deque[Waiting] = deque()
        self.is_ending = False  # Whether the stream ends with what waits
        self.ended: list[Recording] = []  # That nobody was told of yet

    def begin(self) -> Path:
        """Open the next stream; nothing waits. Raises BadArgument."""
        recording = Recording(next_free(self.table.folder))
        try:
            self.packet_file = None if self.packets is None else Recording(recording.path.with_suffix(".packets"))
        except BadArgument:
            recording.close()
            raise
        self.recording, self.reader, self.maker = recording, StructureReader(), None
        self.total = NOT_LOOKED
        return recording.path

    @property
    def n_bytes(self) -> int:
        """Of the open stream."""
        recording = self.recording  # which another thread may ask for while it ends
        return 0 if recording is None else recording.n_bytes

    def append(self, data: bytes) -> None:
        """Let whole structures, and their packets, wait for `flush`."""
        packets = self.packets_of(data)
        if self.recording is not None:
            self.waiting.append(Waiting(self.recording, data, []))
        if self.packet_file is not None:
            self.waiting.append(Waiting(self.packet_file, b"".join(packets), packets))

    def flush(self) -> None:
        """Write what waits. Raises BadArgument: the quota, the disk; what was not written waits on."""
        while self.waiting:
            one = self.waiting[0]
            self.make_room(len(one.data))
            one.file.append(one.data)
            self.total += len(one.data)
            self.send(one.packets)
            self.waiting.popleft()
        if self.is_ending:
            self.close()

    def packets_of(self, data: bytes) -> list[bytes]:
        """The packets of whole structures."""
        if self.packets is None or self.recording is None:
            return []
        made: list[bytes] = []
        for structure in self.reader.read(io.BytesIO(data)):
            if self.maker is None:
                options = replace(self.packets, recording=int(self.recording.path.stem))
                self.maker = PacketMaker(options, self.reader.stream_crc, self.count)
            made += self.maker.packets(structure, time.time_ns() // 1_000_000)
            self.count = self.maker.count
        return made

    def close(self, *, is_kept: bool = True) -> None:
        """End the stream, once nothing waits; one without content, or that is not kept, is removed."""
        self.is_ending = is_kept and bool(self.waiting)
        if self.is_ending:
            return
        self.waiting.clear()
        for one in (self.recording, self.packet_file):
            if one is not None:
                one.close()
                if not is_kept:
                    with contextlib.suppress(OSError):
                        one.path.unlink(missing_ok=True)
        if self.recording is not None and self.recording.n_bytes and is_kept:
            self.ended.append(self.recording)
        self.recording = self.packet_file = None

    def make_room(self, n_bytes: int) -> None:
        """Keep the quota: remove the oldest streams. Raises BadArgument where that is not allowed, or not enough.

        The folder is looked at when a stream begins, and where what was counted since would not fit.
        """
        quota = self.table.quota_bytes
        if quota is not None and self.total + n_bytes > quota:
            with locked_folder(self.table.folder), writing(self.table.folder):
                self.total = self.after_removal(n_bytes, quota)

    def after_removal(self, n_bytes: int, quota: int) -> int:
        """Look at the folder, and remove what is too much with so many new bytes; what is there then.

        Raises BadArgument.
        """
        sizes = self.sizes()
        total = sum(sizes.values())
        open_name = None if self.recording is None else self.recording.path.stem
        old = sorted((path for path in sizes if path.stem != open_name), key=lambda path: (int(path.stem), path.suffix))
        while total + n_bytes > quota:
            if self.table.when_full == "stop" or not old:
                raise BadArgument(f"recordings would have {total + n_bytes} bytes, the quota allows {quota}")
            total -= sizes[old[0]]
            old.pop(0).unlink(missing_ok=True)
        return total

    def sizes(self) -> dict[Path, int]:
        """Bytes of the streams and packets of the folder; whoever takes one away meanwhile is no error."""
        found = {}
        for path in self.table.folder.iterdir():
            if path.suffix in ENDINGS and path.stem.isdecimal():
                with contextlib.suppress(FileNotFoundError):
                    status = path.stat()
                    if stat.S_ISREG(status.st_mode):
                        found[path] = status.st_size
        return found

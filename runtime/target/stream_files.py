"""Streams of a folder, one after another, with the packets of each beside it, within a quota."""

import io
import time
from pathlib import Path

from runtime.errors import BadArgument
from runtime.packets.packing import PacketMaker, PacketOptions
from runtime.packets.stream_structures import StructureReader
from runtime.target.flight_config import OutputTable
from runtime.target.recording import Recording, next_free

ENDINGS = (".lrwk", ".packets")


class StreamFiles:
    """What `append` returned from is on the disk."""

    def __init__(self, table: OutputTable, packets: PacketOptions | None) -> None:
        self.table, self.packets = table, packets
        self.recording: Recording | None = None
        self.packet_file: Recording | None = None
        self.count = 0  # Sequence count of the next packet
        self.reader = StructureReader()
        self.maker: PacketMaker | None = None

    def begin(self) -> Path:
        """Open the next stream. Raises BadArgument."""
        self.recording = Recording(next_free(self.table.folder))
        self.reader, self.maker = StructureReader(), None
        if self.packets is not None:
            self.packet_file = Recording(self.recording.path.with_suffix(".packets"))
        return self.recording.path

    @property
    def n_bytes(self) -> int:
        """Of the open stream."""
        return 0 if self.recording is None else self.recording.n_bytes

    def append(self, data: bytes) -> None:
        """Add whole structures to the stream, and their packets. Raises BadArgument: the quota, the disk."""
        packets = self.packets_of(data)
        self.make_room(len(data) + len(packets))
        if self.recording is not None:
            self.recording.append(data)
        if self.packet_file is not None:
            self.packet_file.append(packets)

    def packets_of(self, data: bytes) -> bytes:
        """The packets of whole structures."""
        if self.packets is None or self.recording is None:
            return b""
        made: list[bytes] = []
        for structure in self.reader.read(io.BytesIO(data)):
            if self.maker is None:
                options = PacketOptions(
                    self.packets.apid, self.packets.packet_bytes, self.packets.header_every,
                    int(self.recording.path.stem),
                )  # fmt: skip
                self.maker = PacketMaker(options, self.reader.stream_crc, self.count)
            made += self.maker.packets(structure, time.time_ns() // 1_000_000)
            self.count = self.maker.count
        return b"".join(made)

    def close(self, *, is_kept: bool = True) -> None:
        """End the stream; one without content, or that is not kept, is removed."""
        for one in (self.recording, self.packet_file):
            if one is not None:
                one.close()
                if not is_kept:
                    one.path.unlink(missing_ok=True)
        self.recording = self.packet_file = None

    def make_room(self, n_bytes: int) -> None:
        """Keep the quota: remove the oldest streams. Raises BadArgument where that is not allowed, or not enough."""
        if self.table.quota_bytes is None:
            return
        files = [path for path in self.table.folder.iterdir() if path.suffix in ENDINGS and path.stem.isdecimal()]
        total = n_bytes + sum(path.stat().st_size for path in files)
        open_name = None if self.recording is None else self.recording.path.stem
        old = sorted((path for path in files if path.stem != open_name), key=lambda path: (int(path.stem), path.suffix))
        while total > self.table.quota_bytes:
            if self.table.when_full == "stop" or not old:
                raise BadArgument(f"recordings would have {total} bytes, the quota allows {self.table.quota_bytes}")
            total -= old[0].stat().st_size
            old.pop(0).unlink()

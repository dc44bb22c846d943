"""A file of packets of a stream, or of what is missing of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from runtime.errors import BadArgument, Corrupt, TooNew, Truncated
from runtime.packets.missing import Missing
from runtime.packets.packing import PacketMaker, PacketOptions
from runtime.packets.stream_structures import StructureReader
from runtime.whole_output import replacing


class Packed(NamedTuple):
    """What was written."""

    n_structures: int
    n_packets: int
    n_bytes: int
    next_count: int  # Sequence count of the packet that would follow
    error: str | None
    """What is wrong with the stream after the structures that are packed."""


class StreamPackets:
    """The packets of a stream, in its order."""

    def __init__(
        self, file: BinaryIO, options: PacketOptions, time_ms: int, count: int = 0, missing: Missing | None = None
    ) -> None:
        """missing: only that is sent, again."""
        self.file, self.options, self.time_ms, self.missing = file, options, time_ms, missing
        self.next_count = count
        self.reader = StructureReader()
        self.error: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Raises BadArgument: `missing` is of another stream; Corrupt, Truncated or TooNew: there is no header."""
        maker: PacketMaker | None = None
        try:
            for structure in self.reader.read(self.file):
                if maker is None:
                    maker = PacketMaker(self.options, self.reader.stream_crc, self.next_count)
                    self.check_same(str(maker.stream))
                wanted = None if self.missing is None else self.missing.has
                for packet in maker.packets(structure, self.time_ms, wanted):
                    self.next_count = maker.count
                    yield packet
        except (Corrupt, Truncated, TooNew) as error:
            if maker is None:
                raise
            self.error = f"{error}; the {self.reader.n_structures} structures before it are packed"
        if maker is None:
            raise Truncated("stream: it is empty")

    def check_same(self, stream: str) -> None:
        """Raise BadArgument where what is missing is of another stream."""
        if self.missing is not None and self.missing.stream != stream:
            raise BadArgument(f"missing is a part of stream {self.missing.stream}, found {stream}, allowed the same")


def pack(
    file: BinaryIO, output: Path, options: PacketOptions, time_ms: int, *, count: int = 0,
    missing: Missing | None = None,
) -> Packed:  # fmt: skip
    """Write the packets of a stream; of a cut or damaged one those of what comes before. Raises as `StreamPackets`.

    time_ms: of every packet (`PacketHead`). count: sequence count of the first.
    """
    packets = StreamPackets(file, options, time_ms, count, missing)
    n_packets = n_bytes = 0
    with replacing(output) as part, part.open("wb") as out:
        for packet in packets:
            out.write(packet)
            n_packets, n_bytes = n_packets + 1, n_bytes + len(packet)
    return Packed(packets.reader.n_structures, n_packets, n_bytes, packets.next_count, packets.error)

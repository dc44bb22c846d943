"""Structures of a stream to packets, the header again and again so that the ground can begin anywhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from runtime.errors import BadArgument
from runtime.packets.fragment import AROUND_BYTES, LARGEST_RECORDING, SMALLEST_PACKET, Fragment, StreamName
from runtime.packets.space_packet import COUNTS, LARGEST_APID, LARGEST_PACKET
from runtime.packets.stream_structures import Structure

LARGEST_HEADER_SHARE = 16
"""One packet in so many may be of a repeated header."""
Wanted = Callable[[Structure, int, int], bool]
"""Whether bytes from..to (the last not included) of a structure are to be sent."""


@dataclass(frozen=True)
class PacketOptions:
    """How packets are made. Raises BadArgument for what lies outside the ranges."""

    apid: int = 1  # 0..2046
    packet_bytes: int = 4096  # Of a whole packet, at most; 64..65542 (benchmarks/results/packet_loss.md)
    header_every: int = 256  # Packets from one header to the next; 0: it is sent once
    recording: int = 0  # Of the stream, 0..65535: tells it from others with an equal header

    def __post_init__(self) -> None:
        """Hold the numbers against their ranges."""
        ranges = {
            "apid": (0, LARGEST_APID), "packet_bytes": (SMALLEST_PACKET, LARGEST_PACKET),
            "header_every": (0, 1 << 31), "recording": (0, LARGEST_RECORDING),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            if not low <= (found := getattr(self, name)) <= high:
                raise BadArgument(f"{name}: found {found}, allowed {low}..{high}")


class PacketMaker:
    """Of one stream; the sequence count goes on from `count`, which the packets of an APID share."""

    def __init__(self, options: PacketOptions, stream_crc: int, count: int = 0) -> None:
        self.options = options
        self.stream = StreamName(options.recording, stream_crc)
        self.count = count
        self.header: Structure | None = None
        self.n_since_header = 0

    def packets(self, structure: Structure, time_ms: int, wanted: Wanted | None = None) -> Iterator[bytes]:
        """Those of the next structure, the header's between them where it is time; the stream begins with its header.

        wanted: which bytes are sent again; then the header is not repeated.
        """
        if structure.place.number == 0:
            self.header = structure
        for packet in self.fragments(structure, time_ms, wanted):
            yield packet
            if wanted is None and self.header is not None and self.is_due(self.header):
                self.n_since_header = 0
                yield from self.fragments(self.header, time_ms, None)

    def is_due(self, header: Structure) -> bool:
        """Whether enough packets have gone since the last header."""
        interval = max(self.options.header_every, LARGEST_HEADER_SHARE * -(-len(header.data) // self.room))
        return self.options.header_every > 0 and interval <= self.n_since_header

    @property
    def room(self) -> int:
        """Bytes of a structure in a packet, at most."""
        return self.options.packet_bytes - AROUND_BYTES

    def fragments(self, structure: Structure, time_ms: int, wanted: Wanted | None) -> Iterator[bytes]:
        """The packets of one structure."""
        data = memoryview(structure.data)
        for offset in range(0, len(data), self.room):
            part = data[offset : offset + self.room]
            if wanted is None or wanted(structure, offset, offset + len(part)):
                packet = Fragment(self.stream, structure.place, offset, part).to_packet(
                    self.options.apid, self.count, time_ms
                )
                self.count = (self.count + 1) % COUNTS
                self.n_since_header += structure.place.number != 0
                yield packet

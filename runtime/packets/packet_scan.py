"""The fragments in bytes that were received: packets in any order, with losses, damage and others between them."""

import contextlib
from collections.abc import Iterator

from runtime.errors import LineRwkvError
from runtime.packets.fragment import AROUND_BYTES, Fragment
from runtime.packets.space_packet import PacketHead, identification
from runtime.stream.range_checksums import RangeChecksums
from runtime.stream.stream_header import CRC


def fragments(data: bytes, apid: int) -> Iterator[Fragment]:
    """Those whose CRC is right, in the order of their bytes; in time linear in these, whatever they announce."""
    checksums = RangeChecksums(data)
    marker = identification(apid).to_bytes(2, "big")
    position = data.find(marker)
    while position >= 0:
        following = position + 1
        head = PacketHead.from_bytes(data, position)
        if head is not None and position + AROUND_BYTES < (end := head[1]) <= len(data):
            body_end = end - CRC.size
            if CRC.unpack_from(data, body_end)[0] == checksums.crc(position, body_end):
                following = end
                with contextlib.suppress(LineRwkvError):  # of a later version, or of a hostile writer
                    yield Fragment.from_packet(data[position:end])
        position = data.find(marker, following)

"""A stream with every kind of structure, and its packets."""

import io

import numpy as np

from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.packets.packed_file import StreamPackets
from runtime.packets.packing import PacketOptions
from runtime.packets.stream_structures import Structure, StructureReader
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind

LINES = np.random.default_rng(3).integers(0, 1000, (14, 3, 8)).astype(np.int32)
TIME_MS = 1_800_000_000_123
OPTIONS = PacketOptions(apid=5, packet_bytes=100, header_every=4, recording=7)


def stream_bytes() -> bytes:
    """Segments of 4 lines with records in the first of them, a gap of 3 lines after line 10, an index, an end."""
    image = ImageDescription(LINES.shape[1], LINES.shape[2], 10, is_signed=False)
    encoder = Encoder(image, CodingOptions(PredictorKind.DPCM, segment_lines=4))
    pieces = [encoder.header]
    for y, line in enumerate(LINES):
        if y == 10:
            pieces.append(encoder.skip(3))
        pieces.append(encoder.push(line, b"time" if y < 4 else b""))
    return b"".join([*pieces, encoder.finish()])


STREAM = stream_bytes()


def packets(data: bytes = STREAM, options: PacketOptions = OPTIONS) -> list[bytes]:
    """Those of a stream."""
    return list(StreamPackets(io.BytesIO(data), options, TIME_MS))


def structures(data: bytes = STREAM) -> list[Structure]:
    """Those of a stream."""
    return list(StructureReader().read(io.BytesIO(data)))

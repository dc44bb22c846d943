"""Share of lines lost against share of packets, or of the link's frames, lost; for packet sizes and segment lengths.

A synthetic scene of an imager's width is coded by CCSDS 123 and packed. Losses are independent of each other: of n
packets all come with probability (1 - p)^n, and a segment is lost with any of them, so that the shares are exact and
not drawn. Frames have a fixed size and packets follow each other across their borders; one that is lost takes every
packet with it of which it has a part.

    python -m benchmarks.bench_packet_loss
"""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from benchmarks.harness.record import save
from runtime.codec.coding_options import CodingOptions
from runtime.codec.opened_encoder import opened_encoder
from runtime.images.synthetic import BIT_DEPTH, synthetic_lines
from runtime.packets.fragment import StructureKind
from runtime.packets.packed_file import StreamPackets
from runtime.packets.packet_scan import fragments
from runtime.packets.packing import PacketOptions
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind

N_LINES, N_BANDS, N_COLUMNS = 128, 224, 1000
SEGMENT_LINES = (4, 16, 64)
PACKET_BYTES = (256, 1024, 4096, 16384, 65542)
OPTIONS = PacketOptions()
SHARES = (1e-5, 1e-4, 1e-3)
FRAME_BYTES = 1115
"""Data field of a frame with five interleaved Reed-Solomon words, 5 x 223."""


class Span(NamedTuple):
    """The packets of a segment: how many, and where they lie in the bytes of the link."""

    n_packets: int
    first_byte: int
    end_byte: int


def streams() -> Iterator[tuple[int, bytes]]:
    """Segment lengths and the stream of each."""
    lines = list(synthetic_lines(N_LINES, N_BANDS, N_COLUMNS, np.random.default_rng(0)))
    image = ImageDescription(N_BANDS, N_COLUMNS, BIT_DEPTH, is_signed=False)
    for length in SEGMENT_LINES:
        options = CodingOptions(predictor=PredictorKind.CCSDS123, segment_lines=length)
        with opened_encoder(options, image) as encoder:
            yield length, b"".join([encoder.header, *map(encoder.push, lines), encoder.finish()])


def spans(packets: list[bytes]) -> list[Span]:
    """Of the segments; the header comes between the packets of any of them."""
    found: dict[int, Span] = {}
    position = 0
    for packet in packets:
        fragment = next(fragments(packet, OPTIONS.apid))
        end = position + len(packet)
        if fragment.place.kind is StructureKind.SEGMENT:
            before = found.get(fragment.place.number, Span(0, position, end))
            found[fragment.place.number] = before._replace(n_packets=before.n_packets + 1, end_byte=end)
        position = end
    return list(found.values())


def lost(n_units: list[int], share: float) -> float:
    """Share of segments, all of one length, that lose one of their units or more."""
    return float(np.mean(1 - (1 - share) ** np.array(n_units, float)))


def row(length: int, stream: bytes, packet_bytes: int) -> dict[str, Any]:
    """Of one segment length and packet size."""
    packets = list(StreamPackets(io.BytesIO(stream), replace(OPTIONS, packet_bytes=packet_bytes), 0))
    n_bytes, found = sum(map(len, packets)), spans(packets)
    frames = [one.end_byte // FRAME_BYTES - one.first_byte // FRAME_BYTES + 1 for one in found]
    n_samples = N_LINES * N_BANDS * N_COLUMNS
    values: dict[str, Any] = {
        "segment lines": length,
        "packet bytes": packet_bytes,
        "packets a segment": round(float(np.mean([one.n_packets for one in found])), 1),
        "bits a sample": round(8 * n_bytes / n_samples, 4),
    }
    for share in SHARES:
        name = f"{100 * share:g} % lost"
        values[f"lines, packets {name}"] = percent(lost([one.n_packets for one in found], share))
        values[f"lines, frames {name}"] = percent(lost(frames, share))
        again = 1 - (1 - share) ** (packet_bytes / FRAME_BYTES + 1)
        values[f"sent in all, frames {name}"] = percent(n_bytes / len(stream) * (1 + again) - 1)
    return values


def percent(share: float) -> float:
    """With three digits."""
    return float(f"{100 * share:.3g}")


def main() -> None:
    """Rows by segment length and packet size."""
    rows = [row(length, stream, size) for length, stream in streams() for size in PACKET_BYTES]
    facts = {
        "scene": f"synthetic, {N_LINES} lines x {N_BANDS} bands x {N_COLUMNS} columns, {BIT_DEPTH} bits, by ccsds123",
        "frame bytes": FRAME_BYTES,
        "lines": "share that is lost, %, where that share of packets or of frames is lost and nothing is sent again",
        "sent in all": "bytes beyond those of the stream, %: headers of packets, and what frames took, sent once more",
    }
    save("packet_loss", "python -m benchmarks.bench_packet_loss", rows, **facts)


if __name__ == "__main__":
    main()

"""Packets on the ground: any loss, order and damage, and fragments with right checksums that say what is not so."""

import io
import random as plain_random
from collections import Counter
from pathlib import Path

import numpy as np

from runtime.codec.decoder import Decoder
from runtime.codec.salvage import salvage
from runtime.errors import LineRwkvError
from runtime.packets.assembled_file import MISSING_ENDING, assemble
from runtime.packets.fragment import Fragment, Place, StreamName, StructureKind
from runtime.packets.missing import Missing
from runtime.packets.packed_file import StreamPackets
from tests.fuzz.stream_mutations import EXTREMES, Random
from tests.runtime.packets.packed_streams import LINES, OPTIONS, STREAM, TIME_MS, packets, structures

WHOLE = structures()
PACKETS = packets()
NAME = Fragment.from_packet(PACKETS[0]).stream
LINE_OF = {y if y < 10 else y + 3: line for y, line in enumerate(LINES)}
"""Of the stream, which has a gap of three lines."""
LARGEST_PART = 2000


def extreme(random: Random, before: int, n_bits: int) -> int:
    """A number, a neighbour of it or an extreme."""
    value = [before, before + int(random.integers(-2, 3)), int(EXTREMES[random.integers(len(EXTREMES))])]
    return value[random.integers(3)] & ((1 << n_bits) - 1)


def hostile_packet(random: Random) -> bytes:
    """A packet with a right checksum and anything in it, mostly of the stream."""
    structure = WHOLE[random.integers(len(WHOLE))]
    name = NAME
    if random.integers(8) == 0:
        name = StreamName(extreme(random, name.recording, 16), extreme(random, name.stream_crc, 32))
    data = structure.data if random.integers(3) else random.bytes(int(random.integers(1, 200)))
    begin = int(random.integers(len(data))) if random.integers(2) else 0
    part = data[begin : begin + int(random.integers(1, LARGEST_PART))]
    if random.integers(4) == 0:
        part = bytes(part[:-1]) + random.bytes(1)
    number, kind, first_line, n_bytes = structure.place
    changed = random.integers(5)
    place = Place(
        extreme(random, number, 32) if changed == 0 else number,
        StructureKind(int(random.integers(len(StructureKind)))) if changed == 1 else kind,
        extreme(random, first_line, 32) if changed == 2 else first_line,
        max(1, extreme(random, n_bytes, 32)) if changed == 3 else n_bytes,
    )
    offset = extreme(random, begin, 32) if changed == 4 else begin
    return Fragment(name, place, offset, part).to_packet(OPTIONS.apid, int(random.integers(1 << 14)), TIME_MS)


def received(random: Random) -> tuple[bytes, bool]:
    """What came, and whether all of the stream is in it and nothing that contradicts it."""
    came, is_sound = list(PACKETS), True
    for _ in range(random.integers(4)):
        at, kind = int(random.integers(len(came))), random.integers(6)
        if kind == 0 and len(came) > 3:
            del came[at : at + int(random.integers(1, 4))]
            is_sound = False
        elif kind == 1:
            came.insert(int(random.integers(len(came) + 1)), came[at])
        elif kind == 2:
            came.insert(at, random.bytes(int(random.integers(1, 60))))
        elif kind == 3:
            came[at:at] = [hostile_packet(random) for _ in range(random.integers(1, 6))]
            is_sound = False
        elif kind == 4:
            changed = bytearray(came[at])
            changed[random.integers(len(changed))] ^= 1 << int(random.integers(8))
            came[at], is_sound = bytes(changed), False
        else:
            plain_random.Random(int(random.integers(1 << 30))).shuffle(came)
    return b"".join(came), is_sound


def check_samples(data: bytes) -> None:
    """Every segment that can be decoded has the lines that were sent."""
    try:
        found = salvage(data)
        decoder = Decoder(found.header)
        for header, payload in found.segments:
            for y, line in zip(range(header.first_line, header.next_line), decoder.lines(header, payload), strict=True):
                assert np.array_equal(line, LINE_OF[y])
    except LineRwkvError as error:
        assert len(str(error).splitlines()) == 1


def check_packets(random: Random, folder: Path) -> Counter[str]:
    """Hold what came against the law; how its assembly ended. folder: empty, and empty again afterwards."""
    data, is_sound = received(random)
    source, output = folder / "came", folder / "stream"
    listed = output.with_name(output.name + MISSING_ENDING)
    source.write_bytes(data)
    name = str(NAME)
    try:
        done = assemble([source], output, OPTIONS.apid, None if random.integers(4) == 0 else name)
        assert listed.exists() == bool(done.missing) and output.stat().st_size == done.n_bytes
        restored = output.read_bytes()
        assert restored == STREAM or not is_sound
        check_samples(restored)
        ends = Counter({"packets: done" if restored == STREAM else "packets: in part": 1})
    except LineRwkvError as error:
        assert len(str(error).splitlines()) == 1 and not output.exists() and not is_sound
        ends = Counter({"packets: refused": 1})
    if listed.exists():
        missing = Missing.from_json(listed.read_bytes(), "list")
        if missing.stream == name:
            list(StreamPackets(io.BytesIO(STREAM), OPTIONS, TIME_MS, missing=missing))
    for path in folder.iterdir():
        path.unlink()
    return ends

"""What is whole comes back whatever the order, losses, repeats and damage; what is not is listed and sent again."""

import io
import json
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.codec.salvage import salvage
from runtime.codec.stream_reader import StreamReader
from runtime.errors import Corrupt
from runtime.packets.assembled_file import stream_pieces
from runtime.packets.assembly import Assembled, Assembly, assemblies
from runtime.packets.fragment import Fragment, Place, StreamName, StructureKind
from runtime.packets.missing import Missing, missing_of
from runtime.packets.packed_file import StreamPackets
from runtime.packets.packet_scan import fragments
from runtime.packets.packing import PacketOptions
from tests.runtime.packets.packed_streams import OPTIONS, STREAM, TIME_MS, packets, structures

WHOLE = structures()
PACKETS = packets()
PLACES = [(one.place.number, one.offset) for one in fragments(b"".join(PACKETS), OPTIONS.apid)]
SPANS = {
    segment.header.first_line: (segment.header.first_line, segment.header.next_line - 1)
    for segment in StreamReader(io.BytesIO(STREAM)).segments()
}


def assembled(data: bytes) -> Assembled:
    found = assemblies(fragments(data, OPTIONS.apid))
    assert len(found) == 1
    return next(iter(found.values())).assembled()


def written(found: Assembled) -> bytes:
    return b"".join(data for _, data in stream_pieces(found, has_holes=bool(missing_of(found))))


def is_segment(number: int) -> bool:
    return WHOLE[number].place.kind is StructureKind.SEGMENT


def test_a_stream_has_every_kind_of_structure() -> None:
    assert {one.place.kind for one in WHOLE} == set(StructureKind)
    assert b"".join(one.data for one in WHOLE) == STREAM


@settings(max_examples=50)
@given(
    st.integers(64, 400), st.integers(0, 5), st.integers(0, 2**32), st.lists(st.binary(max_size=90), max_size=4),
    st.lists(st.integers(0, 30), max_size=8),
)  # fmt: skip
def test_any_order_with_repeats_and_other_bytes_gives_the_stream(
    packet_bytes: int, header_every: int, seed: int, noise: list[bytes], repeated: list[int]
) -> None:
    made = packets(options=PacketOptions(5, packet_bytes, header_every, 7))
    made += [made[i % len(made)] for i in repeated] + noise
    random.Random(seed).shuffle(made)
    found = assembled(b"".join(made))
    assert not missing_of(found) and written(found) == STREAM


@settings(max_examples=60)
@given(
    st.sets(st.integers(0, len(PACKETS) - 1), max_size=len(PACKETS) // 2),
    st.sets(st.integers(0, len(PACKETS) - 1), max_size=len(PACKETS) // 3), st.integers(0, 2**32),
)  # fmt: skip
def test_losses_cost_their_structures_alone_and_are_listed(lost: set[int], damaged: set[int], seed: int) -> None:
    generator = random.Random(seed)
    kept = [flipped(packet, generator) if i in damaged else packet for i, packet in enumerate(PACKETS) if i not in lost]
    came = [PLACES[i] for i in range(len(PACKETS)) if i not in lost | damaged]
    found, end = assembled(b"".join(kept)), WHOLE[-1].place.number
    whole = {number for number in range(end + 1) if {place for place in PLACES if place[0] == number} <= set(came)}
    assert set(found.structures) == whole | ({0} if end in whole else set())
    assert all(one.data == WHOLE[number].data for number, one in found.structures.items())

    missing = missing_of(found)
    listed = {number for run in missing.missing for number in range(run.first, run.last + 1)}
    if missing.missing_from is not None:
        listed |= set(range(missing.missing_from, end + 1))
    assert listed == set(range(end + 1)) - set(found.structures)
    lines = {y for first, last in missing.lines for y in range(first, last + 1)}
    for first, last in (SPANS[WHOLE[number].place.first_line] for number in found.structures if is_segment(number)):
        assert not lines & set(range(first, last + 1))
    for number in filter(is_segment, listed):
        if any(place[0] > number for place in came):
            assert set(SPANS[WHOLE[number].place.first_line]) <= lines
    if 0 in found.structures:
        assert len(salvage(written(found)).segments) == sum(map(is_segment, found.structures))

    again = Missing.from_json(json.dumps(missing.to_dict()).encode(), "list")
    more = list(StreamPackets(io.BytesIO(STREAM), OPTIONS, TIME_MS, missing=again))
    assert len(more) <= len(lost | damaged)
    assert written(assembled(b"".join([*kept, *more]))) == STREAM


def flipped(packet: bytes, generator: random.Random) -> bytes:
    """One bit of it."""
    changed = bytearray(packet)
    changed[generator.randrange(len(packet))] ^= 1 << generator.randrange(8)
    return bytes(changed)


def test_other_packet_sizes_fill_the_holes() -> None:
    small, large = packets(options=PacketOptions(5, 70, 0, 7)), packets(options=PacketOptions(5, 300, 0, 7))
    data = b"".join(small[::2] + large[::2] + small[1::2])
    assert written(assembled(data)) == STREAM


def test_the_end_brings_the_header_when_every_header_is_lost() -> None:
    others = [packet for packet, place in zip(PACKETS, PLACES, strict=True) if place[0] != 0]
    assert len(others) < len(PACKETS) - 1
    assert written(assembled(b"".join(others))) == STREAM


def test_recordings_of_one_header_stay_apart() -> None:
    other = packets(options=PacketOptions(5, 100, 4, 8))
    found = assemblies(fragments(b"".join(PACKETS[::2] + other + PACKETS[1::2]), OPTIONS.apid))
    assert [written(one.assembled()) for one in found.values()] == [STREAM, STREAM]
    assert not list(fragments(b"".join(PACKETS), 6))


@settings(max_examples=100)
@given(st.binary(max_size=300), st.integers(0, len(PACKETS) - 1), st.integers(0, 120))
def test_hostile_bytes_never_raise(data: bytes, number: int, cut: int) -> None:
    packet = PACKETS[number]
    list(fragments(packet[:cut] + data + packet[cut:], OPTIONS.apid))


def test_what_packets_announce_costs_nothing() -> None:
    stream = StreamName(7, 1)
    assembly = Assembly(stream)
    for number in (1, 1 << 20, (1 << 32) - 1):
        place = Place(number, StructureKind.SEGMENT, number, (1 << 32) - 1)
        assembly.add(Fragment.from_packet(Fragment(stream, place, 5, b"x").to_packet(1, 0, 0)))
    missing = missing_of(assembly.assembled())
    assert missing.missing_from == 1 << 32 and len(missing.missing) == 6
    assert missing.missing[1].bytes == [(0, 4), (6, (1 << 32) - 2)]


def test_a_structure_that_is_not_sound_is_missing() -> None:
    one = WHOLE[1]
    assembly = Assembly(StreamName(0, WHOLE[1].place.n_bytes))
    assembly.add(Fragment(assembly.stream, one.place, 0, one.data))
    found = assembly.assembled()
    assert not found.structures and found.parts[1][1] == [(0, len(one.data) - 1)]


def test_time_is_linear_in_hostile_bytes() -> None:
    head = PACKETS[0][:4] + b"\xff\xff" + PACKETS[0][6:13]
    start = time.perf_counter()
    assert not list(fragments(head * (1 << 14), OPTIONS.apid))
    assert time.perf_counter() - start < 5  # 200 KiB; with a CRC of each packet's bytes it takes a minute


@pytest.mark.parametrize(
    ("place", "offset", "found"),
    [
        (Place(3, StructureKind.HEADER, 0, 10), 0, "structure 3 is header"),
        (Place(0, StructureKind.SEGMENT, 0, 10), 0, "structure 0 is segment"),
        (Place(1, StructureKind.SEGMENT, 0, 10), 1, "bytes 1..10 of a structure of 10"),
    ],
)
def test_a_fragment_that_contradicts_itself_is_refused(place: Place, offset: int, found: str) -> None:
    packet = Fragment(StreamName(0, 0), place, offset, b"x" * 10).to_packet(1, 0, 0)
    with pytest.raises(Corrupt, match=found):
        Fragment.from_packet(packet)

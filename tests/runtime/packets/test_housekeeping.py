"""Housekeeping: the packet, the document and XTCE are of one table; counters saturate, hostile bytes are one line."""

import re
from pathlib import Path

import pytest
import space_packet_parser
from hypothesis import given, settings
from hypothesis import strategies as st
from spacepackets.ccsds.spacepacket import PacketType, SequenceFlags, SpacePacketHeader

from hil_tests.places.place import REPOSITORY
from runtime.errors import BadArgument, Corrupt, TooNew
from runtime.packets.housekeeping import (
    NUMBERS,
    PACKET_BYTES,
    Housekeeping,
    housekeeping_packets,
    pack_housekeeping,
    unpack_housekeeping,
)
from runtime.packets.housekeeping_table import TABLE, VERSION
from runtime.packets.housekeeping_xtce import CHECKSUM, HEADER, TIME, write_xtce
from runtime.packets.space_packet import ALONE, COUNTS, HEAD_BYTES, LARGEST_APID, PacketHead
from runtime.stream.crc32c import crc32c
from runtime.stream.stream_header import CRC

TIME_MS = 1_700_000_000_123
ONES = {one.name: 1 for one in TABLE}
heads = st.tuples(st.integers(0, LARGEST_APID), st.integers(0, COUNTS - 1), st.integers(0, 4_000_000_000_000))
tables = st.fixed_dictionaries({one.name: st.integers(0, one.largest) for one in TABLE})


@given(tables, heads)
def test_what_is_packed_is_unpacked(values: dict[str, int], head: tuple[int, int, int]) -> None:
    packet = pack_housekeeping(values, *head)
    apid, count, time_ms = head
    assert len(packet) == PACKET_BYTES
    assert unpack_housekeeping(packet) == Housekeeping(PacketHead(apid, ALONE, count, time_ms), values)


@given(st.fixed_dictionaries({one.name: st.integers(0, 1 << 80) for one in TABLE}))
def test_what_is_too_large_is_the_largest_and_never_wraps(values: dict[str, int]) -> None:
    found = unpack_housekeeping(pack_housekeeping(values, 2, 0, TIME_MS)).values
    assert found == {one.name: min(values[one.name], one.largest) for one in TABLE}


@given(st.binary(max_size=2 * PACKET_BYTES))
def test_any_bytes_are_one_line(data: bytes) -> None:
    with pytest.raises(Corrupt) as found:
        unpack_housekeeping(data)
    assert "\n" not in str(found.value)
    assert list(housekeeping_packets(data, 2)) == []


@given(st.integers(0, 8 * PACKET_BYTES - 1))
def test_no_flipped_bit_is_taken(place: int) -> None:
    packet = bytearray(pack_housekeeping(ONES, 2, 0, TIME_MS))
    packet[place // 8] ^= 1 << place % 8
    with pytest.raises((Corrupt, TooNew)):
        unpack_housekeeping(bytes(packet))


@given(st.integers(0, 40), st.integers(0, 1 << 32))
def test_a_right_checksum_makes_no_packet_of_another_size(n_bytes: int, seed: int) -> None:
    body = PacketHead(2, ALONE, 0, TIME_MS).to_bytes(1 + n_bytes + CRC.size) + bytes([VERSION]) + bytes(n_bytes)
    with pytest.raises(Corrupt, match="allowed"):
        unpack_housekeeping(body + CRC.pack(crc32c(body)))


def test_another_table_is_told() -> None:
    body = bytearray(pack_housekeeping(ONES, 2, 0, TIME_MS)[: -CRC.size])
    body[HEAD_BYTES] = VERSION + 1
    with pytest.raises(TooNew, match=f"version {VERSION + 1}, this release reads {VERSION}"):
        unpack_housekeeping(bytes(body) + CRC.pack(crc32c(bytes(body))))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({**ONES, "lines": -1}, "lines: found -1, allowed 0 or more"),
        ({**ONES, "colour": 1}, "colour not given or not known"),
        ({name: 1 for name in ONES if name != "lost"}, "lost not given or not known"),
    ],
)
def test_only_the_numbers_of_the_table_are_packed(values: dict[str, int], said: str) -> None:
    with pytest.raises(BadArgument, match=said):
        pack_housekeeping(values, 2, 0, TIME_MS)


@given(st.lists(st.binary(max_size=30), min_size=2, max_size=4))
def test_packets_are_found_among_other_bytes(between: list[bytes]) -> None:
    made = [pack_housekeeping({**ONES, "lines": i}, 2, i, TIME_MS) for i in range(len(between))]
    cut = made[0][: PACKET_BYTES // 2]
    data = cut + b"".join(noise + packet for noise, packet in zip(between, made, strict=True))
    assert [one.values["lines"] for one in housekeeping_packets(data, 2)] == list(range(len(made)))
    assert list(housekeeping_packets(data, 3)) == []


def test_whoever_changes_the_table_raises_its_version() -> None:
    layout = ";".join(f"{one.name},{one.bits},{one.unit},{','.join(one.labels)}" for one in TABLE)
    assert (VERSION, crc32c(layout.encode())) == (1, 0xE0E2A01F)


def test_the_header_is_that_of_the_library() -> None:
    header = SpacePacketHeader.unpack(pack_housekeeping(ONES, 77, 5, TIME_MS))
    assert (header.apid, header.seq_count, header.packet_len) == (77, 5, PACKET_BYTES)
    assert header.packet_type is PacketType.TM and header.sec_header_flag
    assert header.seq_flags is SequenceFlags.UNSEGMENTED


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> space_packet_parser.XtcePacketDefinition:
    path = tmp_path_factory.mktemp("xtce") / "housekeeping.xml"
    write_xtce(path, 77)
    assert space_packet_parser.validate_xtce(path, print_results=False, allow_schema_download=False)
    return space_packet_parser.load_xtce(path)


@settings(max_examples=30)
@given(tables, heads)
def test_xtce_says_what_unpacking_says(
    definition: space_packet_parser.XtcePacketDefinition, values: dict[str, int], head: tuple[int, int, int]
) -> None:
    values = {one.name: values[one.name] % len(one.labels) if one.labels else values[one.name] for one in TABLE}
    _, count, time_ms = head
    packet = pack_housekeeping(values, 77, count, time_ms)
    found = definition.parse_bytes(packet)
    assert list(found) == [one.name for one in (*HEADER, *TIME, *TABLE, *CHECKSUM)]
    assert {one.name: found[one.name].raw_value for one in TABLE} == values
    assert {one.name: found[one.name] for one in TABLE if one.labels} == {
        one.name: one.labels[values[one.name]] for one in TABLE if one.labels
    }
    assert (found["PKT_APID"], found["SRC_SEQ_CTR"], found["SEQ_FLGS"]) == (77, count, ALONE)
    assert found["PKT_LEN"] + 7 == len(packet) and found["table_version"] == VERSION
    assert ((found["time_day"] - 4383) * 86_400_000 + found["time_ms"]) == time_ms
    assert found["checksum"] == crc32c(packet[: -CRC.size])


def test_xtce_is_of_one_apid(definition: space_packet_parser.XtcePacketDefinition) -> None:
    with pytest.raises(space_packet_parser.exceptions.UnrecognizedPacketTypeError):
        definition.parse_bytes(pack_housekeeping(ONES, 78, 0, TIME_MS))


def test_the_document_has_the_table() -> None:
    text = (REPOSITORY / "docs" / "formats" / "housekeeping.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| ([^|]*) \| (.*) \|$", text, re.MULTILINE)
    labels = {one.name: "".join(f"; {i} {label}" for i, label in enumerate(one.labels)) for one in TABLE}
    assert rows == [(one.name, str(one.bits), one.unit or "-", one.meaning + labels[one.name]) for one in TABLE]
    assert f"{PACKET_BYTES} bytes" in text and f"version {VERSION}" in text
    assert NUMBERS.size == 1 + sum(one.bits for one in TABLE) // 8


def test_names_are_different() -> None:
    names = [one.name for one in (*HEADER, *TIME, *TABLE, *CHECKSUM)]
    assert len(set(names)) == len(names)


def test_the_file_is_whole_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadArgument):
        write_xtce(tmp_path / "none" / "x.xml", 2)
    assert list(tmp_path.iterdir()) == []

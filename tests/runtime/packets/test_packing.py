"""Streams become packets in order; what is cut or damaged is packed as far as it goes."""

import io
from pathlib import Path

import pytest

from runtime.errors import BadArgument, Corrupt, TooNew, Truncated
from runtime.packets.fragment import Fragment
from runtime.packets.missing import Missing
from runtime.packets.packed_file import StreamPackets, pack
from runtime.packets.packet_scan import fragments
from runtime.packets.packing import LARGEST_HEADER_SHARE, PacketOptions
from runtime.packets.stream_structures import Structure, StructureReader
from tests.runtime.packets.packed_streams import OPTIONS, STREAM, TIME_MS, packets, structures

WHOLE = structures()


def found(made: list[bytes]) -> list[Fragment]:
    return list(fragments(b"".join(made), OPTIONS.apid))


@pytest.mark.parametrize(("header_every", "packet_bytes"), [(0, 100), (4, 100), (4, 1024), (20, 64), (256, 64)])
def test_the_header_comes_again_and_again(header_every: int, packet_bytes: int) -> None:
    numbers = [one.place.number for one in found(packets(options=PacketOptions(5, packet_bytes, header_every)))]
    n_header = next(i for i, number in enumerate(numbers) if number)
    runs, since = [], 0
    for i, number in enumerate(numbers[n_header:], n_header):
        since = since + 1 if number else 0
        if not number and numbers[i - 1]:
            runs.append(i)
    n_others = sum(number > 0 for number in numbers)
    interval = max(header_every, LARGEST_HEADER_SHARE * n_header)
    assert len(runs) == (n_others // interval if header_every else 0)
    assert numbers.count(0) == n_header * (1 + len(runs))


def test_counts_go_on_over_their_range() -> None:
    made = StreamPackets(io.BytesIO(STREAM), OPTIONS, TIME_MS, count=(1 << 14) - 3)
    counts = [int.from_bytes(packet[2:4], "big") & 0x3FFF for packet in made]
    assert counts[:5] == [16381, 16382, 16383, 0, 1]
    assert made.next_count == counts[-1] + 1


def test_pieces_of_an_encoder_give_the_structures_of_the_file() -> None:
    reader, offset = StructureReader(), 0
    cut: list[Structure] = []
    for one in WHOLE:
        cut += reader.read(io.BytesIO(STREAM[offset : offset + one.place.n_bytes]))
        offset += one.place.n_bytes
    assert cut == WHOLE and reader.has_ended


@pytest.mark.parametrize("n_kept", range(1, len(STREAM), 61))
def test_a_cut_stream_is_packed_as_far_as_it_goes(tmp_path: Path, n_kept: int) -> None:
    file, output = io.BytesIO(STREAM[:n_kept]), tmp_path / "packets"
    if n_kept < WHOLE[0].place.n_bytes:
        with pytest.raises((Truncated, Corrupt)):
            pack(file, output, OPTIONS, TIME_MS)
        assert not list(tmp_path.iterdir())
        return
    done = pack(file, output, OPTIONS, TIME_MS)
    n_whole, n_bytes = 0, 0
    while n_whole < len(WHOLE) and n_bytes + WHOLE[n_whole].place.n_bytes <= n_kept:
        n_bytes, n_whole = n_bytes + WHOLE[n_whole].place.n_bytes, n_whole + 1
    assert done.n_structures == n_whole and (done.error is None) == (n_bytes == n_kept)
    assert {one.place.number for one in found([output.read_bytes()])} == set(range(n_whole))


@pytest.mark.parametrize("at", range(0, len(STREAM), 37))
def test_a_damaged_stream_is_packed_up_to_the_damage(at: int) -> None:
    damaged = STREAM[:at] + bytes([STREAM[at] ^ 0x10]) + STREAM[at + 1 :]
    cut: list[Structure] = []
    with pytest.raises((Corrupt, Truncated, TooNew)):
        cut.extend(StructureReader().read(io.BytesIO(damaged)))
    assert cut == WHOLE[: len(cut)] and sum(one.place.n_bytes for one in cut) <= at


def test_bytes_behind_the_end_are_told(tmp_path: Path) -> None:
    done = pack(io.BytesIO(STREAM + b"more"), tmp_path / "packets", OPTIONS, TIME_MS)
    assert done.error is not None and "bytes follow the end record" in done.error


def test_an_empty_stream_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Truncated, match="it is empty"):
        pack(io.BytesIO(b""), tmp_path / "packets", OPTIONS, TIME_MS)


def test_what_is_missing_of_another_stream_is_refused(tmp_path: Path) -> None:
    missing = Missing("9-00000000", [], 0, [])
    with pytest.raises(BadArgument, match="missing is a part of stream 9-00000000, found 7-"):
        pack(io.BytesIO(STREAM), tmp_path / "packets", OPTIONS, TIME_MS, missing=missing)


@pytest.mark.parametrize(
    "values",
    [{"apid": 2047}, {"packet_bytes": 63}, {"packet_bytes": 65543}, {"header_every": -1}, {"recording": 65536}],
)
def test_numbers_outside_their_ranges_are_refused(values: dict[str, int]) -> None:
    name, value = next(iter(values.items()))
    with pytest.raises(BadArgument, match=f"{name}: found {value}, allowed"):
        PacketOptions(**values)


def test_the_largest_packets_hold_and_are_found() -> None:
    made = packets(options=PacketOptions(5, 65542, 0, 7))
    assert len(made) == len(WHOLE) and [one.data for one in found(made)] == [one.data for one in WHOLE]

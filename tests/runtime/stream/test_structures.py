"""Every structure reads what it writes, and refuses every flipped bit."""

import dataclasses
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import BadArgument, Corrupt, Foreign, LineRwkvError, TooNew, Truncated
from runtime.stream.crc32c import crc32c
from runtime.stream.depth import sample_range
from runtime.stream.image_description import TYPE_RANGES, ImageDescription
from runtime.stream.kinds import AdaptiveStage, Arithmetic, Coder, PredictorKind, Quantisation, SampleType
from runtime.stream.records import (
    END_MARKER,
    GAP_MARKER,
    INDEX_MARKER,
    LARGEST_BODY_BYTES,
    EndRecord,
    Gap,
    IndexEntry,
    index_body,
    index_entries,
    record_body,
    record_bytes,
)
from runtime.stream.segment_header import SEGMENT_BYTES, SegmentCoding, SegmentHeader
from runtime.stream.stream_header import FIXED, PACKAGE, PREFIX, PackageName, StreamHeader

PACKAGES = (PackageName(Arithmetic.FLOAT32, bytes(range(32))), PackageName(Arithmetic.INT8_V2, bytes(32)))
IMAGE = ImageDescription(202, 96, 13, False, 64, SampleType.INT16, {"wavelength": ["420.0"]})
HEADER = StreamHeader(IMAGE, PACKAGES)
CODING = SegmentCoding(PredictorKind.LINERWKV, AdaptiveStage.BEST, 3, Quantisation.IN_LOOP, 1)
SEGMENT = SegmentHeader(99, 128, 64, CODING, Coder.RANGE, 0xFEDCBA98, 10, 7)
GAP, INDEX = Gap(7, 70000), [IndexEntry(0, 64, 100), IndexEntry(70, 1, 5_000_000_000)]
END = EndRecord(1000, 16, 1234, HEADER.to_bytes())


@st.composite
def headers(draw: st.DrawFn) -> StreamHeader:
    depth, is_signed = draw(st.integers(8, 16)), draw(st.booleans())
    lowest, highest = sample_range(depth, is_signed=is_signed)
    holding = [kind for kind, (low, high) in TYPE_RANGES.items() if low <= lowest and highest <= high]
    names = st.builds(PackageName, st.sampled_from(Arithmetic), st.binary(min_size=32, max_size=32))
    image = ImageDescription(
        draw(st.integers(1, 64)), draw(st.integers(1, 65536)), depth, is_signed, draw(st.integers(0, 2**32 - 1)),
        draw(st.sampled_from(holding)), draw(st.dictionaries(st.text(), st.text() | st.lists(st.text()))),
    )  # fmt: skip
    return StreamHeader(image, tuple(draw(st.lists(names, max_size=4))))


@given(headers())
def test_a_header_reads_what_it_wrote(header: StreamHeader) -> None:
    assert StreamHeader.from_bytes(header.to_bytes()) == header


def test_segments_and_records_read_what_they_wrote() -> None:
    assert len(SEGMENT.to_bytes()) == SEGMENT_BYTES
    assert SegmentHeader.from_bytes(SEGMENT.to_bytes()) == SEGMENT
    for marker, body in ((GAP_MARKER, GAP.body()), (INDEX_MARKER, index_body(INDEX)), (END_MARKER, END.body())):
        assert record_body(record_bytes(marker, 5, body), 5) == body
    assert Gap.from_body(GAP.body()) == GAP
    assert index_entries(index_body(INDEX)) == INDEX
    assert EndRecord.from_body(END.body()) == END


def test_an_end_record_says_its_length_at_its_end() -> None:
    data = record_bytes(END_MARKER, 5, END.body())
    assert int.from_bytes(data[-8:-4], "big") == len(data)


STRUCTURES: dict[str, tuple[bytes, Callable[[bytes], Any]]] = {
    "header": (HEADER.to_bytes(), StreamHeader.from_bytes),
    "segment": (SEGMENT.to_bytes(), SegmentHeader.from_bytes),
    "gap": (record_bytes(GAP_MARKER, 5, GAP.body()), lambda data: record_body(data, 5)),
    "index": (record_bytes(INDEX_MARKER, 5, index_body(INDEX)), lambda data: record_body(data, 5)),
    "end": (record_bytes(END_MARKER, 5, END.body()), lambda data: record_body(data, 5)),
}


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_flipped_bit_is_noticed(structure: str) -> None:
    data, read = STRUCTURES[structure]
    for bit in range(len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises((Corrupt, Truncated, TooNew)):
            read(bytes(damaged))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_cut_is_noticed(structure: str) -> None:
    data, read = STRUCTURES[structure]
    for n_bytes in range(len(data)):
        with pytest.raises((Corrupt, Truncated)):
            read(data[:n_bytes])


def test_a_record_of_another_stream_does_not_fit() -> None:
    with pytest.raises(Corrupt, match="belongs to another stream"):
        record_body(record_bytes(GAP_MARKER, 5, GAP.body()), 6)


def test_other_versions_are_named() -> None:
    data = bytearray(HEADER.to_bytes())
    data[4] = 4
    with pytest.raises(TooNew, match="format version 4, this release reads 3"):
        StreamHeader.from_bytes(bytes(data))
    for old in (0, 1, 2):
        data[4] = old
        with pytest.raises(Corrupt, match=f"format version {old}, this release reads 3; no mission has used it"):
            StreamHeader.from_bytes(bytes(data))


def test_a_foreign_file_is_named() -> None:
    with pytest.raises(Corrupt, match=r"begins with b'\\x89PNG'"):
        StreamHeader.from_bytes(b"\x89PNG" + bytes(100))
    with pytest.raises(Foreign, match=r"begins with b'hi', "):  # however short
        StreamHeader.from_bytes(b"hi")
    with pytest.raises(Truncated):
        StreamHeader.from_bytes(b"LR")


def resealed(data: bytes, offset: int, value: bytes) -> bytes:
    """A structure with a field changed and its CRC made right again: a hostile writer can do that."""
    changed = data[:offset] + value + data[offset + len(value) : -4]
    return changed + struct.pack(">I", crc32c(changed))


METADATA = FIXED.size + 2 * PACKAGE.size


@pytest.mark.parametrize(
    ("offset", "value", "error", "text"),
    [
        (0, b"\0\0\0\0", Corrupt, "n_bands is 0"),
        (0, b"\xff\xff\xff\xff", Corrupt, "n_bands is 4294967295, allowed 1..65536"),
        (4, b"\0\0\0\0", Corrupt, "n_columns is 0"),
        (2, b"\xff\xff\0\1\0\0", Corrupt, "allowed at most 4194304 samples"),
        (12, b"\x11", Corrupt, "depth is 17, allowed 8..16"),
        (12, b"\x10", Corrupt, "samples of 16 bits reach 0..65535, type int16 holds -32768..32767"),
        (13, b"\x04", Corrupt, "flags 0x4"),
        (14, b"\x06", Corrupt, "SampleType is 6, allowed"),
        (14, b"\x01", Corrupt, "type uint8 holds 0..255"),
        (15, b"\xff", Corrupt, "255 packages"),
        (16, b"\xff", Corrupt, "255 special values"),
        (FIXED.size, b"\x09", Corrupt, "Arithmetic is 9, allowed"),
        (METADATA, b"\0\0\0", Corrupt, "metadata is not compressed JSON"),
    ],
)
def test_a_hostile_header_with_a_right_crc_is_refused(
    offset: int, value: bytes, error: type[LineRwkvError], text: str
) -> None:
    with pytest.raises(error, match=text):
        StreamHeader.from_bytes(resealed(HEADER.to_bytes(), PREFIX.size + offset, value))


@pytest.mark.parametrize(
    ("offset", "value", "error", "text"),
    [
        (0, b"\xc5GAP", Corrupt, "marker"),
        (12, b"\0\0", Corrupt, "0 lines"),
        (14, b"\x00", Corrupt, "PredictorKind is 0"),
        (14, b"\x01", Corrupt, "dpcm with package 1"),
        (15, b"\xff", Corrupt, "linerwkv with package 255"),
        (16, b"\x02", Corrupt, "AdaptiveStage is 2"),
        (14, b"\x01\xff", Corrupt, "dpcm with adaptive stage best"),
        (17, b"\x09", Corrupt, "Coder is 9"),
        (18, b"\x04", Corrupt, "flags 0x4"),
        (19, b"\0\0", Corrupt, "quantisation in the loop with maximum error 0"),
        (14, b"\x03\xff\x00", Corrupt, "quantisation in the loop with maximum error 3 by ccsds123"),
    ],
)
def test_a_hostile_segment_header_with_a_right_crc_is_refused(
    offset: int, value: bytes, error: type[LineRwkvError], text: str
) -> None:
    with pytest.raises(error, match=text):
        SegmentHeader.from_bytes(resealed(SEGMENT.to_bytes(), offset, value))


@pytest.mark.parametrize(
    ("marker", "body", "error", "text"),
    [
        (b"\xc5NEW", b"", TooNew, "this release reads"),
        (b"\xc5\0\0\0", b"", Corrupt, "marker"),
        (GAP_MARKER, bytes(9), Corrupt, "9 bytes announced, allowed 8"),
        (END_MARKER, bytes(LARGEST_BODY_BYTES[END_MARKER] + 1), Corrupt, "bytes announced"),
    ],
)
def test_a_record_that_is_not_known_or_too_large_is_refused(
    marker: bytes, body: bytes, error: type[LineRwkvError], text: str
) -> None:
    with pytest.raises(error, match=text):
        record_body(record_bytes(marker, 5, body), 5)


def test_records_that_mean_nothing_are_refused() -> None:
    with pytest.raises(Corrupt, match="gap at line 3: no lines"):
        Gap.from_body(Gap(3, 0).body())
    for wrong in ([IndexEntry(0, 64, 100), IndexEntry(63, 1, 200)], [IndexEntry(0, 4, 100), IndexEntry(4, 4, 100)]):
        with pytest.raises(Corrupt, match="index record: an entry at line"):
            index_entries(index_body(wrong))
    with pytest.raises(Corrupt, match="does not say its own length"):
        EndRecord.from_body(END.body()[:-1] + b"\0")


@given(st.binary(max_size=200))
def test_random_bytes_are_an_error(data: bytes) -> None:
    for read in (
        StreamHeader.from_bytes,
        SegmentHeader.from_bytes,
        lambda d: record_body(d, 1),
        EndRecord.from_body,
    ):
        with pytest.raises(LineRwkvError):
            read(data)


def test_arguments_are_checked_when_writing() -> None:
    with pytest.raises(BadArgument, match="depth is 17"):
        dataclasses.replace(IMAGE, depth=17)
    with pytest.raises(BadArgument, match=r"stream header: .* bytes with 256 packages"):
        StreamHeader(IMAGE, PACKAGES * 128).to_bytes()

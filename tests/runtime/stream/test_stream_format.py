"""Every structure reads what it writes, and refuses every flipped bit."""

import dataclasses
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import BadArgument, Corrupt, LineRwkvError, TooNew, Truncated
from runtime.stream.crc32c import crc32c
from runtime.stream.stream_format import (
    FIXED,
    PREFIX,
    AdaptiveStage,
    Arithmetic,
    Coder,
    EndRecord,
    PredictorKind,
    Quantisation,
    SampleType,
    SegmentHeader,
    StreamHeader,
)

HEADER = StreamHeader(
    202, 96, 64, 13, False, 3, SampleType.INT16, Arithmetic.FLOAT32, bytes(range(32)), {"wavelength": ["420.0"]}
)
SEGMENT = SegmentHeader(
    128, 64, PredictorKind.LINERWKV, Arithmetic.FLOAT32, AdaptiveStage.NONE, Coder.SAMPLE_ADAPTIVE, 10, 7
)

headers = st.builds(
    StreamHeader,
    st.integers(1, 64),
    st.integers(1, 65536),
    st.integers(0, 2**32 - 1),
    st.integers(8, 16),
    st.booleans(),
    st.integers(0, 127),
    st.sampled_from(SampleType),
    st.sampled_from(Arithmetic),
    st.binary(min_size=32, max_size=32),
    st.dictionaries(st.text(), st.text() | st.lists(st.text())),
)


@given(headers)
def test_header_reads_what_it_wrote(header: StreamHeader) -> None:
    assert StreamHeader.from_bytes(header.to_bytes()) == header


def test_segment_and_end_read_what_they_wrote() -> None:
    assert SegmentHeader.from_bytes(SEGMENT.to_bytes(99), 99) == SEGMENT
    end = EndRecord(1000, 16, HEADER.to_bytes())
    assert EndRecord.from_bytes(end.to_bytes(99), 99) == end


@pytest.mark.parametrize("structure", ["header", "segment", "end"])
def test_every_flipped_bit_is_noticed(structure: str) -> None:
    data = {
        "header": HEADER.to_bytes(),
        "segment": SEGMENT.to_bytes(99),
        "end": EndRecord(64, 1, HEADER.to_bytes()).to_bytes(99),
    }[structure]
    for bit in range(len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises((Corrupt, Truncated, TooNew)):
            if structure == "header":
                StreamHeader.from_bytes(bytes(damaged))
            elif structure == "segment":
                SegmentHeader.from_bytes(bytes(damaged), 99)
            else:
                EndRecord.from_bytes(bytes(damaged), 99)


def test_a_segment_of_another_stream_does_not_fit() -> None:
    with pytest.raises(Corrupt, match="CRC"):
        SegmentHeader.from_bytes(SEGMENT.to_bytes(99), 98)


def test_a_newer_version_is_named() -> None:
    data = bytearray(HEADER.to_bytes())
    data[4] = 3
    with pytest.raises(TooNew, match="format version 3, this release reads up to 2"):
        StreamHeader.from_bytes(bytes(data))


def test_a_header_of_version_1_is_read_and_knows_no_quantisation_in_the_loop() -> None:
    old = bytearray(HEADER.to_bytes())
    old[4] = 1
    assert StreamHeader.from_bytes(sealed(old)) == HEADER
    old[PREFIX.size + 13] = 2
    with pytest.raises(Corrupt, match="flags 0x2"):
        StreamHeader.from_bytes(sealed(old))
    old[4] = 2
    assert StreamHeader.from_bytes(sealed(old)) == dataclasses.replace(HEADER, quantisation=Quantisation.IN_LOOP)


def test_a_foreign_file_is_named() -> None:
    with pytest.raises(Corrupt, match="begins with b'\\\\x89PNG'"):
        StreamHeader.from_bytes(b"\x89PNG" + bytes(100))


def resealed(offset: int, value: bytes) -> bytes:
    """The header with a field changed and its CRC made right again: a hostile writer can do that."""
    data = bytearray(HEADER.to_bytes())
    data[PREFIX.size + offset : PREFIX.size + offset + len(value)] = value
    return sealed(data)


def sealed(data: bytearray) -> bytes:
    """The header with the CRC that its bytes have."""
    return bytes(data[:-4]) + struct.pack(">I", crc32c(bytes(data[:-4])))


@pytest.mark.parametrize(
    ("offset", "value", "text"),
    [
        (0, b"\0\0\0\0", "n_bands is 0"),
        (0, b"\xff\xff\xff\xff", "n_bands is 4294967295, allowed 1..65536"),
        (4, b"\0\0\0\0", "n_columns is 0"),
        (2, b"\xff\xff\0\1\0\0", "allowed at most 4194304 samples"),
        (12, b"\x11", "depth is 17, allowed 8..16"),
        (13, b"\x04", "flags 0x4"),
        (13, b"\x02\0\0", "max_error is 0 with quantisation in the loop"),
        (14, b"\xff\xff", "max_error is 65535"),
        (16, b"\x05", "SampleType is 5, allowed"),
        (17, b"\x09", "Arithmetic is 9, allowed"),
        (FIXED.size, b"\0\0\0", "metadata is not compressed JSON"),
    ],
)
def test_a_hostile_header_with_a_right_crc_is_refused(offset: int, value: bytes, text: str) -> None:
    with pytest.raises(Corrupt, match=text):
        StreamHeader.from_bytes(resealed(offset, value))


@given(st.binary(max_size=200))
def test_random_bytes_are_an_error(data: bytes) -> None:
    for read in (
        StreamHeader.from_bytes,
        lambda d: SegmentHeader.from_bytes(d, 1),
        lambda d: EndRecord.from_bytes(d, 1),
    ):
        with pytest.raises(LineRwkvError):
            read(data)


def test_arguments_are_checked_when_writing() -> None:
    with pytest.raises(BadArgument, match="depth is 17"):
        dataclasses.replace(HEADER, depth=17)

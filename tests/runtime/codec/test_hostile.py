"""Damaged streams: an error or the right samples, never others; salvage gives back every intact segment."""

import io
import zlib

import numpy as np
import numpy.typing as npt
import pytest

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.salvage import Salvaged, salvage
from runtime.codec.stream_reader import StreamReader
from runtime.errors import BadArgument, Corrupt, LineRwkvError, Truncated
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, Coder, PredictorKind, Quantisation
from runtime.stream.segment_header import SEGMENT_BYTES, SEGMENT_MARKER, SegmentHeader
from tests.runtime.codec.coded_cube import decode, encode

N_MUTATIONS = 2000


@pytest.fixture(scope="module")
def cube() -> npt.NDArray[np.int32]:
    generator = np.random.default_rng(3)
    return (np.cumsum(generator.integers(-3, 4, (24, 3, 8)), axis=0) + 500).astype(np.int32)


@pytest.fixture(scope="module")
def stream(cube: npt.NDArray[np.int32], package: FlightPackage) -> bytes:
    return encode(cube, package, segment_lines=4, depth=10)


def mutated(data: bytes, generator: np.random.Generator) -> bytes:
    """One of: flipped bits, changed bytes, a cut, a removed run, an inserted run, two runs swapped, random bytes."""
    damaged = bytearray(data)
    kind = generator.integers(7)
    a, b = sorted(int(i) for i in generator.integers(0, len(data), 2))
    if kind == 0:
        for _ in range(generator.integers(1, 4)):
            damaged[generator.integers(len(data))] ^= 1 << int(generator.integers(8))
    elif kind == 1:
        damaged[a : a + 4] = generator.bytes(4)
    elif kind == 2:
        del damaged[a:]
    elif kind == 3:
        del damaged[a : min(b, a + 64) + 1]
    elif kind == 4:
        damaged[a:a] = generator.bytes(int(generator.integers(1, 32)))
    elif kind == 5:
        damaged[a : a + 8], damaged[b : b + 8] = damaged[b : b + 8], damaged[a : a + 8]
    else:
        damaged = bytearray(generator.bytes(len(data)))
        damaged[:9] = data[:9]
    return bytes(damaged)


def test_mutated_streams_are_an_error_and_salvage_tells_the_truth(
    stream: bytes, cube: npt.NDArray[np.int32], package: FlightPackage
) -> None:
    generator = np.random.default_rng(11)
    n_errors = n_salvaged = 0
    decoders: dict[bytes, Decoder] = {}
    for _ in range(N_MUTATIONS):
        damaged = mutated(stream, generator)
        if damaged == stream:
            continue
        with pytest.raises(LineRwkvError):
            list(StreamReader(io.BytesIO(damaged)).segments())
        n_errors += 1
        try:
            found = salvage(damaged)
        except LineRwkvError:
            continue
        for segment, payload in found.segments:
            if payload not in decoders:  # most are the intact ones again: decode each payload once
                decoder = Decoder(found.header, [package])
                lines = np.array(list(decoder.lines(segment, payload)))
                expected = cube[segment.first_line : segment.first_line + segment.n_lines]
                np.testing.assert_array_equal(lines, expected)
                decoders[payload] = decoder
            n_salvaged += 1
    assert n_errors > N_MUTATIONS * 0.98
    assert n_salvaged > N_MUTATIONS


def segment_starts(stream: bytes) -> list[int]:
    starts, position = [], stream.find(SEGMENT_MARKER)
    while position >= 0:
        starts.append(position)
        position = stream.find(SEGMENT_MARKER, position + 1)
    return starts


def missing(found: Salvaged) -> list[int]:
    """The lines of an image, as far as their number is known, that no segment holds."""
    held = {y for segment, _ in found.segments for y in range(segment.first_line, segment.next_line)}
    return [y for y in range(found.n_lines or 0) if y not in held]


def test_a_damaged_segment_costs_only_itself(stream: bytes) -> None:
    starts = segment_starts(stream)
    assert len(starts) == 6
    for i, start in enumerate(starts):
        for offset in (2, SEGMENT_BYTES - 1, SEGMENT_BYTES + 5):  # marker, header, payload
            damaged = bytearray(stream)
            damaged[start + offset] ^= 0x10
            found = salvage(bytes(damaged))
            assert [segment.first_line for segment, _ in found.segments] == [4 * j for j in range(6) if j != i]
            assert missing(found) == list(range(4 * i, 4 * i + 4))


@pytest.mark.parametrize(
    ("predictor", "stage", "coder"),
    [
        (PredictorKind.LINERWKV, AdaptiveStage.NONE, Coder.HYBRID),
        (PredictorKind.RLS, AdaptiveStage.FAST, Coder.HYBRID),
        (PredictorKind.RLS, AdaptiveStage.BEST, Coder.RANGE),
    ],
)
def test_a_damaged_segment_of_a_coder_costs_only_itself(
    predictor: PredictorKind, stage: AdaptiveStage, coder: Coder, package: FlightPackage
) -> None:
    generator = np.random.default_rng(4)
    cube = (500 + generator.integers(-9, 10, (24, 3, 64))).astype(np.int32)
    stream = encode(cube, package, max_error=6, segment_lines=8, depth=10, predictor=predictor, stage=stage)
    reader = StreamReader(io.BytesIO(stream))
    assert [segment.coder for segment, _ in reader.segments()] == [coder] * 3
    damaged = bytearray(stream)
    damaged[segment_starts(stream)[1] + SEGMENT_BYTES + 3] ^= 1
    found = salvage(bytes(damaged))
    assert missing(found) == list(range(8, 16))
    decoder = Decoder(found.header, [package])
    for segment, payload in found.segments:
        lines = np.array(list(decoder.lines(segment, payload)))
        assert np.abs(lines - cube[segment.first_line :][:8]).max() <= 6


@pytest.mark.parametrize("quantisation", Quantisation)
@pytest.mark.parametrize("predictor", [PredictorKind.DPCM, PredictorKind.LINERWKV, PredictorKind.RLS])
def test_senseless_payloads_of_every_coder_give_samples_in_range_or_an_error(
    predictor: PredictorKind, quantisation: Quantisation, package: FlightPackage
) -> None:
    generator = np.random.default_rng(6)
    cube = generator.integers(0, 1024, (3, 3, 8)).astype(np.int32)
    image = encode(cube, package, max_error=9, depth=10, predictor=predictor, quantisation=quantisation)
    reader = StreamReader(io.BytesIO(image))
    decoder = Decoder(reader.header, [package])
    first = next(reader.segments()).header
    for i in range(150):
        payload = bytes([i % 3]) + generator.bytes(int(generator.integers(1, 80)))
        header = first._replace(coder=list(Coder)[i % 5], n_payload_bytes=len(payload), payload_crc=zlib.crc32(payload))
        assert_in_range_then_an_error(decoder, header, payload)


def test_lost_segments_at_either_end_are_named(stream: bytes) -> None:
    starts = segment_starts(stream)
    end_is_lost = stream[: starts[4] + 7]
    assert salvage(end_is_lost).n_lines is None
    assert missing(salvage(stream[: starts[0]] + stream[starts[2] :])) == list(range(8))
    last_two_lost = stream[: starts[4]] + stream[stream.rfind(b"\xc5END") :]
    assert missing(salvage(last_two_lost)) == list(range(16, 24))


def test_a_lost_header_is_taken_from_the_end_record(stream: bytes) -> None:
    damaged = bytes(20) + stream[20:]
    with pytest.raises(Corrupt):
        StreamReader(io.BytesIO(damaged))
    assert len(salvage(damaged).segments) == 6
    with pytest.raises(Corrupt):
        salvage(damaged[: len(damaged) // 2])


def test_segments_of_another_stream_are_not_salvaged(stream: bytes, cube: npt.NDArray[np.int32]) -> None:
    other = encode(cube, segment_lines=4, depth=10)
    start = segment_starts(other)[2]
    assert len(salvage(stream + other[start:]).segments) == 6


def test_every_cut_is_truncated(stream: bytes) -> None:
    for n_bytes in range(len(stream)):
        with pytest.raises((Truncated, Corrupt)):
            list(StreamReader(io.BytesIO(stream[:n_bytes])).segments())


def test_bytes_after_the_end_are_noticed(stream: bytes) -> None:
    with pytest.raises(Corrupt, match="bytes follow the end record"):
        list(StreamReader(io.BytesIO(stream + b"\0")).segments())


def assert_in_range_then_an_error(decoder: Decoder, header: SegmentHeader, payload: bytes) -> None:
    """A hostile writer can make every CRC of bytes right; what comes out of them is in range, and ends in an error."""
    with pytest.raises(LineRwkvError):
        for line in decoder.lines(header, payload):
            assert line.min() >= 0
            assert line.max() <= 1023


def test_a_sound_checksum_over_senseless_residuals_is_still_an_error() -> None:
    generator = np.random.default_rng(5)
    reader = StreamReader(io.BytesIO(encode(np.full((2, 3, 8), 900, np.int32), max_error=2, depth=10)))
    first = next(reader.segments()).header
    decoder = Decoder(reader.header)
    for i in range(300):
        payload = bytes([i % 3]) + generator.bytes(60)
        for coder in Coder:
            header = first._replace(coder=coder, n_payload_bytes=len(payload), payload_crc=zlib.crc32(payload))
            assert_in_range_then_an_error(decoder, header, payload)


def test_the_intact_stream_decodes(stream: bytes, cube: npt.NDArray[np.int32], package: FlightPackage) -> None:
    np.testing.assert_array_equal(decode(stream, package), cube)


def test_an_adaptive_stage_that_does_not_fit_its_predictor_is_corrupt(cube: npt.NDArray[np.int32]) -> None:
    (segment, _), *_ = StreamReader(io.BytesIO(encode(cube, predictor=PredictorKind.RLS))).segments()
    assert segment.coding.stage is AdaptiveStage.BEST
    for change in ({"stage": AdaptiveStage.NONE}, {"predictor": PredictorKind.DPCM}):
        changed = segment._replace(coding=segment.coding._replace(**change))
        with pytest.raises(Corrupt, match="with adaptive stage"):
            SegmentHeader.from_bytes(changed.to_bytes())


def test_an_image_of_very_many_bands_is_refused_by_the_adaptive_stage() -> None:
    with pytest.raises(BadArgument, match="image has 4097 bands, the adaptive stage allows 4096"):
        Encoder(ImageDescription(4097, 2, 8, is_signed=False), CodingOptions(predictor=PredictorKind.RLS))

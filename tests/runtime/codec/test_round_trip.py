"""decode(encode(x)) == x for every shape and value, with and without a network, lossless and within an error."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.cell.flight_package import FlightPackage, FloatPackage
from runtime.codec.decoder import Decoder
from runtime.codec.stream_reader import StreamReader
from runtime.coders import residual_coders
from runtime.coders.residual_coders import SOME_PLAIN
from runtime.defences.checksum import checksum
from runtime.errors import Corrupt
from runtime.executors.executors import make_executor
from runtime.segments.residual_segment import ResidualSegments
from runtime.segments.segment_codecs import segment_codec
from runtime.stream.depth import bit_depth, sample_range
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, Coder, PredictorKind, Quantisation
from runtime.stream.segment_header import NO_PACKAGE, SegmentCoding, allowed_stages
from tests.runtime.codec.coded_cube import SOURCES, decode, encode


@pytest.mark.parametrize("max_error", [0, 1, 5, 100])
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    "predictor", [PredictorKind.DPCM, PredictorKind.LINERWKV, PredictorKind.CCSDS123, PredictorKind.RLS]
)
def test_round_trip(name: str, predictor: PredictorKind, max_error: int, package: FlightPackage) -> None:
    cube = SOURCES[name]
    restored = decode(encode(cube, package, max_error=max_error, segment_lines=4, predictor=predictor), package)
    assert restored.shape == cube.shape
    assert np.abs(restored.astype(np.int64) - cube).max() <= max_error


@pytest.mark.parametrize("max_error", [0, 5])
@pytest.mark.parametrize("name", SOURCES)
def test_round_trip_of_a_float_package(name: str, max_error: int, float_package: FloatPackage) -> None:
    cube = SOURCES[name]
    restored = decode(encode(cube, float_package, max_error=max_error, segment_lines=4), float_package)
    assert np.abs(restored.astype(np.int64) - cube).max() <= max_error


@pytest.mark.parametrize("stage", AdaptiveStage)
@pytest.mark.parametrize("name", SOURCES)
def test_round_trip_of_the_stages_after_the_network(name: str, stage: AdaptiveStage, package: FlightPackage) -> None:
    cube = SOURCES[name]
    np.testing.assert_array_equal(decode(encode(cube, package, segment_lines=4, stage=stage), package), cube)


WAYS = [
    (predictor, stage)
    for predictor in (PredictorKind.DPCM, PredictorKind.LINERWKV, PredictorKind.RLS)
    for stage in allowed_stages(predictor)
]


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_round_trip_of_any_shape_depth_error_and_way_to_code(data: st.DataObject, package: FlightPackage) -> None:
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 6), st.integers(1, 9)))
    lowest = data.draw(st.sampled_from([0, 0, -128, -5000, -32768]))
    highest = data.draw(st.sampled_from([0, 1, 255, 4095, 32767] + ([65535] if lowest == 0 else [])))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    cube = generator.integers(lowest, highest + 1, shape).astype(np.int32)
    kind = data.draw(st.sampled_from(["noise", "flat", "saturated"]))
    if kind == "flat":
        cube = np.where(generator.random(shape) < 0.05, cube, cube.flat[0])
    elif kind == "saturated":
        cube = np.where(cube * 2 > lowest + highest, highest, lowest)
    predictor, stage = data.draw(st.sampled_from(WAYS))
    largest_error = (1 << (bit_depth(int(cube.min()), int(cube.max())) - 1)) - 1
    max_error = min(data.draw(st.sampled_from([0, 1, 3, 31, 1000, 32767])), largest_error)
    quantisation = data.draw(st.sampled_from(Quantisation))
    segment_lines = data.draw(st.integers(1, 10))
    coded = encode(
        cube, package, max_error=max_error, segment_lines=segment_lines, predictor=predictor, stage=stage,
        quantisation=quantisation,
    )  # fmt: skip
    wanted = SegmentCoding(
        predictor, stage, max_error, quantisation if max_error else Quantisation.PREQUANTISED,
        0 if predictor is PredictorKind.LINERWKV else NO_PACKAGE,
    )  # fmt: skip
    assert {segment.coding for segment, _ in StreamReader(io.BytesIO(coded)).segments()} == {wanted}
    restored = decode(coded, package)
    assert np.abs(restored.astype(np.int64) - cube).max() <= max_error
    smallest, largest = sample_range(bit_depth(int(cube.min()), int(cube.max())), is_signed=bool(cube.min() < 0))
    assert smallest <= restored.min() and restored.max() <= largest


@pytest.mark.parametrize("predictor", [PredictorKind.DPCM, PredictorKind.LINERWKV, PredictorKind.RLS])
def test_lines_of_noise_are_plain_and_never_expand(predictor: PredictorKind, package: FlightPackage) -> None:
    cube = SOURCES["white noise, 16 bits"]
    data = encode(cube, package, predictor=predictor)
    (_, payload), *_ = StreamReader(io.BytesIO(data)).segments()
    assert len(payload) <= 2 + cube.size * 2, "a byte that says that there are flags, a flag a line, the samples"
    np.testing.assert_array_equal(decode(data, package), cube)


def test_a_ccsds123_segment_of_noise_is_stored() -> None:
    cube = SOURCES["white noise, 16 bits"]
    data = encode(cube, predictor=PredictorKind.CCSDS123)
    (segment, payload), *_ = StreamReader(io.BytesIO(data)).segments()
    assert (segment.coder, len(payload)) == (Coder.STORED, cube.size * 2)
    np.testing.assert_array_equal(decode(data), cube)


@pytest.mark.parametrize("stage", AdaptiveStage)
def test_lines_of_noise_between_others_cost_their_own_size(stage: AdaptiveStage, package: FlightPackage) -> None:
    generator = np.random.default_rng(8)
    quiet = (500 + np.add.outer(np.arange(12), np.zeros((4, 60)))).astype(np.int32)
    cube = np.where(
        np.isin(np.arange(12), (0, 5, 6, 11))[:, None, None], generator.integers(0, 1024, quiet.shape), quiet
    )
    for predictor in (PredictorKind.LINERWKV, PredictorKind.RLS):
        if stage in allowed_stages(predictor):
            data = encode(cube.astype(np.int32), package, predictor=predictor, stage=stage, depth=10)
            np.testing.assert_array_equal(decode(data, package), cube)
            (_, payload), *_ = StreamReader(io.BytesIO(data)).segments()
            assert payload[0] == SOME_PLAIN


def test_the_line_that_closes_a_segment_of_noise_reads_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("a segment is read back where it closes")

    monkeypatch.setattr(residual_coders, "ResidualReader", refuse)
    monkeypatch.setattr(ResidualSegments, "lines", refuse)
    encode(SOURCES["white noise, 16 bits"], predictor=PredictorKind.RLS)


@pytest.mark.parametrize("max_error", [0, 3])
@pytest.mark.parametrize("predictor", list(PredictorKind))
def test_wrong_samples_do_not_leave_the_decoder(
    predictor: PredictorKind, max_error: int, package: FlightPackage
) -> None:
    """Whatever made them: here the checksum that the encoder gave is of other samples."""
    data = encode(SOURCES["smooth"], package, predictor=predictor, max_error=max_error)
    reader = StreamReader(io.BytesIO(data))
    (segment, payload), *_ = reader.segments()
    decoder = Decoder(reader.header, [package])
    list(decoder.lines(segment, payload))
    with pytest.raises(Corrupt, match="segment at line 0: its samples do not have the checksum"):
        list(decoder.lines(segment._replace(samples_crc=segment.samples_crc ^ 1), payload))


def test_encoder_and_decoder_hold_the_same_state_after_each_line(package: FlightPackage) -> None:
    cube = SOURCES["smooth"]
    image = ImageDescription(cube.shape[1], cube.shape[2], 12, is_signed=False)
    codec = segment_codec(SegmentCoding(PredictorKind.LINERWKV, AdaptiveStage.BEST, package_index=0), image, package,
                          make_executor(package))  # fmt: skip
    assert isinstance(codec, ResidualSegments)
    there = back = None
    for y, line in enumerate(cube):
        mapped, restored = np.empty_like(line), np.empty_like(line)
        there = codec.lines_predictor.encode_line(line.copy(), there, mapped)
        back = codec.lines_predictor.decode_line(mapped, back, restored)
        np.testing.assert_array_equal(restored, line)
        assert checksum(there) == checksum(back), f"line {y}"

"""decode(encode(x)) == x for every shape and value, with and without a network, lossless and within an error."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import ccsds123
from runtime.ccsds123 import golomb
from runtime.cell.flight_package import FlightPackage, FloatPackage
from runtime.codec.decoder import Decoder, StreamReader
from runtime.codec.encoder import Encoder
from runtime.coders.golomb_residuals import GolombReader, golomb_parameters
from runtime.coders.range_residuals import RangeWriter
from runtime.coders.residual_coders import StandardWriter
from runtime.errors import BadArgument
from runtime.executors.executors import make_executor
from runtime.images.image_description import ImageDescription
from runtime.segments.residual_segment import ResidualLines, ResidualSegmentWriter
from runtime.segments.segment_codecs import allowed_stages
from runtime.stream.depth import bit_depth, sample_range
from runtime.stream.stream_format import AdaptiveStage, Coder, PredictorKind, Quantisation

Cube = npt.NDArray[np.int32]


def encode(
    cube: Cube,
    package: FlightPackage | None,
    max_error: int = 0,
    segment_lines: int = 64,
    depth: int | None = None,
    predictor: PredictorKind | None = None,
    stage: AdaptiveStage | None = None,
    quantisation: Quantisation | None = None,
) -> bytes:
    depth = depth or bit_depth(int(cube.min()), int(cube.max()))
    image = ImageDescription(cube.shape[1], cube.shape[2], depth, is_signed=bool(cube.min() < 0))
    encoder = Encoder(
        image,
        package,
        predictor=predictor,
        stage=stage,
        max_error=max_error,
        segment_lines=segment_lines,
        quantisation=quantisation,
    )
    return b"".join([encoder.header, *(encoder.push(line) for line in cube), encoder.finish()])


def decode(data: bytes, package: FlightPackage | None) -> Cube:
    reader = StreamReader(io.BytesIO(data))
    decoder = Decoder(reader.header, package)
    return np.array([line for segment, payload in reader.segments() for line in decoder.lines(segment, payload)])


def sources() -> dict[str, Cube]:
    generator = np.random.default_rng(7)
    ramp = np.add.outer(np.add.outer(np.arange(9) * 5, np.arange(6) * 30), np.arange(7) * 11)
    line, band, column = np.indices(ramp.shape)
    return {
        "one sample": np.full((1, 1, 1), 77),
        "one line": generator.integers(0, 4096, (1, 5, 9)),
        "one band": generator.integers(0, 256, (6, 1, 9)),
        "one column": generator.integers(-300, 300, (6, 5, 1)),
        "two columns": generator.integers(0, 1000, (5, 4, 2)),
        "zeros": np.zeros((4, 3, 8)),
        "all maximum, 16 bits": np.full((4, 3, 8), 65535),
        "all minimum, signed 16 bits": np.full((4, 3, 8), -32768),
        "alternating extremes": np.indices((5, 4, 8)).sum(axis=0) % 2 * 65535,
        "alternating signed extremes": np.indices((5, 4, 8)).sum(axis=0) % 2 * 65535 - 32768,
        "white noise, 16 bits": generator.integers(0, 65536, (6, 4, 8)),
        "smooth": ramp,
        "dead band and dead column": ramp * (band != 2) * (column != 3),
        "flat first line, then bright": np.where(line == 0, 3, ramp * 20),
    }


SOURCES = {name: cube.astype(np.int32) for name, cube in sources().items()}


@pytest.mark.parametrize("max_error", [0, 1, 5, 100])
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    "predictor", [PredictorKind.DPCM, PredictorKind.LINERWKV, PredictorKind.CCSDS123, PredictorKind.RLS]
)
def test_road(name: str, predictor: PredictorKind, max_error: int, package: FlightPackage) -> None:
    cube = SOURCES[name]
    restored = decode(encode(cube, package, max_error, segment_lines=4, predictor=predictor), package)
    assert restored.shape == cube.shape
    assert np.abs(restored.astype(np.int64) - cube).max() <= max_error


@pytest.mark.parametrize("max_error", [0, 5])
@pytest.mark.parametrize("name", SOURCES)
def test_road_of_a_float_package(name: str, max_error: int, float_package: FloatPackage) -> None:
    cube = SOURCES[name]
    restored = decode(encode(cube, float_package, max_error, segment_lines=4), float_package)
    assert np.abs(restored.astype(np.int64) - cube).max() <= max_error


@pytest.mark.parametrize("stage", AdaptiveStage)
@pytest.mark.parametrize("name", SOURCES)
def test_road_of_the_adaptive_stages_after_the_network(name: str, stage: AdaptiveStage, package: FlightPackage) -> None:
    cube = SOURCES[name]
    np.testing.assert_array_equal(decode(encode(cube, package, segment_lines=4, stage=stage), package), cube)


WAYS = [
    (predictor, stage)
    for predictor in (PredictorKind.DPCM, PredictorKind.LINERWKV, PredictorKind.RLS)
    for stage in allowed_stages(predictor)
]


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_road_of_any_shape_depth_error_and_way_to_code(data: st.DataObject, package: FlightPackage) -> None:
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
    coded = encode(cube, package, max_error, segment_lines, predictor=predictor, stage=stage, quantisation=quantisation)
    assert StreamReader(io.BytesIO(coded)).header.quantisation == (quantisation if max_error else 0)
    restored = decode(coded, package)
    assert np.abs(restored.astype(np.int64) - cube).max() <= max_error
    smallest, largest = sample_range(bit_depth(int(cube.min()), int(cube.max())), is_signed=bool(cube.min() < 0))
    assert smallest <= restored.min() and restored.max() <= largest


def test_noise_is_stored_and_never_expands(package: FlightPackage) -> None:
    cube = SOURCES["white noise, 16 bits"]
    data = encode(cube, package)
    reader = StreamReader(io.BytesIO(data))
    assert [segment.coder for segment, _ in reader.segments()] == [Coder.STORED]
    assert sum(len(payload) for _, payload in StreamReader(io.BytesIO(data)).segments()) == cube.size * 2
    np.testing.assert_array_equal(decode(data, package), cube)


def test_a_ccsds123_segment_holds_an_image_that_any_decoder_of_the_standard_reads() -> None:
    cube = SOURCES["smooth"]
    reader = StreamReader(io.BytesIO(encode(cube, None, segment_lines=5, predictor=PredictorKind.CCSDS123)))
    payloads = {segment.first_line: payload for segment, payload in reader.segments()}
    assert [ccsds123.read_header(payload).image.n_lines for payload in payloads.values()] == [5, 4]
    for first, payload in payloads.items():
        np.testing.assert_array_equal(ccsds123.decode(payload).transpose(1, 0, 2), cube[first : first + 5])


@pytest.mark.parametrize("stage", [AdaptiveStage.NONE, AdaptiveStage.BEST])
def test_memory_is_bounded_whatever_the_number_of_lines(stage: AdaptiveStage, package: FlightPackage) -> None:
    generator = np.random.default_rng(1)
    image = ImageDescription(4, 50, 12, is_signed=False)
    encoder = Encoder(image, package, stage=stage, segment_lines=4)
    sizes = []
    for _ in range(10):
        for _ in range(3):
            encoder.push(generator.integers(0, 3000, (4, 50)))
        assert encoder.segment is not None
        writer = encoder.segment.writer
        assert isinstance(writer, ResidualSegmentWriter)
        coding = writer.residuals.writer
        if isinstance(coding, RangeWriter):
            sizes.append(coding.buffer.nbytes)
        else:
            assert isinstance(coding, StandardWriter) and coding.hybrid is not None
            sizes.append(coding.golomb.buffer.nbytes + coding.hybrid.body.buffer.nbytes)
        encoder.push(generator.integers(0, 3000, (4, 50)))
    both_coders = 3 * golomb.worst_bytes(golomb_parameters(12), 4 * 4 * 50)
    assert max(sizes) <= both_coders, "the buffer of a coded segment must not grow with the segments"


def test_encoder_and_decoder_hold_the_same_state_after_each_line(float_package: FloatPackage) -> None:
    cube = SOURCES["smooth"]
    image = ImageDescription(cube.shape[1], cube.shape[2], 12, is_signed=False)
    encoder = Encoder(image, float_package)
    states = []
    for line in cube:
        encoder.push(line)
        assert encoder.segment is not None
        writer = encoder.segment.writer
        assert isinstance(writer, ResidualSegmentWriter)
        cell, coding = writer.predictor_state, writer.residuals.writer
        assert cell is not None and isinstance(coding, StandardWriter)
        coder = coding.golomb
        states.append((coder.state.accumulator.copy(), {k: v.copy() for k, v in cell.cell.line.items()}))
    data = encoder.header + encoder.finish()
    reader = StreamReader(io.BytesIO(data))
    decoder = Decoder(reader.header, float_package)
    (segment, payload), *_ = list(reader.segments())
    lines = decoder.lines(segment, payload)
    assert isinstance(lines, ResidualLines)
    assert isinstance(lines.residuals, GolombReader)
    for y, (_, (accumulator, line_state)) in enumerate(zip(lines, states, strict=True)):
        np.testing.assert_array_equal(lines.residuals.state.accumulator, accumulator, f"line {y}")
        predictor = lines.predictor_state
        assert predictor is not None
        for name, values in line_state.items():
            np.testing.assert_array_equal(predictor.cell.line[name], values, f"line {y}, {name}")


def test_an_encoder_refuses_a_bad_line_and_goes_on(package: FlightPackage) -> None:
    encoder = Encoder(ImageDescription(3, 4, 10, is_signed=False))
    good = np.arange(12).reshape(3, 4)
    encoder.push(good)
    bad_lines: list[tuple[npt.NDArray[Any], str]] = [
        (good[:2], "allowed integers of shape"),
        (good.astype(np.float32), "float32"),
        (good + 1020, "sample 1024 at line 1, band 1, column 0; the bit depth allows 0..1023"),
        (good - 1, "sample -1 at line 1, band 0, column 0"),
    ]
    for bad, text in bad_lines:
        with pytest.raises(BadArgument, match=text):
            encoder.push(bad)
    encoder.push(good)
    data = encoder.header + encoder.finish()
    np.testing.assert_array_equal(decode(data, None), [good, good])


def test_an_image_without_lines_is_refused() -> None:
    with pytest.raises(BadArgument, match="0 lines came"):
        Encoder(ImageDescription(3, 4, 10, is_signed=False)).finish()


def test_a_stream_names_its_package(package: FlightPackage) -> None:
    data = encode(SOURCES["smooth"], package)
    with pytest.raises(BadArgument, match="needs the flight package"):
        decode(data, None)
    other = replace(package, sha256=bytes(32))
    with pytest.raises(BadArgument, match="was made with package"):
        decode(data, other)


def test_constants_of_the_package_normalise_too(float_package: FloatPackage) -> None:
    cube = SOURCES["smooth"]
    constants = {"kind": "constants", "mean": [100] * cube.shape[1], "scale": [80] * cube.shape[1]}
    manifest = {**float_package.manifest, "normalisation": constants}
    fixed = replace(float_package, sha256=bytes(32), manifest=manifest)
    np.testing.assert_array_equal(decode(encode(cube, fixed), fixed), cube)
    with pytest.raises(BadArgument, match="package is for 6 bands, the image has 3"):
        encode(cube[:, :3], fixed)


def test_an_executor_is_only_asked_for_steps(package: FlightPackage) -> None:
    executor = make_executor(package)
    cube = SOURCES["smooth"]
    image = ImageDescription(cube.shape[1], cube.shape[2], 12, is_signed=False)
    streams = []
    for _ in range(2):  # one executor serves many streams: it keeps nothing
        encoder = Encoder(image, package, executor=executor)
        streams.append(b"".join([*(encoder.push(line) for line in cube), encoder.finish()]))
    assert streams[0] == streams[1]

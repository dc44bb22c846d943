"""decode(encode(x)) == x for every shape and value, with and without a network, lossless and within an error."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil_tests.fault_programs.bit_flips import held_arrays
from runtime import ccsds123
from runtime.cell.flight_package import FlightPackage, FloatPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import restored_lines
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import Loaded, opened_encoder
from runtime.codec.salvage import salvage
from runtime.codec.stream_reader import StreamReader
from runtime.coders import residual_coders
from runtime.coders.residual_coders import SOME_PLAIN
from runtime.defences.checksum import checksum
from runtime.errors import BadArgument, Corrupt
from runtime.executors.executors import make_executor
from runtime.segments.residual_segment import ResidualSegments
from runtime.segments.segment_codecs import segment_codec
from runtime.stream.crc32c import crc32c
from runtime.stream.depth import bit_depth, sample_range
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, Coder, PredictorKind, Quantisation
from runtime.stream.records import TAIL, EndRecord, Gap, index_entries, record_body
from runtime.stream.segment_header import NO_PACKAGE, SEGMENT_BYTES, SegmentCoding, SegmentHeader, allowed_stages
from runtime.stream.stream_header import header_size

Cube = npt.NDArray[np.int32]
DPCM = CodingOptions(predictor=PredictorKind.DPCM)


def encode(cube: Cube, package: FlightPackage | None = None, depth: int | None = None, **options: Any) -> bytes:
    """The stream of lines (Y, Z, X): by the network of a package, always, else by DPCM, or by `predictor`."""
    depth = depth or bit_depth(int(cube.min()), int(cube.max()))
    image = ImageDescription(cube.shape[1], cube.shape[2], depth, is_signed=bool(cube.min() < 0))
    predictor = PredictorKind.DPCM if package is None else PredictorKind.LINERWKV
    asked = CodingOptions(**{"predictor": predictor, "network": NetworkUse.ALWAYS, **options})
    loaded = None if package is None or not asked.has_network else Loaded(package, make_executor(package))
    with opened_encoder(asked, image, loaded=loaded) as encoder:
        return b"".join([encoder.header, *(encoder.push(line) for line in cube), encoder.finish()])


def decode(data: bytes, package: FlightPackage | None = None) -> Cube:
    reader = StreamReader(io.BytesIO(data))
    decoder = Decoder(reader.header, [] if package is None else [package])
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


def test_each_segment_decodes_from_its_own_bytes_and_the_image(package: FlightPackage) -> None:
    cube = SOURCES["smooth"]
    data = encode(cube, package, segment_lines=4)
    reader = StreamReader(io.BytesIO(data))
    list(reader.segments())
    for entry in reversed(reader.index):
        header = SegmentHeader.from_bytes(data[entry.offset : entry.offset + SEGMENT_BYTES])
        payload = data[entry.offset + SEGMENT_BYTES :][: header.n_payload_bytes]
        lines = np.array(list(Decoder(reader.header, [package]).lines(header, payload)))
        np.testing.assert_array_equal(lines, cube[entry.first_line : entry.first_line + entry.n_lines])


def test_lines_that_never_came_are_a_gap_with_no_samples() -> None:
    cube = SOURCES["smooth"]
    image = ImageDescription(cube.shape[1], cube.shape[2], 12, is_signed=False)
    options = CodingOptions(predictor=PredictorKind.DPCM, segment_lines=4)
    with opened_encoder(options, image) as encoder:
        pieces = [encoder.header, *(encoder.push(line) for line in cube[:5]), encoder.skip(7)]
        data = b"".join([*pieces, *(encoder.push(line) for line in cube[5:]), encoder.finish()])
    reader = StreamReader(io.BytesIO(data))
    restored = np.array(list(restored_lines(Decoder(reader.header), reader.pieces())))
    assert reader.gaps == [Gap(5, 7)]
    assert reader.end is not None and reader.end.n_lines == len(cube) + 7
    np.testing.assert_array_equal(np.delete(restored, np.arange(5, 12), axis=0), cube)
    assert not restored[5:12].any()
    found = salvage(data)
    assert [(one.header.first_line, one.header.next_line) for one in found.segments][:3] == [(0, 4), (4, 5), (12, 16)]
    assert found.n_lines == len(cube) + 7


def test_the_index_is_found_from_the_end_of_the_stream() -> None:
    data = encode(SOURCES["smooth"], segment_lines=2)
    n_bytes, _ = TAIL.unpack(data[-TAIL.size :])
    crc = crc32c(data[: header_size(data)])
    end = EndRecord.from_body(record_body(data[-n_bytes:], crc))
    entries = index_entries(record_body(data[end.index_offset :], crc))
    assert [(entry.first_line, entry.n_lines) for entry in entries] == [(0, 2), (2, 2), (4, 2), (6, 2), (8, 1)]
    without = encode(SOURCES["smooth"], segment_lines=2, index=False)
    assert len(without) < len(data)
    np.testing.assert_array_equal(decode(without), SOURCES["smooth"])


def test_a_ccsds123_segment_holds_an_image_that_any_decoder_of_the_standard_reads() -> None:
    cube = SOURCES["smooth"]
    reader = StreamReader(io.BytesIO(encode(cube, segment_lines=5, predictor=PredictorKind.CCSDS123)))
    payloads = {segment.first_line: payload for segment, payload in reader.segments()}
    assert [ccsds123.read_header(payload).image.n_lines for payload in payloads.values()] == [5, 4]
    for first, payload in payloads.items():
        np.testing.assert_array_equal(ccsds123.decode(payload).transpose(1, 0, 2), cube[first : first + 5])


@pytest.mark.parametrize("stage", [AdaptiveStage.NONE, AdaptiveStage.BEST])
def test_memory_is_bounded_whatever_the_number_of_lines(stage: AdaptiveStage, package: FlightPackage) -> None:
    lines = np.random.default_rng(1).integers(0, 3000, (4, 4, 50))
    image = ImageDescription(4, 50, 12, is_signed=False)
    options = CodingOptions(stage=stage, segment_lines=4, index=False, network=NetworkUse.ALWAYS)
    sizes = []
    with opened_encoder(options, image, loaded=Loaded(package, make_executor(package))) as encoder:
        for _ in range(10):
            for line in lines[:3]:
                encoder.push(line)
            assert encoder.segments.segment is not None
            sizes.append(sum(array.nbytes for array in held_arrays(encoder.segments.segment.writer.written)))
            encoder.push(lines[3])
    assert set(sizes) == {sizes[0]}, "what a segment holds must not grow with the segments"


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


def test_an_encoder_refuses_a_bad_line_and_goes_on(package: FlightPackage) -> None:
    encoder = Encoder(ImageDescription(3, 4, 10, is_signed=False), DPCM)
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
    np.testing.assert_array_equal(decode(data), [good, good])


def test_an_image_without_lines_is_refused() -> None:
    with pytest.raises(BadArgument, match="0 lines came"):
        Encoder(ImageDescription(3, 4, 10, is_signed=False), DPCM).finish()


def test_a_stream_names_its_package(package: FlightPackage) -> None:
    data = encode(SOURCES["smooth"], package)
    with pytest.raises(BadArgument, match="needs the flight package"):
        decode(data)
    other = replace(package, sha256=bytes(32))
    with pytest.raises(BadArgument, match=r"needs the flight package .* given 000000000000"):
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
        with opened_encoder(CodingOptions(), image, loaded=Loaded(package, executor)) as encoder:
            streams.append(b"".join([*(encoder.push(line) for line in cube), encoder.finish()]))
    assert streams[0] == streams[1]

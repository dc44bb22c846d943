"""What a stream holds and who may read it: segments, gaps, its index, its package; bad lines are refused."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

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
from runtime.errors import BadArgument
from runtime.executors.executors import make_executor
from runtime.stream.crc32c import crc32c
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind
from runtime.stream.records import TAIL, EndRecord, Gap, index_entries, record_body
from runtime.stream.segment_header import SEGMENT_BYTES, SegmentHeader
from runtime.stream.stream_header import header_size
from tests.runtime.codec.coded_cube import DPCM, SOURCES, decode, encode


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

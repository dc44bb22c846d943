"""Special values come back exactly, whatever the error allowed; no other sample becomes one, nothing learns of them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import opened_encoder
from runtime.codec.stream_reader import StreamReader
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import BadArgument
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind, Quantisation, SampleType, SpecialKind
from runtime.stream.special_values import Special

Cube = npt.NDArray[np.int16]
VOID, LIMIT = SpecialKind.VOID, SpecialKind.LIMIT
WAYS = [
    (PredictorKind.DPCM, None), (PredictorKind.CCSDS123, None), (PredictorKind.RLS, AdaptiveStage.FAST),
    (PredictorKind.RLS, AdaptiveStage.BEST), (PredictorKind.LINERWKV, AdaptiveStage.NONE),
    (PredictorKind.LINERWKV, AdaptiveStage.BEST),
]  # fmt: skip


def scene(void: int = -9999, shape: tuple[int, int, int] = (20, 5, 24), seed: int = 0) -> Cube:
    """A border, a first stretch of lines and single samples without measurement; others near them."""
    generator = np.random.default_rng(seed)
    cube = (generator.integers(0, 60, shape) + np.arange(shape[1])[:, None] * 300).astype(np.int16)
    cube[:, :, 3 * shape[2] // 4 :] = cube[: shape[0] // 5] = void
    cube[generator.random(shape) < 0.05] = 500
    return cube


def image_of(cube: Cube, specials: tuple[Special, ...], depth: int = 11) -> ImageDescription:
    n_lines, n_bands, n_columns = cube.shape
    return ImageDescription(n_bands, n_columns, depth, False, n_lines, SampleType.INT16, specials=specials)


def coded(cube: Cube, image: ImageDescription, options: CodingOptions) -> bytes:
    with opened_encoder(options, image) as encoder:
        return b"".join([encoder.header, *(encoder.push(line) for line in cube), encoder.finish()])


def decoded(stream: bytes, *packages: FlightPackage) -> Cube:
    reader = StreamReader(io.BytesIO(stream))
    decoder = Decoder(reader.header, packages)
    return np.array([line for segment, payload in reader.segments() for line in decoder.lines(segment, payload)])


def check(cube: Cube, found: npt.NDArray[Any], max_error: int, specials: tuple[Special, ...]) -> None:
    """No sample is further off than allowed, and the special ones are those of the image."""
    assert np.abs(found.astype(int) - cube).max() <= max_error
    for special in specials:
        np.testing.assert_array_equal(found == special.value, cube == special.value, str(special))


@pytest.mark.parametrize("quantisation", list(Quantisation))
@pytest.mark.parametrize("max_error", [0, 1, 3, 40])
@pytest.mark.parametrize(("predictor", "stage"), WAYS)
def test_they_come_back_and_no_other_sample_becomes_one(
    predictor: PredictorKind, stage: AdaptiveStage | None, max_error: int, quantisation: Quantisation,
    package: FlightPackage,
) -> None:  # fmt: skip
    cube = scene()
    neighbours = (Special(-9999), Special(500, LIMIT), Special(501, LIMIT), Special(2047, LIMIT), Special(0, LIMIT))
    for specials in ((Special(-9999),), (Special(500), Special(-9999)), neighbours):
        options = CodingOptions(
            predictor=predictor,
            stage=stage,
            max_error=max_error,
            network=NetworkUse.ALWAYS,
            quantisation=quantisation,
            segment_lines=8,
        )
        stream = coded(cube, image_of(cube, specials), options)
        check(cube, decoded(stream, package), max_error, specials)


@pytest.mark.parametrize("max_error", [0, 2])
@pytest.mark.parametrize(("predictor", "stage"), WAYS)
def test_nothing_depends_on_the_value_of_what_was_not_measured(
    predictor: PredictorKind, stage: AdaptiveStage | None, max_error: int
) -> None:
    options = CodingOptions(
        predictor=predictor, stage=stage, max_error=max_error, network=NetworkUse.ALWAYS, segment_lines=8
    )
    streams = [coded(scene(void), image_of(scene(void), (Special(void),)), options) for void in (-9999, -1, 32767)]
    headers = [StreamReader(io.BytesIO(stream)) for stream in streams]
    payloads = [[payload for _, payload in reader.segments()] for reader in headers]
    assert payloads[0] == payloads[1] == payloads[2]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_image_of_any_special_values_comes_back(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.integers(1, 7)) for _ in range(3))
    low, high = data.draw(st.sampled_from([(0, 9), (0, 255), (100, 103)]))
    cells = st.one_of(st.integers(low, high), st.sampled_from([-7, 300, low, high]))
    size = int(np.prod(shape))
    cube = np.array(data.draw(st.lists(cells, min_size=size, max_size=size)), np.int16).reshape(shape)
    voids = [Special(-7), Special(300)]
    limits = [Special(value, LIMIT) for value in data.draw(st.lists(st.integers(low, high), max_size=3, unique=True))]
    specials = tuple(data.draw(st.permutations(voids + limits)))
    max_error = data.draw(st.sampled_from([0, 1, 2, 5, 100]))
    predictor = data.draw(st.sampled_from([PredictorKind.DPCM, PredictorKind.CCSDS123]))
    options = CodingOptions(
        predictor=predictor, max_error=max_error, segment_lines=data.draw(st.integers(1, 4)),
        quantisation=data.draw(st.sampled_from(list(Quantisation))), guard=data.draw(st.sampled_from(list(GuardLevel))),
    )  # fmt: skip
    check(cube, decoded(coded(cube, image_of(cube, specials, depth=8), options)), max_error, specials)


def test_nodata_comes_back_with_every_error_that_is_allowed() -> None:
    """Of a small depth all; the neighbours of the value are the hard ones."""
    cube = scene(40, (8, 4, 12)) % 128
    cube[:, :, ::3] = np.random.default_rng(2).integers(37, 44, (8, 4, 4))
    specials = (Special(40), Special(42), Special(0, LIMIT), Special(255, LIMIT))
    for max_error in range(128):
        for predictor in (PredictorKind.DPCM, PredictorKind.CCSDS123):
            options = CodingOptions(predictor=predictor, max_error=max_error, segment_lines=5)
            check(cube, decoded(coded(cube, image_of(cube, specials, 8), options)), max_error, specials)


def test_they_cost_next_to_nothing_and_nothing_where_there_are_none() -> None:
    options = CodingOptions(predictor=PredictorKind.RLS)
    measured = np.where(scene(shape=(64, 6, 64)) == -9999, 700, scene(shape=(64, 6, 64))).astype(np.int16)
    cube = measured.copy()
    cube[:, :, 48:] = -9999
    void = coded(cube, image_of(cube, (Special(-9999),)), options)
    plain = coded(cube[:, :, :48], image_of(cube[:, :, :48], ()), options)
    assert len(void) < 1.02 * len(plain)  # the edge is among the regressors of its neighbours
    limits = coded(measured, image_of(measured, (Special(2046, LIMIT), Special(2047, LIMIT))), options)
    without = coded(measured, image_of(measured, ()), options)
    assert len(limits) == len(without) + 2 * 2 * 9  # in the header and its copy
    for header, _ in StreamReader(io.BytesIO(limits)).segments():
        assert not header.coding.has_specials


def test_an_image_without_a_measurement_is_a_few_bytes_a_segment() -> None:
    cube = np.full((100, 30, 40), -9999, np.int16)
    image = describe(Scene(cube, {"data ignore value": "-9999"}), None)
    assert [special.value for special in image.specials] == [-9999]
    stream = coded(cube, image, CodingOptions(predictor=PredictorKind.RLS))
    np.testing.assert_array_equal(decoded(stream), cube)
    assert len(stream) < 700


@pytest.mark.parametrize("max_error", [0, 3])
def test_an_executor_that_fails_between_costs_none(max_error: int, package: FlightPackage, tmp_path: Path) -> None:
    cube, specials = scene(), (Special(-9999), Special(500, LIMIT))
    options = CodingOptions(max_error=max_error, segment_lines=8, guard=GuardLevel.PROOF, network=NetworkUse.ALWAYS)
    with opened_encoder(options, image_of(cube, specials)) as encoder:
        stream = encoder.header + b"".join(encoder.push(line) for line in cube[:11])
        encoder.segments.give_up_executor()
        stream += encoder.sent(encoder.close()) + b"".join(encoder.push(line) for line in cube[11:]) + encoder.finish()
    assert encoder.n_fallbacks > 0
    check(cube, decoded(stream, package), max_error, specials)


def test_a_scan_finds_limits_where_they_are_often_and_no_others() -> None:
    cube = np.random.default_rng(0).integers(10, 4000, (40, 10, 50))
    assert describe(Scene(cube), None).specials == ()
    clipped = np.minimum(cube, 3900)
    assert describe(Scene(clipped), None).specials == (Special(3900, LIMIT),)
    assert describe(Scene(clipped), 12).specials == (Special(3900, LIMIT),)
    declared = describe(Scene(clipped, {"data ignore value": " 3900.0"}), None)
    assert declared.specials == (Special(3900, VOID),)
    assert describe(Scene(clipped, {"data ignore value": "-9999"}), None, specials=(3900,)).specials == (
        Special(-9999, VOID),
        Special(3900, VOID),
    )


def test_encoders_refuse_what_cannot_be_special() -> None:
    for specials in ((Special(40000),), (Special(5), Special(5)), (Special(5000, LIMIT),)):
        with pytest.raises(BadArgument, match="special value"):
            image_of(scene(), specials)
    assert Encoder(image_of(scene(), (Special(-32768),)), CodingOptions(predictor=PredictorKind.DPCM))

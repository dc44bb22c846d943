"""What a scan finds of the values of a file, and that they come back of any type."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.line_codes import LineCodes
from runtime.codec.stream_reader import StreamReader
from runtime.errors import BadArgument
from runtime.images.image_of_scene import describe
from runtime.images.raw_lines import RawLayout, describe_pipe
from runtime.images.scene_reader import Scene
from runtime.stream.coded_line import file_line
from runtime.stream.depth import OutOfRange
from runtime.stream.kinds import PredictorKind, Quantisation, SpecialKind
from runtime.stream.sample_map import SampleMap
from runtime.stream.special_values import number_of

Values = npt.NDArray[Any]


def there_and_back(cube: Values, max_error: int = 0, **words: Any) -> tuple[Values, Any]:
    image = describe(Scene(cube, words.pop("metadata", {})), None, **words)
    encoder = Encoder(image, CodingOptions(predictor=PredictorKind.DPCM, max_error=max_error, segment_lines=3))
    stream = b"".join([encoder.header, *(encoder.push(line) for line in cube), encoder.finish()])
    reader = StreamReader(io.BytesIO(stream))
    decoder = Decoder(reader.header)
    lines = [line for segment, payload in reader.segments() for line in decoder.lines(segment, payload)]
    found = np.array(lines)
    return found.astype(cube.dtype) if image.is_as_it_is else found, reader.header.image


def integers(*shape: int, low: int = 0, high: int = 4095) -> Values:
    return np.random.default_rng(1).integers(low, high + 1, shape)


@pytest.mark.parametrize(
    ("cube", "depth", "values"),
    [
        ((integers(4, 3, 50) << 4).astype(np.uint16), 12, SampleMap(0, 16)),
        ((integers(4, 3, 50) * 10 + 7).astype(np.uint16), 12, SampleMap(7, 10)),
        ((integers(4, 3, 50, low=-2000, high=2000) * 12).astype(np.int16), 12, SampleMap(0, 12)),
        ((integers(4, 3, 50) + 1_000_000).astype(np.int32), 12, SampleMap(1_000_023, 1)),
        ((integers(4, 3, 50) * 3 - (1 << 40)).astype(np.int64), 12, None),
        ((integers(4, 3, 50) + (1 << 62)).astype(np.uint64), 12, None),
        (integers(4, 3, 50, high=60000).astype(np.uint32), 16, SampleMap()),
        (integers(4, 3, 50, low=-100, high=100).astype(np.int8), 8, SampleMap()),
        ((integers(4, 3, 50) / 10000).astype(np.float32), 12, SampleMap(0, 1, 10000.0, True)),
        (integers(4, 3, 50, low=-3000) * 0.001, 13, None),
        ((integers(4, 3, 50) * 0.25).astype(np.float32), 12, None),
        (integers(4, 3, 50).astype(np.float64), 12, SampleMap()),
        (np.full((3, 2, 4), 65535, np.uint16), 16, SampleMap()),
        ((integers(4, 3, 50).astype("f4") * np.float32(1e-4)), 12, None),
        (np.concatenate([np.zeros((1, 3, 50)), integers(3, 3, 50) / 3.0]), 12, None),
    ],
)
def test_a_file_of_any_type_is_coded_as_what_it_is(cube: Values, depth: int, values: SampleMap | None) -> None:
    found, image = there_and_back(cube)
    assert found.dtype == cube.dtype
    assert found.tobytes() == cube.tobytes()
    assert image.depth == depth
    assert values is None or image.values == values


@pytest.mark.parametrize("max_error", [1, 15, 16, 50, 200])
def test_an_error_is_counted_in_samples_and_stays_in_their_type(max_error: int) -> None:
    cube = (integers(5, 3, 40) << 4).astype(np.uint16)
    found, _ = there_and_back(cube, max_error)
    assert np.abs(found.astype(int) - cube).max() <= max_error
    assert (found % 16 == 0).all()


def test_special_values_need_not_be_of_the_step_nor_of_the_range() -> None:
    cube = (integers(6, 3, 40) << 4).astype(np.uint16)
    cube[:, :, 5] = 65535
    found, image = there_and_back(cube, metadata={"data ignore value": "65535"})
    np.testing.assert_array_equal(found, cube)
    assert (image.depth, image.values) == (12, SampleMap(0, 16))
    wide = integers(6, 3, 40).astype(np.int32)
    wide[2] = -(1 << 31)
    found, image = there_and_back(wide, 4, specials=(-(1 << 31),))
    np.testing.assert_array_equal(found == -(1 << 31), wide == -(1 << 31))
    assert image.depth == 12
    floats = (integers(6, 3, 40) / 100).astype(np.float32)
    floats[1] = np.nan
    found, _ = there_and_back(floats, specials=(float("nan"),))
    assert found.tobytes() == floats.tobytes()
    floats[1] = -9999
    found, _ = there_and_back(floats, metadata={"data ignore value": "-9999"})
    assert found.tobytes() == floats.tobytes()


@given(st.integers(-100, 100), st.integers(1, 300), st.sampled_from(["u2", "i2", "i4", "u4", "i8"]), st.integers(0, 9))
def test_any_step_and_offset_come_back(offset: int, step: int, dtype: str, max_error: int) -> None:
    codes = np.random.default_rng(step).integers(0, 100, (3, 2, 5))
    cube = np.clip(offset + step * codes, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)
    found, _ = there_and_back(cube, max_error)
    assert np.abs(found.astype(np.int64) - cube.astype(np.int64)).max() <= max_error


@pytest.mark.parametrize(
    ("cube", "words", "text"),
    [
        (integers(3, 2, 4, high=1 << 20).astype(np.int32), {}, "bits after the smallest is taken away"),
        (np.random.default_rng(0).normal(size=(3, 2, 4)), {}, "not integers of 16 bits times one scale"),
        (np.full((2, 2, 2), np.nan, np.float32), {}, "8 of them NaN; allowed with --nodata nan"),
        (np.full((2, 2, 2), -0.0, np.float32), {}, "not integers"),
        (integers(3, 2, 4).astype(np.uint16), {"specials": (-1,)}, "special value -1, which no sample of type uint16"),
        (integers(3, 2, 4).astype(np.uint16), {"specials": (1.5,)}, "special value 1.5"),
        (integers(3, 2, 4).astype(np.complex64), {}, "samples are complex64"),
        (integers(3, 2, 4).astype(np.float32), {"beyond": OutOfRange.CLIP}, "clipping of float samples"),
        (np.array([[[-(1 << 63), 0]], [[-(1 << 63), -(1 << 63)]]]), {}, "64 bits after the smallest"),
    ],
)
def test_what_cannot_be_coded_is_one_line(cube: Values, words: dict[str, Any], text: str) -> None:
    with pytest.raises(BadArgument, match=text) as found:
        describe(Scene(cube), None, **words)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("dtype", "offset", "sample", "clipped"),
    [("<u8", 0, 2**64 - 1, 4095), ("<i8", 1 << 62, -(1 << 63), (1 << 62) - 2048), ("<i8", 1 << 62, 5, (1 << 62) - 2048),
     ("<i8", -(1 << 62), (1 << 63) - 1, 2047 - (1 << 62)), ("<u4", 0, 2**32 - 1, 4095)],
)  # fmt: skip
def test_what_is_clipped_goes_to_its_own_end(dtype: str, offset: int, sample: int, clipped: int) -> None:
    image = describe_pipe(RawLayout(1, 2, dtype, "bil", values=SampleMap(offset)), 12)
    codes = LineCodes(image, OutOfRange.CLIP)
    found = file_line(image, codes.of(np.array([[sample, sample]], dtype), 0), np.dtype(dtype))
    assert found.tolist() == [[clipped, clipped]]
    assert codes.n_clipped == 2


def test_what_is_clipped_never_becomes_nodata() -> None:
    for specials in ((255,), (255, 254), (0, 1, 255, 253)):
        image = describe_pipe(RawLayout(1, 3, "<u2", "bil"), 8, specials)
        line = np.array([[300, 7, 65535]], np.uint16)
        for max_error in range(4):
            for way in Quantisation:
                options = CodingOptions(
                    PredictorKind.DPCM, max_error=max_error, quantisation=way, out_of_range=OutOfRange.CLIP
                )
                encoder = Encoder(image, options)
                stream = encoder.header + encoder.push(line) + encoder.finish()
                reader = StreamReader(io.BytesIO(stream))
                (segment,) = reader.segments()
                (found,) = Decoder(reader.header).lines(*segment)
                assert not np.isin(found, specials).any()
    layout = RawLayout(1, 2, "<u2", "bil", values=SampleMap(0, 16))
    image = describe_pipe(layout, 12, (65520, 1600))
    codes = LineCodes(image, OutOfRange.CLIP).of(np.array([[65515, 1601]], np.uint16), 0)
    assert file_line(image, codes, np.dtype("u2")).tolist() == [[65504, 1616]]


def test_integers_of_any_size_are_special_exactly() -> None:
    value = (1 << 53) + 1
    cube = np.array([[[value, value + 9, value - 1]]])
    for words in ({"metadata": {"data ignore value": str(value)}}, {"specials": (value,)}):
        found, image = there_and_back(cube, 3, **words)
        assert image.specials[0].value == value
        assert (found == value).tolist() == [[[True, False, False]]]
    assert number_of(" 12.00 ") == 12 and number_of("-9.9990e+03") == -9999.0
    assert [number_of(text) for text in ("1_0", "", "0x1", "1 2", "nan nan")] == [None] * 5


def test_many_special_values_leave_no_room_for_limits() -> None:
    cube = np.minimum(integers(3, 2, 40), 3000)
    image = describe(Scene(cube), None, specials=tuple(range(5000, 5016)))
    assert len(image.specials) == 16
    assert len(describe_pipe(RawLayout(1, 1, "<u2", "bil"), 16, tuple(range(15))).specials) == 16
    assert image.metadata == {}
    assert describe(Scene(cube), None, specials=(5000,)).metadata == {"data ignore value": "5000"}


def test_an_encoder_takes_floats_of_the_type_of_the_file_alone() -> None:
    image = describe(Scene(integers(1, 1, 4).astype(np.float32)), None)
    for dtype in (np.float64, np.float16, np.int32):
        with pytest.raises(BadArgument, match="allowed float32 of shape"):
            Encoder(image, CodingOptions(PredictorKind.DPCM)).push(np.ones((1, 4), dtype))
    with pytest.raises(BadArgument, match=r"sample 1\.5 at line 0"):
        Encoder(image, CodingOptions(PredictorKind.DPCM)).push(np.full((1, 4), 1.5, np.float32))
    clipping = Encoder(image, CodingOptions(PredictorKind.DPCM, out_of_range=OutOfRange.CLIP))
    with pytest.raises(BadArgument, match="sample nan at line 0"):
        clipping.push(np.full((1, 4), np.nan, np.float32))


def test_a_pipe_is_what_its_words_say() -> None:
    layout = RawLayout(2, 3, "<u2", "bil", values=SampleMap(0, 16))
    image = describe_pipe(layout, 12, (7,))
    assert image.range == (0, 4095)
    assert image.metadata == {"data ignore value": "7"}
    assert [(special.value, special.kind) for special in image.specials] == [
        (7, SpecialKind.VOID), (0, SpecialKind.LIMIT), (65520, SpecialKind.LIMIT),
    ]  # fmt: skip
    encoder = Encoder(image, CodingOptions(predictor=PredictorKind.DPCM))
    encoder.push(np.full((2, 3), 32, np.uint16))
    with pytest.raises(BadArgument, match=r"sample 33 at line 1, band 0, column 1; allowed 0 \+ 16 \* 0\.\.4095"):
        encoder.push(np.array([[32, 33, 7], [7, 7, 7]], np.uint16))
    with pytest.raises(BadArgument, match=r"special values 1\.5"):
        describe_pipe(layout, 12, (1.5,))

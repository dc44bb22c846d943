"""The array-like over a stream: as NumPy's, and no more is read and decoded than the index touches."""

import io
import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import linerwkv
from runtime.codec.segment_places import TAIL_BYTES
from runtime.errors import BadArgument, Corrupt, Incomplete, Truncated
from tests.linerwkv.conftest import N_BANDS, N_COLUMNS, N_LINES, SEGMENT_LINES, WAVELENGTHS, CountedFile, Cube

SHAPE = (N_LINES, N_BANDS, N_COLUMNS)


def slices(n: int) -> st.SearchStrategy[slice]:
    ends = st.none() | st.integers(-n - 2, n + 2)
    return st.builds(slice, ends, ends, st.none() | st.integers(-3, 3).filter(bool))


@st.composite
def keys(draw: st.DrawFn) -> tuple[Any, ...]:
    """Integers and slices of any kind, at most one list."""
    n_axes = draw(st.integers(0, 3))
    parts: list[Any] = [draw(st.one_of(st.integers(-n, n - 1), slices(n))) for n in SHAPE[:n_axes]]
    has_list = draw(st.booleans())
    if parts and has_list:
        axis = draw(st.integers(0, len(parts) - 1))
        listed = st.lists(st.integers(-SHAPE[axis], SHAPE[axis] - 1), max_size=5)
        mask = st.lists(st.booleans(), min_size=SHAPE[axis], max_size=SHAPE[axis])
        parts[axis] = draw(
            listed.map(lambda found: np.array(found, int)) | mask.map(lambda found: np.array(found, bool))
        )
        parts = [slice(one, one + 1 or None) if isinstance(one, int) else one for one in parts]
    return tuple(parts)


@given(keys())
def test_indexing_is_that_of_numpy(stream: Path, cube: Cube, key: tuple[Any, ...]) -> None:
    with linerwkv.open(stream) as image:
        found = image[key]
    expected = cube[key]
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)


@given(st.data())
def test_a_list_beside_integers_keeps_its_axis(stream: Path, cube: Cube, data: st.DataObject) -> None:
    """NumPy moves it to the front where a slice stands between them."""
    axis = data.draw(st.integers(0, 2))
    key: list[Any] = [data.draw(st.integers(-n, n - 1) | slices(n)) for n in SHAPE]
    listed = st.lists(st.integers(-SHAPE[axis], SHAPE[axis] - 1), max_size=4)
    key[axis] = np.array(data.draw(listed), int)
    expected = cube[tuple(slice(None) if i == axis else one for i, one in enumerate(key))]
    place = axis - sum(isinstance(one, int) for one in key[:axis])
    with linerwkv.open(stream) as image:
        assert np.array_equal(image[tuple(key)], np.take(expected, key[axis], axis=place))


def test_an_array_like_has_what_one_has(stream: Path, cube: Cube) -> None:
    image = linerwkv.open(str(stream))
    assert image.shape == SHAPE == (len(image), *image[0].shape)
    assert (image.ndim, image.size, image.nbytes) == (3, cube.size, cube.nbytes)
    assert np.array_equal(np.asarray(image), cube)
    assert np.asarray(image, np.float32).dtype == np.float32
    assert np.array_equal(np.stack(list(image)), cube)
    assert np.array_equal(image[..., 2], cube[..., 2])
    assert image.chunks == ((*[SEGMENT_LINES] * 6, 2), (N_BANDS,), (N_COLUMNS,))
    assert "50 lines x 5 bands x 7 columns, uint16" in repr(image)


def test_attributes_say_what_the_header_says(stream: Path) -> None:
    attrs = linerwkv.open(stream).attrs
    assert attrs["wavelength"] == WAVELENGTHS
    assert attrs["fwhm"] == [10.0] * N_BANDS
    assert attrs["map_info"][0] == "UTM"
    assert attrs["nodata"] == 65535
    assert list(attrs["line_records"][:2]) == [b"", b""]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (N_LINES, f"line {N_LINES}: allowed -50..49"),
        ((0, 0, 0, 0), "allowed at most one of each axis"),
        ((slice(None), [0, 1], [0, 1]), "allowed one list"),
        ((0, [9]), "band index 9..9: allowed -5..4"),
        ((0, "red"), "band index 'red': allowed an integer"),
        ((0, [True]), "allowed an integer, a slice, or a list"),
    ],
)
def test_a_wrong_index_is_an_index_error(stream: Path, key: Any, told: str) -> None:
    with pytest.raises(IndexError, match=told.replace("(", r"\(")):
        linerwkv.open(stream)[key]


def test_no_more_is_read_than_the_segments_touched(stream: Path) -> None:
    data = stream.read_bytes()
    entries = linerwkv.open(stream).found.places
    file = CountedFile(data)
    image = linerwkv.open(file)
    file.n_read = 0
    image[SEGMENT_LINES : SEGMENT_LINES + 3, [0]]
    assert file.n_read <= entries[1].end - entries[1].offset
    image[SEGMENT_LINES + 3 : 2 * SEGMENT_LINES]
    assert file.n_read <= entries[1].end - entries[1].offset  # kept


def test_without_an_index_headers_are_skipped_and_payloads_not_read(tmp_path: Path) -> None:
    cube = np.random.default_rng(0).integers(0, 1 << 16, (64, 64, 100)).astype(np.uint16)
    path = tmp_path / "scene.lrwk"
    linerwkv.compress(cube, path, predictor="dpcm", segment_lines=8, index=False)
    file = CountedFile(path.read_bytes())
    image = linerwkv.open(file)
    assert not image.found.has_index
    assert image.shape == cube.shape
    assert file.n_read < TAIL_BYTES + 4096 < len(file.getvalue()) // 8
    assert np.array_equal(image[30:40], cube[30:40])


def test_a_damaged_segment_is_an_error_that_names_its_lines_or_is_filled(stream: Path, cube: Cube) -> None:
    data = bytearray(stream.read_bytes())
    place = linerwkv.open(stream).found.places[2]
    data[place.offset + 60] ^= 1
    strict = linerwkv.open(io.BytesIO(data))
    assert np.array_equal(strict[:16], cube[:16])
    with pytest.raises(Corrupt, match=r"lines 16\.\.23 are missing: segment at line 16: the CRC of its payload"):
        strict[10:20]
    image = linerwkv.open(io.BytesIO(data), missing="fill")
    assert image.missing_lines == []
    found = image[14:26]
    assert np.all(found[2:10] == 65535)
    assert np.array_equal(found[:2], cube[14:16])
    assert np.array_equal(found[10:], cube[24:26])
    assert image.missing_lines == [(16, 23)]
    assert np.all(linerwkv.open(io.BytesIO(data), missing="fill", fill=7)[17] == 7)


def test_lines_that_never_came_are_missing(cube: Cube) -> None:
    with linerwkv.Encoder(N_BANDS, N_COLUMNS, 12, predictor="dpcm", segment_lines=4) as encoder:
        data = encoder.header + b"".join(encoder.push(line) for line in cube[:5]) + encoder.skip(3)
        data += b"".join(encoder.push(line) for line in cube[8:10]) + encoder.finish()
    with pytest.raises(Incomplete, match=r"lines 5\.\.7 are missing: they never came"):
        linerwkv.open(io.BytesIO(data))[4:6]
    image = linerwkv.open(io.BytesIO(data), missing="fill", fill=1)
    assert image.missing_lines == [(5, 7)]
    assert image.chunks[0] == (4, 1, 3, 2)
    assert np.all(image[5:8] == 1)
    assert np.array_equal(image[8:], cube[8:10])
    assert [line.shape for line in linerwkv.Decoder(io.BytesIO(data))] == [(N_BANDS, N_COLUMNS)] * 7


@given(st.data())
def test_a_cut_stream_opens_as_far_as_it_goes(stream: Path, cube: Cube, data: st.DataObject) -> None:
    whole = stream.read_bytes()
    places = linerwkv.open(stream).found.places
    n_bytes = data.draw(st.integers(places[0].offset, len(whole) - 1))
    cut = io.BytesIO(whole[:n_bytes])
    with pytest.raises((Truncated, Corrupt), match="missing='fill' opens what is there"):
        linerwkv.open(cut)
    image = linerwkv.open(cut, missing="fill")
    assert image.shape == SHAPE
    there = [place for place in places if place.offset + 37 < n_bytes and place.end <= n_bytes]
    n_there = there[-1].next_line if there else 0
    assert np.array_equal(image[:n_there], cube[:n_there])
    assert np.all(image[n_there:] == 65535)
    assert image.missing_lines == ([(n_there, N_LINES - 1)] if n_there < N_LINES else [])


def test_what_was_opened_by_name_can_be_pickled(stream: Path, cube: Cube) -> None:
    image = pickle.loads(pickle.dumps(linerwkv.open(stream, missing="fill", fill=3)))
    assert np.array_equal(image[5], cube[5])
    assert image.fill_value == 3
    with pytest.raises(TypeError, match="an open file cannot be sent"):
        pickle.dumps(linerwkv.open(io.BytesIO(stream.read_bytes())))


def test_many_threads_read_the_same_image(stream: Path, cube: Cube) -> None:
    image = linerwkv.open(stream, kept_bytes=3 * cube[:8].nbytes)
    runs = [slice(y, y + 5) for y in range(0, N_LINES - 5, 2)] * 3
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda run: image[run], runs))
    assert all(np.array_equal(one, cube[run]) for one, run in zip(found, runs, strict=True))
    assert sum(map(image.segments.n_bytes, image.segments.kept)) <= 3 * cube[:8].nbytes


def test_memory_is_bounded_however_long_the_stream(tmp_path: Path) -> None:
    line = np.arange(64 * 100, dtype=np.uint16).reshape(64, 100)
    path = tmp_path / "long.lrwk"
    with path.open("wb") as file, linerwkv.Encoder(64, 100, 16, predictor="dpcm", segment_lines=16) as encoder:
        file.write(encoder.header)
        for _ in range(640):
            file.write(encoder.push(line))
        file.write(encoder.finish())
    segment = 16 * line.nbytes
    image = linerwkv.open(path, kept_bytes=2 * segment)
    image[0]
    tracemalloc.start()
    for y in range(0, 640, 16):
        assert np.array_equal(image[y, :, 5], line[:, 5])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * segment  # of 40: two kept, one in work with its int32 lines and its payload


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"missing": "skip"}, "missing: found 'skip', allowed error, fill"),
        ({"fill": 3}, "allowed with missing='fill'"),
        ({"missing": "fill", "fill": 70000}, "fill value 70000, allowed 0..65535 for uint16"),
        ({"storage_options": {"anon": True}}, "storage options of no URL"),
    ],
)
def test_wrong_options_are_one_line(stream: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(BadArgument, match=told):
        linerwkv.open(stream, **options)


def test_what_is_no_stream_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "no.lrwk"
    with pytest.raises(BadArgument, match=r"no\.lrwk: No such file"):
        linerwkv.open(path)
    with pytest.raises(BadArgument, match="embedded null byte"):
        linerwkv.open("a\0b")
    path.write_bytes(b"no stream at all")
    with pytest.raises(Corrupt, match=r"no\.lrwk: stream: begins with b'no s'"):
        linerwkv.open(path)


def live(cube: Cube, n_skipped: int = 0, lines: int = 0) -> bytes:
    """Of an encoder that was cut off after 20 lines, or skipped some and ended."""
    with linerwkv.Encoder(N_BANDS, N_COLUMNS, 12, predictor="dpcm", segment_lines=8, lines=lines) as encoder:
        data = encoder.header + b"".join(map(encoder.push, cube[:20]))
        return data + encoder.skip(n_skipped) + encoder.finish() if n_skipped else data


def test_a_cut_stream_that_announced_no_lines_says_that_more_may_be_missing(stream: Path, cube: Cube) -> None:
    image = linerwkv.open(io.BytesIO(live(cube)), missing="fill")
    assert (len(image), image.missing_lines, image.missing_from) == (16, [], 16)
    assert linerwkv.open(stream).missing_from is None


@pytest.mark.parametrize("announced", [True, False])
def test_memory_does_not_grow_with_the_lines_that_are_announced(announced: bool, cube: Cube) -> None:
    most = (1 << 32) - 1
    data = live(cube, lines=most) if announced else live(cube, most - 20)
    image = linerwkv.open(io.BytesIO(data), missing="fill")
    n_there = 16 if announced else 20
    list(image[:n_there])
    tracemalloc.start()
    assert len(image) == most and image.missing_lines == [(n_there, most - 1)]
    for line, expected in zip(image, [*cube[:n_there], *[np.zeros_like(cube[0])] * 100], strict=False):
        assert np.array_equal(line, expected)
    lines = image.chunks[0]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(lines) == most
    assert peak < 64 << 20


def test_pieces_of_a_missing_run_are_no_longer_than_segments(cube: Cube) -> None:
    image = linerwkv.open(io.BytesIO(live(cube, 21)), missing="fill")
    assert image.chunks[0] == (8, 8, 4, 8, 8, 5)
    assert len(list(image)) == 41

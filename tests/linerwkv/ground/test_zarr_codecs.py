"""The codecs under whichever Zarr is here: round trips, edge chunks, pickling, entry points, segments of streams."""

import json
import pickle
import re
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import linerwkv
from linerwkv.ground.chunk_coding import ChunkCoding
from runtime.cell.flight_package import SHIPPED, open_package
from runtime.errors import BadArgument, Corrupt
from runtime.images.image_facts import nodata_of
from tests.linerwkv.conftest import Cube

PROJECT = Path(__file__).parents[3] / "pyproject.toml"
zarr = pytest.importorskip("zarr")
numcodecs = pytest.importorskip("numcodecs")
IS_3 = int(zarr.__version__.split(".")[0]) >= 3


def entry_point(group: str) -> Any:
    """The class that pyproject.toml names, whether it is installed or not."""
    points = tomllib.loads(PROJECT.read_text())["project"]["entry-points"][group]
    return EntryPoint("linerwkv", points["linerwkv"], group).load()


@pytest.fixture(autouse=True)
def registered() -> None:
    """As entry points do."""
    numcodecs.register_codec(entry_point("numcodecs.codecs"))
    if IS_3:
        for name in ("linerwkv", "numcodecs.linerwkv"):
            zarr.registry.register_codec(name, entry_point("zarr.codecs"))


def coding(**more: Any) -> dict[str, Any]:
    return {"lines": 8, "bands": 5, "columns": 7, "depth": 12, "predictor": "dpcm", **more}


def array(store: Any, shape: tuple[int, ...], zarr_format: int, config: dict[str, Any]) -> Any:
    """A new array of one of the formats."""
    chunks = tuple(config[axis] for axis in ("lines", "bands", "columns"))
    if zarr_format == 3:
        codec = entry_point("zarr.codecs")(**config)
        return zarr.create_array(
            store, shape=shape, chunks=chunks, dtype="uint16", serializer=codec, compressors=None, filters=None
        )
    codec = entry_point("numcodecs.codecs")(**config)
    if IS_3:
        return zarr.create_array(
            store, shape=shape, chunks=chunks, dtype="uint16", compressors=codec, filters=None, zarr_format=2
        )
    return zarr.open(str(store), "w", shape=shape, chunks=chunks, dtype="<u2", compressor=codec)


@pytest.mark.parametrize("zarr_format", [2, 3] if IS_3 else [2])
def test_arrays_come_back_with_their_edge_chunks(zarr_format: int, cube: Cube, tmp_path: Path) -> None:
    """50 lines, 5 bands and 7 columns are no whole chunks along any axis."""
    config = coding(bands=3, columns=4)
    array(tmp_path / "a.zarr", cube.shape, zarr_format, config)[:] = cube
    found = zarr.open(str(tmp_path / "a.zarr"), mode="r")
    assert np.array_equal(found[:], cube)
    assert np.array_equal(found[13:30, 4, ::2], cube[13:30, 4, ::2])
    text = json.dumps(json.loads((tmp_path / "a.zarr" / ("zarr.json" if zarr_format == 3 else ".zarray")).read_text()))
    assert '"predictor": "dpcm"' in text


@pytest.mark.parametrize("zarr_format", [2, 3] if IS_3 else [2])
def test_an_error_is_kept(zarr_format: int, cube: Cube, tmp_path: Path) -> None:
    found = array(tmp_path / "a.zarr", cube.shape, zarr_format, coding(max_error=3))
    found[:] = cube
    assert 0 < np.abs(found[:].astype(int) - cube).max() <= 3


@pytest.mark.parametrize("group", ["numcodecs.codecs", *["zarr.codecs"] * IS_3])
def test_codecs_can_be_pickled_and_named(group: str) -> None:
    codec = entry_point(group)(**coding(max_error=1))
    assert pickle.loads(pickle.dumps(codec)) == codec
    assert codec.coding == ChunkCoding.from_config(codec.coding.to_config())
    if group == "zarr.codecs":
        assert type(codec).from_dict(json.loads(json.dumps(codec.to_dict()))) == codec
    else:
        assert numcodecs.get_codec(json.loads(json.dumps(codec.get_config()))) == codec


@settings(max_examples=20)
@given(st.data())
def test_any_chunk_comes_back(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 6)))
    depth = data.draw(st.integers(8, 16))
    chunk = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, 1 << depth, shape).astype(np.uint16)
    made = ChunkCoding(*shape, depth=depth, predictor=data.draw(st.sampled_from(["dpcm", "ccsds123"])))
    assert np.array_equal(made.decode(made.encode(chunk)), chunk)


def test_segments_of_a_stream_are_chunks_as_they_lie(stream: Path, cube: Cube) -> None:
    image = linerwkv.open(stream)
    fill = nodata_of(image.header.image)
    assert fill is not None
    made = ChunkCoding.of_stream(image.header, image.found.stream_crc, 8, fill)
    made = ChunkCoding.from_config(json.loads(json.dumps(made.to_config())))
    data = stream.read_bytes()
    for place in image.found.places:
        found = made.decode(data[place.offset : place.end])
        assert np.array_equal(found[: place.n_lines], cube[place.first_line : place.next_line])
        assert np.all(found[place.n_lines :] == 65535)
    with pytest.raises(Corrupt, match="belongs to another stream"):
        ChunkCoding.of_stream(image.header, 1, 8, 0).decode(data[place.offset : place.end])


def test_a_network_is_found_by_its_hash(cube: Cube) -> None:
    package = f"int8_v2:{open_package(SHIPPED).sha256.hex()}"
    made = ChunkCoding(4, 5, 7, depth=12, predictor="linerwkv", packages=(package,))
    assert np.array_equal(made.decode(made.encode(cube[:4])), cube[:4])
    with pytest.raises(BadArgument, match=f"package int8-v2:{'0' * 64} not found, looked for in"):
        ChunkCoding(4, 5, 7, depth=12, predictor="linerwkv", packages=(f"int8-v2:{'0' * 64}",)).encode(cube[:4])


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"lines": 0}, "chunk: key lines: found 0, allowed int at least 1, at most 65535"),
        ({"lines": 8.5}, "found 8.5, allowed int"),
        ({"bands": 4.0}, "chunk: key bands: found 4.0, allowed int"),
        ({"signed": "no"}, 'key signed: found "no", allowed true or false'),
        ({"predictor": "jpeg"}, 'predictor: found "jpeg", allowed'),
        ({"predictor": None}, "key predictor: found null, allowed text"),
        ({"stage": "slow"}, 'stage: found "slow", allowed'),
        ({"max_error": -1}, "max_error: found -1, allowed 0 or more"),
        ({"max_error": 2048}, "max_error 2048, allowed 0..2047"),
        ({"stream": 1 << 32}, "key stream: found 4294967296, allowed int at least 0, at most 4294967295"),
        ({"values": [0.5, 1, 1.0, False]}, "key values: found .*, allowed offset, step, scale, whether it divides"),
        ({"values": [0, 1]}, "key values"),
        ({"values": [1 << 70, 1, 1.0, False]}, "allowed 64 bits"),
        ({"fill": 5}, "key fill: found 5, allowed text"),
        ({"fill": "abc"}, "fill abc, allowed a number"),
        ({"fill": "nan"}, "fill value nan, allowed 0..65535 for uint16"),
        ({"fill": "-1"}, "fill value -1, allowed 0..65535"),
        ({"fill": "65536"}, "fill value 65536, allowed 0..65535"),
        ({"fill": "1.5"}, "fill value 1.5, allowed 0..65535"),
        ({"packages": [5]}, "key packages: .*allowed list of ARITHMETIC:SHA256"),
        ({"packages": ["int8_v2:ab"]}, "allowed ARITHMETIC:SHA256 each"),
        ({"special_values": 5}, "key special_values: found 5, allowed list of a number, and void or limit"),
        ({"special_values": [["5"]]}, "key special_values"),
        ({"colour": 1}, "key colour: not known, allowed lines"),
        ({"sample_type": "complex"}, "sample type complex, allowed"),
        ({"depth": 20}, "depth is 20"),
        ({"packages": ["x"]}, "allowed ARITHMETIC:SHA256"),
        ({"special_values": [["red", "void"]]}, "special value red void"),
    ],
)
def test_wrong_configurations_are_one_line(config: dict[str, Any], told: str) -> None:
    with pytest.raises(BadArgument, match=told):
        ChunkCoding.from_config(coding(**config))


@pytest.mark.parametrize(
    ("chunk", "told"),
    [
        (np.full((8, 5, 7), 70000, np.int32), "chunks (8, 5, 7) of <i4, allowed (8, 5, 7) of <u2"),
        (np.full((8, 5, 7), -1, np.int64), "of <i8"),
        (np.full((8, 5, 7), 2.9), "of <f8"),
        (np.ones((8, 5, 7), ">u2"), "of >u2"),
        (np.ones((5, 8, 7), np.uint16), "chunks (5, 8, 7)"),
        (np.ones((4, 5, 7), np.uint16), "chunks (4, 5, 7)"),
        (np.full((8, 5, 7), 4096, np.uint16), "sample 4096 at line 0"),
    ],
)
def test_what_a_chunk_cannot_hold_is_refused(chunk: Cube, told: str) -> None:
    with pytest.raises(BadArgument, match=re.escape(told)):
        ChunkCoding.from_config(coding()).encode(chunk)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<i4", "<f4", "|u1"])
def test_arrays_of_format_2_come_back_or_are_refused(order: str, dtype: str, tmp_path: Path) -> None:
    """Zarr tells a codec of format 2 neither type nor order: what it cannot give back is refused as it is written."""
    cube = np.arange(8 * 5 * 7).reshape(8, 5, 7).astype(dtype) % 200
    codec = entry_point("numcodecs.codecs")(**coding())
    words: dict[str, Any] = {"shape": cube.shape, "chunks": cube.shape, "dtype": dtype, "order": order}
    if IS_3:
        made = zarr.create_array(tmp_path / "a.zarr", compressors=codec, filters=None, zarr_format=2, **words)
    else:
        made = zarr.open(str(tmp_path / "a.zarr"), "w", compressor=codec, **words)
    if (order, dtype) == ("C", "<u2"):
        made[:] = cube
        assert np.array_equal(zarr.open(str(tmp_path / "a.zarr"), mode="r")[:], cube)
    else:
        with pytest.raises(BadArgument, match="allowed"):
            made[:] = cube


def test_samples_go_only_where_they_fit(cube: Cube) -> None:
    codec = entry_point("numcodecs.codecs")(**coding())
    data, out = codec.encode(cube[:8]), np.empty((8, 5, 7), np.uint16)
    assert np.array_equal(codec.decode(data, out), cube[:8]) and np.array_equal(out, cube[:8])
    for wrong in (np.empty((8, 5, 7), ">u2"), np.empty(3, np.uint16), np.empty((8, 5, 7), np.uint16, order="F")):
        with pytest.raises(BadArgument, match="allowed"):
            codec.decode(data, wrong)


@pytest.mark.parametrize("zarr_format", [2, 3] if IS_3 else [2])
def test_an_axis_of_one_may_be_indexed(zarr_format: int, cube: Cube, tmp_path: Path) -> None:
    made = array(tmp_path / "a.zarr", (8, 5, 7), zarr_format, coding(bands=1))
    for z in range(5):
        made[:, z] = cube[:8, z]
        assert np.array_equal(made[:, z], cube[:8, z])
    assert np.array_equal(made[:], cube[:8])


def test_chunks_for_a_stream_are_of_that_stream(cube: Cube) -> None:
    made = ChunkCoding.from_config(coding(stream=12345))
    assert np.array_equal(made.decode(made.encode(cube[:8])), cube[:8])
    with pytest.raises(Corrupt, match="belongs to another stream"):
        ChunkCoding.from_config(coding(stream=1)).decode(made.encode(cube[:8]))


def test_damaged_chunks_are_errors(cube: Cube) -> None:
    made = ChunkCoding.from_config(coding())
    data = bytearray(made.encode(cube[:8]))
    data[-1] ^= 1
    with pytest.raises(Corrupt):
        made.decode(bytes(data))

"""References: read by fsspec and Zarr, and by VirtualiZarr, give the samples of the streams as they lie."""

import json
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import linerwkv
from linerwkv.commands import archive
from linerwkv.ground.archive_index import archive_index, array_name
from runtime.errors import BadArgument
from tests.linerwkv.conftest import N_BANDS, N_COLUMNS, N_LINES, SEGMENT_LINES, Cube
from tests.linerwkv.ground.conftest import hostile_stream

PROJECT = Path(__file__).parents[3] / "pyproject.toml"


def run(*words: object) -> Any:
    return CliRunner().invoke(archive, ["index", *map(str, words)])


@pytest.fixture
def zarr() -> Any:
    """With the codecs that entry points name, whether they are installed or not."""
    zarr = pytest.importorskip("zarr")
    numcodecs = pytest.importorskip("numcodecs")
    groups = tomllib.loads(PROJECT.read_text())["project"]["entry-points"]
    numcodecs.register_codec(EntryPoint("linerwkv", groups["numcodecs.codecs"]["linerwkv"], "").load())
    if int(zarr.__version__.split(".")[0]) >= 3:
        for name, value in groups["zarr.codecs"].items():
            zarr.registry.register_codec(name, EntryPoint(name, value, "").load())
    return zarr


def opened(zarr: Any, path: Path) -> Any:
    """The group that references are."""
    fsspec = pytest.importorskip("fsspec")
    if int(zarr.__version__.split(".")[0]) >= 3:
        from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper

        system = fsspec.filesystem("reference", fo=str(path), remote_protocol="file")
        return zarr.open_group(
            zarr.storage.FsspecStore(AsyncFileSystemWrapper(system, asynchronous=True), read_only=True), mode="r"
        )
    return zarr.open_group(fsspec.get_mapper("reference://", fo=str(path), remote_protocol="file"), mode="r")


@pytest.fixture(params=[65535, None])
def scene(request: pytest.FixtureRequest, cube: Cube, tmp_path: Path) -> Path:
    """A stream with a value of samples that are no measurements, and one without."""
    path = tmp_path / "scene.lrwk"
    metadata = {"wavelength": [450.0, 550.0, 650.0, 860.0, 1600.0]}
    linerwkv.compress(cube, path, nodata=request.param, metadata=metadata, predictor="dpcm", segment_lines=8)
    return path


@pytest.mark.filterwarnings("ignore:The 'fastparquet' engine")  # of pandas, by what fsspec does
@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_references_are_read_by_fsspec_and_zarr(
    suffix: str, scene: Path, cube: Cube, tmp_path: Path, zarr: Any
) -> None:
    if suffix == ".parquet":
        pytest.importorskip("fastparquet")
    output = tmp_path / f"archive{suffix}"
    done = run(scene, "-o", output)
    assert done.exit_code == 0, done.output
    assert done.output == f"{output}: 1 arrays, 7 chunks\n"
    found = opened(zarr, output)["scene"]
    assert found.shape == cube.shape and found.chunks == (SEGMENT_LINES, N_BANDS, N_COLUMNS)
    assert np.array_equal(found[:], cube)
    assert np.array_equal(found[45:, 2], cube[45:, 2])
    assert found.attrs["wavelength"][0] == 450.0


NAMES = ("a b.lrwk", "d ir/x.lrwk", "\u00fc.lrwk", "a%20b.lrwk", "{{x}}.lrwk", "a::b.lrwk")
CUT_NAMES = ("a#b.lrwk", "a?b.lrwk")
"""Which VirtualiZarr cuts, as URLs."""


@pytest.mark.filterwarnings("ignore:The 'fastparquet' engine")  # of pandas, by what fsspec does
@pytest.mark.parametrize("name", NAMES + CUT_NAMES)
def test_files_of_any_name_are_found(name: str, stream: Path, cube: Cube, tmp_path: Path, zarr: Any) -> None:
    source = tmp_path / name
    source.parent.mkdir(exist_ok=True)
    source.write_bytes(stream.read_bytes())
    for suffix in (".json", ".parquet"):
        if suffix == ".parquet":
            pytest.importorskip("fastparquet")
        assert run(source, "-o", tmp_path / f"archive{suffix}").exit_code == 0
        assert np.array_equal(opened(zarr, tmp_path / f"archive{suffix}")[array_name(str(source))][:9], cube[:9])


@pytest.mark.parametrize("name", NAMES)
def test_files_of_most_names_are_found_by_virtualizarr(name: str, stream: Path, tmp_path: Path, zarr: Any) -> None:
    source = tmp_path / name
    source.parent.mkdir(exist_ok=True)
    source.write_bytes(stream.read_bytes())
    test_references_are_read_by_virtualizarr(source, linerwkv.open(stream)[:], tmp_path, zarr)


def test_references_are_read_by_virtualizarr(scene: Path, cube: Cube, tmp_path: Path, zarr: Any) -> None:
    virtualizarr = pytest.importorskip("virtualizarr")
    from obspec_utils.registry import ObjectStoreRegistry
    from obstore.store import LocalStore
    from virtualizarr.parsers import KerchunkJSONParser

    output, name = tmp_path / "archive.json", array_name(str(scene))
    run(scene, "-o", output)
    registry = ObjectStoreRegistry({"file://": LocalStore()})
    with virtualizarr.open_virtual_dataset(
        output.as_uri(), registry=registry, parser=KerchunkJSONParser(), loadable_variables=[name]
    ) as found:
        assert np.array_equal(found[name], cube)
        assert found[name].dims == ("line", "band", "column")


def test_references_are_read_by_xarray(cube: Cube, tmp_path: Path, zarr: Any) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("kerchunk")
    some = cube.copy()
    some[::3] = 0  # which is measured, since nothing says otherwise
    linerwkv.compress(some, tmp_path / "scene.lrwk", predictor="dpcm", segment_lines=8)
    run(tmp_path / "scene.lrwk", "-o", tmp_path / "archive.json")
    found = xarray.open_dataset(str(tmp_path / "archive.json"), engine="kerchunk", chunks={})
    assert found.scene.dtype == some.dtype
    assert np.array_equal(found.scene, some)


def test_missing_segments_have_the_fill_value(stream: Path, cube: Cube, tmp_path: Path, zarr: Any) -> None:
    place = linerwkv.open(stream).found.places[3]
    cut = tmp_path / "cut.lrwk"
    cut.write_bytes(stream.read_bytes()[: place.offset + 50])
    done = run(cut, "-o", tmp_path / "a.json")
    assert done.exit_code == 0
    assert "what is missing has the fill value" in done.output
    found = opened(zarr, tmp_path / "a.json")["cut"]
    assert found.shape == (N_LINES, N_BANDS, N_COLUMNS)
    assert np.array_equal(found[:24], cube[:24])
    assert np.all(found[24:] == 65535)


def test_irregular_streams_are_named_and_left_out(stream: Path, cube: Cube, tmp_path: Path) -> None:
    odd = tmp_path / "odd.lrwk"
    with linerwkv.Encoder(N_BANDS, N_COLUMNS, 12, predictor="dpcm", segment_lines=8) as encoder:
        data = encoder.header + b"".join(map(encoder.push, cube[:11])) + encoder.skip(3)
        odd.write_bytes(data + b"".join(map(encoder.push, cube[14:])) + encoder.finish())
    done = run(odd, stream, "-o", tmp_path / "a.json", "--json")
    assert done.exit_code == 1
    (line,) = [line for line in done.stderr.splitlines() if "irregular" in line]
    assert line.startswith(f"linerwkv: {odd}: segments are irregular, a segment of 3 lines at line 8")
    assert "`linerwkv archive transcode`" in line
    references = json.loads((tmp_path / "a.json").read_text())["refs"]
    assert {key.split("/")[0] for key in references} == {".zgroup", "scene"}
    assert json.loads(references["scene/.zattrs"])["_ARRAY_DIMENSIONS"][0] == "scene_line"
    assert run(odd, "-o", tmp_path / "b.json").exit_code == 2
    assert not (tmp_path / "b.json").exists()


def test_a_gap_of_whole_segments_is_regular(cube: Cube, tmp_path: Path) -> None:
    path = tmp_path / "gap.lrwk"
    with linerwkv.Encoder(N_BANDS, N_COLUMNS, 12, predictor="dpcm", segment_lines=8) as encoder:
        data = encoder.header + b"".join(map(encoder.push, cube[:8])) + encoder.skip(16)
        path.write_bytes(data + b"".join(map(encoder.push, cube[24:30])) + encoder.finish())
    index = archive_index([str(path)])
    assert [key for key, one in index.references.items() if isinstance(one, list)] == ["gap/0.0.0", "gap/3.0.0"]
    assert index.refused == []


def test_one_name_is_given_once(stream: Path, tmp_path: Path) -> None:
    other = tmp_path / stream.name
    other.write_bytes(stream.read_bytes())
    with pytest.raises(BadArgument, match="an array or a dimension scene is there already"):
        archive_index([str(stream), str(other)])
    assert "allowed a name ending in .json or .parquet" in str(run(stream, "-o", tmp_path / "a.nc").exception)


def test_names_are_those_of_arrays(stream: Path, tmp_path: Path) -> None:
    assert [array_name(one) for one in ("..lrwk", ".zgroup.lrwk", "s3://a/b.c d.lrwk")] == ["_", "_zgroup", "b.c_d"]
    sources = [tmp_path / "a.lrwk", tmp_path / "a_line.lrwk"]
    for source in sources:
        source.write_bytes(stream.read_bytes())
    for some in (sources, sources[::-1]):
        with pytest.raises(BadArgument, match="a_line is there already"):
            archive_index([str(source) for source in some])


def test_an_array_with_the_name_of_a_dimension_has_others(stream: Path, cube: Cube, tmp_path: Path, zarr: Any) -> None:
    (tmp_path / "line.lrwk").write_bytes(stream.read_bytes())
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("kerchunk")
    run(tmp_path / "line.lrwk", "-o", tmp_path / "archive.json")
    found = xarray.open_dataset(str(tmp_path / "archive.json"), engine="kerchunk", chunks={}, mask_and_scale=False)
    assert found["line"].dims == ("line_line", "line_band", "line_column")
    assert np.array_equal(found["line"], cube)


def test_a_hostile_stream_is_left_out_alone(stream: Path, cube: Cube, tmp_path: Path) -> None:
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    hostile = {
        "deep": {"map info": deep}, "inf": {"map info": ["UTM", float("inf"), 10**400], "band names": [float("nan")]},
        "huge": {"wavelength": [10**400] * N_BANDS},
    }  # fmt: skip
    sources = [str(stream)]
    for name, metadata in hostile.items():
        path = tmp_path / f"{name}.lrwk"
        path.write_bytes(hostile_stream(cube[:4], metadata))
        sources.append(str(path))
    index = archive_index(sources)
    assert "scene/.zarray" in index.references and index.refused
    for name in hostile:
        assert f"{name}/.zarray" in index.references or any(f"{name}.lrwk: " in text for text in index.refused)
    for text in (one for one in index.references.values() if isinstance(one, str)):
        json.loads(text, parse_constant=pytest.fail)
    assert all("\n" not in text for text in index.refused)

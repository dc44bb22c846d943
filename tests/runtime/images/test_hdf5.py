"""A dataset of HDF5 and NetCDF gives the same lines whatever its layout, and its metadata are a header's."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import BadArgument
from runtime.images.hdf5 import cube as cubes
from runtime.images.scene_reader import Scene, open_numbers, open_scene
from tests.runtime.images.hdf5_files import AS_TEXT, CUBE, WAVELENGTHS, add_dimensions, stored, write_cube

ORDERS = ["".join(letters) for letters in itertools.permutations("YZX")]
LAYOUTS: tuple[dict[str, Any], ...] = (
    {},
    {"chunks": True},
    {"chunks": (2, 3, 2), "compression": 4, "shuffle": True},
    {"chunks": (1, 1, 1)},
)


def lines_of(scene: Scene) -> np.ndarray[Any, np.dtype[Any]]:
    return np.stack(list(scene.lines()))


@pytest.mark.parametrize("letters", ORDERS)
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("block_bytes", [1, 150, 1 << 25])
def test_layouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, letters: str, layout: dict[str, Any], block_bytes: int
) -> None:
    monkeypatch.setattr(cubes, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(cubes, "LARGEST_BLOCK_BYTES", 200)
    scene = open_scene(write_cube(tmp_path / "s.h5", letters, **layout), letters)
    assert scene.shape == CUBE.shape
    np.testing.assert_array_equal(lines_of(scene), CUBE)
    np.testing.assert_array_equal(scene.samples, CUBE)


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.integers(1, 4)] * 3), st.sampled_from(["u1", ">i2", "<u2", ">i4", "<f4", ">f8", "i8", "?"]))
def test_any_shape_and_type(tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, int, int], dtype: str) -> None:
    samples = np.random.default_rng(shape).integers(0, 2, shape).astype(dtype)
    scene = open_numbers(write_cube(tmp_path_factory.mktemp("h5") / "s.nc", "YZX", cube=samples), "YZX")
    np.testing.assert_array_equal(lines_of(scene), samples)
    assert scene.source.dtype == (np.uint8 if dtype == "?" else np.dtype(dtype))


def test_blocks_are_whole_chunks_and_no_more_than_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cubes, "BLOCK_BYTES", 5 * CUBE[0].nbytes)
    path = write_cube(tmp_path / "s.h5", "YZX", chunks=(2, 4, 5))
    source = open_scene(path, "YZX").source
    assert isinstance(source, cubes.Hdf5Cube) and source.step == 4
    assert {line.base.shape[0] for line in source if line.base is not None} == {4, 3}
    monkeypatch.setattr(cubes, "BLOCK_BYTES", CUBE[0].nbytes)
    assert source.step == 2  # a chunk, so that it is decompressed once
    monkeypatch.setattr(cubes, "LARGEST_BLOCK_BYTES", CUBE[0].nbytes)
    assert source.step == 1  # or a part of one, where that is too much


@pytest.mark.parametrize(
    ("names", "letters"),
    [
        (("bands", "lat", "lon"), "ZYX"), (("y", "x", "wavelength"), "YXZ"),
        (("downtrack", "crosstrack", "bands"), "YXZ"),
        (("number_of_lines", "number_of_bands", "number_of_samples"), "YZX"), (("frames", "lines", "bands"), "YXZ"),
        (("x", "y", "b"), "XYZ"), (("XDim", "YDim", "nBands"), "XYZ"), (("a", "band", "b"), "YZX"),
    ],
)  # fmt: skip
def test_names_of_dimensions_say_which_axis_is_which(tmp_path: Path, names: tuple[str, ...], letters: str) -> None:
    path = write_cube(tmp_path / "s.nc", letters)
    with h5py.File(path, "r+") as file:
        add_dimensions(file, file["cube"], names)
    scene = open_scene(path)
    np.testing.assert_array_equal(lines_of(scene), CUBE)
    assert scene.notes == (open_scene(path).notes[0],) and "told by its dimensions" in scene.notes[0]
    assert open_scene(Path(f"{path}:cube")).notes == ()
    with h5py.File(path, "r+") as file:
        for axis, name in enumerate(names):
            file["cube"].dims[axis].detach_scale(file[name])
            file["cube"].dims[axis].label = name
    np.testing.assert_array_equal(lines_of(open_scene(path)), CUBE)


def test_wavelengths_or_matlab_or_nothing_say_which_axis_is_which(tmp_path: Path) -> None:
    path = write_cube(tmp_path / "s.h5")
    (note,) = open_scene(path).notes
    assert note == (
        "dataset /cube (4 x 7 x 5 uint16) taken, the only one of three axes, as bands, lines, columns; "
        "nothing in the file says so, --axes changes it"
    )
    path = write_cube(tmp_path / "s.h5", "YXZ")
    with h5py.File(path, "r+") as file:
        file["Metadata/Wavelength"] = WAVELENGTHS
    np.testing.assert_array_equal(lines_of(open_scene(path)), CUBE)
    path = write_cube(tmp_path / "s.mat", "ZXY")
    with h5py.File(path, "r+") as file:
        file["cube"].attrs["MATLAB_class"] = b"uint16"
    np.testing.assert_array_equal(lines_of(open_scene(path)), CUBE)


def test_a_layer_is_one_band(tmp_path: Path) -> None:
    for letters in ("YX", "XY"):
        with h5py.File(tmp_path / "s.h5", "w") as file:
            file["deep/mask"] = CUBE[:, 0] if letters == "YX" else CUBE[:, 0].T
            file["deep/mask"].attrs["flag_meanings"] = "land sea"
        scene = open_scene(tmp_path / "s.h5:/deep/mask", "ZYX" if letters == "YX" else "XZY")
        np.testing.assert_array_equal(lines_of(scene), CUBE[:, :1])
        assert scene.metadata == {"flag_meanings": "land sea"}


def test_axes_of_one_item_before_the_last_three_are_passed_over(tmp_path: Path) -> None:
    path = write_cube(tmp_path / "s.nc", "ZYX")
    with h5py.File(path, "w") as file:
        file.create_dataset("cube", data=stored("ZYX")[None], chunks=(1, 2, 3, 2))
        add_dimensions(file, file["cube"], ("time", "band", "lat", "lon"))
        file["two"] = np.stack([stored("ZYX")] * 2)
    scene = open_scene(path)
    np.testing.assert_array_equal(lines_of(scene), CUBE)
    assert "(1 x 4 x 7 x 5 uint16) taken, the only one of three axes, as bands, lines, columns" in scene.notes[0]
    np.testing.assert_array_equal(lines_of(open_scene(path, "YZX")), stored("ZYX"))
    with pytest.raises(BadArgument, match=r"/two \(2 x 4 x 7 x 5 uint16\), allowed integers or floats in two or three"):
        open_scene(Path(f"{path}:two"))


def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with h5py.File("C:a.h5", "w") as file:
        file["g/one:two"] = stored("ZYX")
        file["other"] = stored("ZYX") + 1
        file["link"] = h5py.SoftLink("/g/one:two")
    for name in ("C:a.h5:/g/one:two", "C:a.h5:g/one:two", "C:a.h5:one:two", "C:a.h5:/link"):
        np.testing.assert_array_equal(lines_of(open_scene(Path(name))), CUBE)
    np.testing.assert_array_equal(lines_of(open_scene(Path("C:a.h5:/other"))), CUBE + 1)
    write_cube(Path("C:a.h5:other"))  # a file of the whole name is meant
    np.testing.assert_array_equal(lines_of(open_scene(Path("C:a.h5:other"))), CUBE)


def test_what_is_meant_is_asked_for(tmp_path: Path) -> None:
    path = write_cube(tmp_path / "s.h5")
    with h5py.File(path, "r+") as file:
        file["b/cube"] = stored("ZYX").astype(np.float32)
        file["words"] = ["a"]
        file["empty"] = np.zeros((0, 2, 2))
    for part, text in (
        ("", r"s\.h5: 2 datasets of three axes, name one as s\.h5:/b/cube \(4 x 7 x 5 float32\); s\.h5:/cube \(4"),
        (":/no", r"s\.h5: no datasets /no, allowed s\.h5:/b/cube"),
        (":/words", r"/words \(1 no numbers\), allowed integers or floats in two or three axes"),
        (":/empty", r"/empty \(0 x 2 x 2 float64\), allowed"),
        (":/b", "no datasets /b"),
        (":", "2 datasets of three axes"),
    ):
        with pytest.raises(BadArgument, match=text):
            open_scene(Path(f"{path}{part}"))
    np.savez(tmp_path / "s.npz")
    (tmp_path / "s.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(BadArgument, match="part /a of a file that is not HDF5"):
        open_scene(tmp_path / "s.npy:/a")
    with pytest.raises(BadArgument, match="--axes of a file that is not HDF5"):
        open_scene(tmp_path / "s.npy", "ZYX")
    with pytest.raises(BadArgument, match="not found"):
        open_scene(tmp_path / "no.h5:/a")
    with h5py.File(path, "w") as file:
        file["list"] = [1]
    with pytest.raises(BadArgument, match=r"s\.h5: no datasets of three axes, name one as .* of which it has none"):
        open_scene(path)


def test_metadata_are_in_the_words_of_a_header(tmp_path: Path) -> None:
    path = write_cube(tmp_path / "s.nc", "ZYX")
    with h5py.File(path, "r+") as file:
        cube = file["cube"]
        for name, value in {
            "_FillValue": np.array([65535], ">u2"), "missing_value": 65534, "scale_factor": 0.5,
            "add_offset": np.float32(0.1), "units": "W", "long_name": "counts\nof", "samples": 9, "huge": "x" * 3000,
            "band_names": ["a", "b", "c", "d"], "table": np.zeros((2, 2)),
        }.items():  # fmt: skip
            cube.attrs[name] = value
        file["wavelength"] = WAVELENGTHS
        file["wavelength"].attrs["units"] = "um"
        file["wavelength"].make_scale()
        cube.dims[0].attach_scale(file["wavelength"])
        file["near/wavelength"] = WAVELENGTHS + 1  # not of this axis
        file["quality_flag"] = np.array([0, 1, 0, 3], np.uint8)
        file["mask"] = CUBE[:, 0]
        file["crs"] = "text"
        file.attrs["Conventions"] = "CF-1.8"
    scene = open_scene(path)
    assert scene.metadata == {
        "wavelength": AS_TEXT, "wavelength units": "Micrometers", "band names": ["a", "b", "c", "d"],
        "data ignore value": "65535", "missing_value": "65534", "data gain values": ["0.5"] * 4,
        "data offset values": ["0.1"] * 4, "data units": "W", "long_name": "counts\nof",
        "quality_flag": ["0", "1", "0", "3"],
    }  # fmt: skip
    assert scene.not_carried == (
        "attributes of the dataset (huge, samples, table)",
        "attributes of the file (Conventions)",
        "other datasets (/crs (one no numbers), /mask (7 x 5 uint16), /near/wavelength (4 float32)); "
        "those of two or three axes can be compressed, each by its own path",
    )


def test_lists_of_the_nearest_group_are_taken_and_of_none_if_two_are_as_near(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    with h5py.File(path, "w") as file:
        for name in ("a", "b"):
            file[f"{name}/cube"] = stored("ZYX")
            file[f"{name}/wavelength"] = WAVELENGTHS + (name == "b")
        file["c/cube"] = stored("ZYX")
    assert open_scene(Path(f"{path}:/a/cube")).metadata == {"wavelength": AS_TEXT}
    assert open_scene(Path(f"{path}:/b/cube")).metadata["wavelength"][0] == "402.5"
    assert open_scene(Path(f"{path}:/c/cube")).metadata == {}


def test_a_list_that_is_no_list_of_numbers_is_named(tmp_path: Path) -> None:
    path = write_cube(tmp_path / "s.h5")
    with h5py.File(path, "r+") as file:
        file["cube"].attrs["wavelengths"] = [400.0, 500.0, np.nan, 700.0]
        file["cube"].attrs["wavelength_units"] = "nm"
        file["cube"].attrs["no_data"] = np.array([[1, 2]])
    scene = open_scene(path, "ZYX")
    assert scene.metadata == {"wavelengths": ["400.0", "500.0", "nan", "700.0"], "wavelength_units": "nm"}
    assert scene.not_carried == ("attributes of the dataset (no_data)",)


def test_a_file_that_changes_is_not_read_as_zeros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cubes, "BLOCK_BYTES", 1)
    path = write_cube(tmp_path / "s.h5", "YZX")
    scene = open_scene(path, "YZX")
    lines = scene.lines()
    next(lines)
    os.truncate(path, path.stat().st_size - 20)
    with pytest.raises(BadArgument, match=r"s\.h5: changed while it was read, lines from 1 on"):
        next(lines)
    with pytest.raises(BadArgument, match=r"s\.h5: .*truncated"):
        list(scene.lines())
    with pytest.raises(BadArgument, match=r"s\.h5: .*truncated") as caught:
        open_scene(path)
    assert "\n" not in str(caught.value)


def damaged(path: Path) -> Iterator[bytes]:
    """A file that ends early, and one whose chunks are not what they were; not its tree, on which libhdf5 may hang."""
    data = path.read_bytes()
    with h5py.File(path) as file:
        chunks = [file["cube"].id.get_chunk_info(i) for i in range(file["cube"].id.get_num_chunks())]
    for chunk in chunks:
        wrong = bytearray(data)
        wrong[chunk.byte_offset + chunk.size // 2] ^= 0x10
        yield bytes(wrong)
    yield from (data[:n] for n in range(1, len(data), 41))


def test_damage_is_one_line(tmp_path: Path) -> None:
    path = write_cube(tmp_path / "s.h5", chunks=(2, 3, 2), compression=4, fletcher32=True)
    for data in damaged(path):
        path.write_bytes(data)
        with pytest.raises(BadArgument, match=r"s\.h5: ") as caught:
            list(open_scene(path).lines())
        assert "\n" not in str(caught.value)


def test_samples_of_other_files_are_inputs_too(tmp_path: Path) -> None:
    source = write_cube(tmp_path / "source.h5")
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((4, 7, 5), np.uint16)
        layout[:] = h5py.VirtualSource("source.h5", "cube", (4, 7, 5))
        file.create_virtual_dataset("cube", layout)
        file["there"] = h5py.ExternalLink("source.h5", "cube")
    for part in ("cube", "/there"):
        scene = open_scene(Path(f"{tmp_path}/virtual.h5:{part}"))
        np.testing.assert_array_equal(lines_of(scene), CUBE)
        assert scene.files == (tmp_path / "virtual.h5", source)
    scene = open_scene(tmp_path / "virtual.h5:cube")
    with source.open("ab") as more:
        more.write(b"more")
    with pytest.raises(BadArgument, match=r"virtual\.h5: changed while it was read"):
        list(scene.lines())
    source.unlink()
    with pytest.raises(BadArgument, match=r"virtual\.h5: /cube has samples in source\.h5, which is not there"):
        open_scene(tmp_path / "virtual.h5:cube")


def test_a_filter_that_is_missing_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((4, 7, 5))
        plan.set_filter(65000, h5py.h5z.FLAG_OPTIONAL)
        h5py.h5d.create(file.id, b"cube", h5py.h5t.NATIVE_UINT16, h5py.h5s.create_simple((4, 7, 5)), plan)
    with pytest.raises(
        BadArgument, match=r"/cube \(4 x 7 x 5 uint16\) needs HDF5's filter 65000, which is not"
    ) as caught:
        open_scene(tmp_path / "s.h5")
    assert "\n" not in str(caught.value)


def test_memory_is_bounded_by_what_is_allowed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file.create_dataset("wide", (5, 1 << 20, 1 << 20), "u2", chunks=(1, 64, 64))
    with pytest.raises(BadArgument, match=r"/wide .* has a line of 5 bands x 1048576 columns, allowed at most 4194304"):
        open_scene(tmp_path / "s.h5", "ZYX")
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file.create_dataset("deep", (1 << 20, 4, 1 << 10), "u2", chunks=(1 << 16, 4, 1 << 10))
    with pytest.raises(BadArgument, match=r"/deep .* has chunks of 536870912 bytes, allowed 268435456; write it by"):
        open_scene(tmp_path / "s.h5", "YZX")

"""Arrays of two and three axes in; out as .npy, whose number of lines may be known at the end only."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import BadArgument
from runtime.images.image_of_scene import describe
from runtime.images.npy_writer import npy_header, writing_npy
from runtime.images.restored_image import restoring
from runtime.images.scene_reader import open_scene
from runtime.stream.image_description import ImageDescription

FLAT = np.arange(7 * 5, dtype=np.uint16).reshape(7, 5) * 9  # (Y, X)


@pytest.mark.parametrize("array", [FLAT, np.asfortranarray(FLAT), FLAT[:1], FLAT[:, :1], FLAT.astype(">u2")])
def test_two_axes_are_lines_and_columns_of_one_band(tmp_path: Path, array: np.ndarray[Any, Any]) -> None:
    np.save(tmp_path / "s.npy", array)
    scene = open_scene(tmp_path / "s.npy")
    assert scene.shape == (len(array), 1, array.shape[1])
    np.testing.assert_array_equal(scene.read()[:, 0], array)
    np.testing.assert_array_equal(scene.samples[:, 0], array)
    with restoring(tmp_path / "back.npy", describe(scene, None)) as lines:
        for line in scene.lines():
            lines.append(line)
    assert lines.not_carried == ()
    np.testing.assert_array_equal(np.load(tmp_path / "back.npy"), array)


@pytest.mark.parametrize("shape", [(), (35,), (1, 5, 7, 1), (0, 5), (5, 0)])
def test_other_axes_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "s.npy", np.zeros(shape, np.uint16))
    with pytest.raises(BadArgument, match=r"s\.npy: shape \(.*\), allowed \(lines, bands, columns\) or of one band"):
        open_scene(tmp_path / "s.npy")


@pytest.mark.parametrize("announced", [0, 3, 7, 4_000_000_000])
@pytest.mark.parametrize("dtype", ["u1", "<i2", ">u2"])
def test_the_lines_that_came_are_the_arrays(tmp_path: Path, announced: int, dtype: str) -> None:
    cube = (FLAT % 256).reshape(7, 1, 5).astype(dtype)
    with writing_npy(tmp_path / "s.npy", (1, 5), cube.dtype, announced) as lines:
        for line in cube:
            lines.append(line)
    found = np.load(tmp_path / "s.npy")
    np.testing.assert_array_equal(found, cube)
    assert found.dtype == cube.dtype.newbyteorder("<")


@given(st.integers(0, (1 << 32) - 1), st.integers(1, 1 << 16), st.integers(1, 1 << 16))
@settings(deadline=None)
def test_the_header_has_one_size_for_any_number_of_lines(n_lines: int, n_bands: int, n_columns: int) -> None:
    dtype = np.dtype("<u2")
    assert len(npy_header(dtype, (n_lines, n_bands, n_columns))) == len(npy_header(dtype, (0, n_bands, n_columns)))


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "s.npy").write_text("old")
    with pytest.raises(ZeroDivisionError), writing_npy(tmp_path / "s.npy", (1, 5), FLAT.dtype) as lines:
        lines.append(FLAT[:1])
        raise ZeroDivisionError
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("s.npy", "old")]


@pytest.mark.parametrize("metadata", [{"NumPy": {"axes": 3}}, {"NumPy": {"axes": [2]}}, {"NumPy": 2}, {"NumPy": {}}])
def test_hostile_words_on_axes_are_three_axes(tmp_path: Path, metadata: dict[str, Any]) -> None:
    with restoring(tmp_path / "s.npy", ImageDescription(1, 5, 12, False, metadata=metadata)) as lines:
        lines.append(FLAT[:1])
    assert np.load(tmp_path / "s.npy").shape == (1, 1, 5)


def test_two_axes_of_an_image_of_several_bands_are_three(tmp_path: Path) -> None:
    image = ImageDescription(2, 5, 12, False, metadata={"NumPy": {"axes": 2}})
    with restoring(tmp_path / "s.npy", image) as lines:
        lines.append(FLAT[:2])
    assert np.load(tmp_path / "s.npy").shape == (1, 2, 5)


def test_a_header_that_would_have_to_be_written_again_in_a_fifo_is_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "s.npy")
    reader = os.open(tmp_path / "s.npy", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(BadArgument, match=r"s\.npy cannot be written"):  # noqa: SIM117
            with writing_npy(tmp_path / "s.npy", (1, 5), FLAT.dtype) as lines:
                lines.append(FLAT[:1])
    finally:
        os.close(reader)


def test_a_name_of_no_kind_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=r"s\.png: allowed a name ending in \.hdr .*, \.tif, \.tiff, \.npy or \.zarr"):  # noqa: SIM117
        with restoring(tmp_path / "s.png", ImageDescription(1, 5, 12, False)):
            pass

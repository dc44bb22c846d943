"""Statistics are those of NumPy over what was measured and is there."""

from pathlib import Path

import numpy as np
import pytest

import linerwkv
from linerwkv.ground.stream_statistics import stream_statistics
from tests.linerwkv.conftest import N_BANDS, N_COLUMNS, N_LINES, SEGMENT_LINES, Cube


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
def test_samples_that_are_no_measurements_do_not_count(dtype: type, cube: Cube, tmp_path: Path) -> None:
    some: Cube = cube.astype(dtype)
    some[::5, 1] = 4095
    some[:, 3] = 4095
    linerwkv.compress(some, tmp_path / "a.lrwk", nodata=4095, predictor="dpcm", segment_lines=8)
    found = stream_statistics(tmp_path / "a.lrwk")
    assert found.minimum[3] is found.maximum[3] is found.mean[3] is None
    for z in (0, 1, 2, 4):
        there = some[:, z][some[:, z] != 4095].astype(np.float64)
        assert (found.minimum[z], found.maximum[z]) == (there.min(), there.max())
        assert found.mean[z] == there.sum() / there.size  # sums are exact
    assert found.missing_lines == [] and found.error is None


def test_damaged_and_missing_lines_are_named_and_left_out(cube: Cube, tmp_path: Path) -> None:
    path = tmp_path / "a.lrwk"
    with linerwkv.Encoder(N_BANDS, N_COLUMNS, 12, predictor="dpcm", segment_lines=SEGMENT_LINES) as encoder:
        data = encoder.header + b"".join(map(encoder.push, cube[:16])) + encoder.skip(8)
        path.write_bytes(data + b"".join(map(encoder.push, cube[24:])) + encoder.finish())
    whole = bytearray(path.read_bytes())
    with linerwkv.open(path) as image:
        whole[image.found.places[1].offset + 100] ^= 1
    path.write_bytes(whole)
    found = stream_statistics(path)
    assert found.missing_lines == [(8, 23)]
    assert "segment at line 8" in str(found.error)
    there = np.concatenate([cube[:8], cube[24:]]).astype(np.float64)
    assert there.shape[0] == N_LINES - 16
    assert found.mean == [there[:, z].sum() / there[:, z].size for z in range(N_BANDS)]

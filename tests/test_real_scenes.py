"""Real scenes come back bit for bit: a crop in every run, the whole of four scenes in the slow run."""

from pathlib import Path

import numpy as np
import pytest

from runtime.cell.flight_package import FlightPackage
from runtime.codec.compression import compress_lines, decompress
from runtime.images.scene_reader import Scene, describe, open_scene
from runtime.stream.stream_format import PredictorKind

NAMES = ["enmap_potsdam_a", "hyspecnet_dt4950_x03110438", "jasper_ridge", "samson"]


def check(
    scene: Scene, package: FlightPackage | None, folder: Path, max_error: int, predictor: PredictorKind | None = None
) -> None:
    image = describe(scene, None)
    compress_lines(scene.lines(), image, folder / "s.lrwk", package, predictor=predictor, max_error=max_error)
    decompress(folder / "s.lrwk", folder / "s.hdr", package)
    restored = open_scene(folder / "s.hdr")
    assert restored.samples.dtype.newbyteorder("=") == scene.samples.dtype.newbyteorder("=")
    error = np.abs(restored.samples.astype(np.int64) - scene.samples)
    assert error.max() <= max_error


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("max_error", [0, 3])
def test_a_crop_comes_back(name: str, max_error: int, scenes: Path, package: FlightPackage, tmp_path: Path) -> None:
    scene = open_scene(scenes / f"{name}.hdr")
    check(Scene(scene.samples[7:17, :, 11:43], scene.metadata), package, tmp_path, max_error)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("max_error", [0, 3])
def test_a_scene_comes_back(name: str, max_error: int, scenes: Path, package: FlightPackage, tmp_path: Path) -> None:
    check(open_scene(scenes / f"{name}.hdr"), package, tmp_path, max_error)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("max_error", [0, 3])
def test_a_crop_comes_back_from_the_adaptive_stage(name: str, max_error: int, scenes: Path, tmp_path: Path) -> None:
    scene = open_scene(scenes / f"{name}.hdr")
    crop = Scene(scene.samples[7:27, :40, 3:], scene.metadata)
    check(crop, None, tmp_path, max_error, PredictorKind.RLS)

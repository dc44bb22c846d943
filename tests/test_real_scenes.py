"""Real scenes come back bit for bit: a crop in every run, the whole of four scenes in the slow run."""

from pathlib import Path

import numpy as np
import pytest

from runtime.cell.flight_package import SHIPPED, open_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import compress_lines, decompress
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene, open_scene
from runtime.stream.kinds import PredictorKind

NAMES = ["enmap_potsdam_a", "hyspecnet_dt4950_x03110438", "jasper_ridge", "samson"]


def check(scene: Scene, options: CodingOptions, folder: Path) -> None:
    compress_lines(scene.lines(), describe(scene, None), folder / "s.lrwk", options)
    decompress(folder / "s.lrwk", folder / "s.hdr", [open_package(SHIPPED)] if options.has_network else [])
    restored = open_scene(folder / "s.hdr")
    assert restored.samples.dtype.newbyteorder("=") == scene.samples.dtype.newbyteorder("=")
    error = np.abs(restored.samples.astype(np.int64) - scene.samples)
    assert error.max() <= options.max_error


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("max_error", [0, 3])
def test_a_crop_comes_back(name: str, max_error: int, scenes: Path, tmp_path: Path) -> None:
    scene = open_scene(scenes / f"{name}.hdr")
    check(Scene(scene.samples[7:17, :, 11:43], scene.metadata), CodingOptions(max_error=max_error), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("max_error", [0, 3])
def test_a_scene_comes_back(name: str, max_error: int, scenes: Path, tmp_path: Path) -> None:
    check(open_scene(scenes / f"{name}.hdr"), CodingOptions(max_error=max_error), tmp_path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("max_error", [0, 3])
def test_a_crop_comes_back_from_the_adaptive_stage(name: str, max_error: int, scenes: Path, tmp_path: Path) -> None:
    scene = open_scene(scenes / f"{name}.hdr")
    crop = Scene(scene.samples[7:27, :40, 3:], scene.metadata)
    check(crop, CodingOptions(PredictorKind.RLS, max_error=max_error), tmp_path)

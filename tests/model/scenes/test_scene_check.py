"""What is odd with a scene is named, and does not stop the training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.scenes.scene import Scene
from model.scenes.scene_check import depth_findings, findings
from runtime.errors import BadArgument
from tests.model.conftest import smooth_scene


def scene_of(folder: Path, samples: np.ndarray[Any, Any], name: str = "scene") -> Scene:
    path = folder / f"{name}.npy"
    np.save(path, samples)
    n_lines, n_bands, n_columns = samples.shape
    return Scene(name, "train", path, (n_lines, n_bands, n_columns))


def test_a_sound_scene_has_no_findings(tmp_path: Path) -> None:
    assert findings(scene_of(tmp_path, smooth_scene(0))) == []


def test_constant_bands_and_dead_columns_are_named(tmp_path: Path) -> None:
    samples = smooth_scene(0)
    samples[:, 2] = 7
    samples[:, 4, 3] = 9
    found = findings(scene_of(tmp_path, samples))
    assert found == [
        "scene scene: 1 constant bands, the first is band 2",
        "scene scene: 1 dead columns, the first is column 3 of band 4",
    ]


def test_more_than_16_bits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=r"scene scene: .*17 bits"):
        findings(scene_of(tmp_path, smooth_scene(0, dtype="int32") + 70_000))


def test_mixed_sample_types_are_named(tmp_path: Path) -> None:
    scenes = [scene_of(tmp_path, smooth_scene(i, dtype=t), f"s{i}") for i, t in enumerate(["int16", "uint16", "int16"])]
    assert depth_findings(scenes) == ["mixed sample types: 2 scenes int16, 1 scenes uint16"]
    assert depth_findings(scenes[:1]) == []

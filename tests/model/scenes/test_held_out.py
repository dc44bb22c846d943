"""Which of a mission's lines train and which validate: never one line in both, whatever the source of the scenes."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.scenes.data_config import DataConfig
from model.scenes.held_out import LEAST_LINES, SHARE, write_split
from model.scenes.scene_list import load_scenes
from tests.model.conftest import smooth_scene


@settings(max_examples=15, deadline=None)
@given(n_lines=st.integers(LEAST_LINES, 90), most=st.integers(1, 20))
def test_parts_of_a_scene_make_it_up(tmp_path_factory: pytest.TempPathFactory, n_lines: int, most: int) -> None:
    folder = tmp_path_factory.mktemp("scenes")
    np.save(folder / "a.npy", smooth_scene(0, (n_lines, 2, 6)))
    data = DataConfig(str(folder / "out" / "scenes.json"), cache=str(folder / "cache"))
    write_split([folder / "a.npy"], data, most)
    (training,), (held_out,) = load_scenes(data, "train"), load_scenes(data, "validation")
    assert held_out.shape[0] == min(n_lines // SHARE, most)
    assert np.array_equal(np.concatenate([training.samples, held_out.samples]), np.load(folder / "a.npy"))


def test_folders_manifests_and_files_can_be_mixed(scene_folder: Path) -> None:
    folder = scene_folder / "flights"
    folder.mkdir()
    np.save(folder / "b.npy", smooth_scene(5, (16, 3, 9)))
    data = DataConfig(str(scene_folder / "scenes.json"), cache=str(scene_folder / "cache"), validation_fraction=0.0)
    alone = scene_folder / "c.npy"
    np.save(alone, smooth_scene(6, (12, 1, 5)))
    part = scene_folder / "part.json"
    part.write_text(json.dumps([{"name": "d", "path": "c.npy", "split": "train", "line_range": [2, 10]}]))
    write_split([scene_folder / "manifest.json", folder, alone, part], data, 64)
    assert [scene.name for scene in load_scenes(data, "train")] == [
        "scene_0", "scene_1", "scene_2", "b[0:12]", "c[0:9]", "d[2:8]",
    ]  # fmt: skip
    held_out = load_scenes(data, "validation")
    assert [scene.name for scene in held_out] == ["scene_3", "b[12:16]", "c[9:12]", "d[8:10]"]
    assert np.array_equal(held_out[-1].samples, np.load(alone)[8:10])

"""Scenes of one's own by a configuration of others: some lines train, others validate, or one line says why not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.scenes.data_config import DataConfig
from model.scenes.own_scenes import OwnScenes, own_scenes
from model.scenes.scene_list import load_scenes
from runtime.errors import BadArgument
from tests.model.conftest import smooth_scene
from tests.model.scenes.test_hyspecnet import write_set

SHIPPED: dict[str, Any] = {
    "groups": [["abu_airport_2", "abu_urban_5"]],
    "also_train": ["*"],
    "validate": ["enmap_potsdam_a"],
    "weights": {"neon_*": 0.5},
}


def names(data: DataConfig) -> tuple[list[str], list[str]]:
    training, validation = (load_scenes(data, split) for split in (data.train_split, data.validation_split))
    for scene in training:  # no line is in both
        assert all(scene.path != other.path or scene.lines != other.lines for other in validation)
    return [scene.name for scene in training], [scene.name for scene in validation]


def taken(scenes: Path, place: Path, **keys: Any) -> OwnScenes:
    data = DataConfig("nowhere.json", cache=str(place / "cache"), **keys)
    found = own_scenes(data, scenes, place / "run" / "scenes.json")
    assert "\n" not in found.said and found.said.startswith(str(scenes))
    return found


def test_a_single_scene_gives_its_last_lines_whatever_its_name(tmp_path: Path) -> None:
    for name in "abcdefghijkl":  # by their hashes some validate, most train
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / f"{name}.npy", smooth_scene(1, (24, 3, 9)))
        for scenes in (tmp_path / name, tmp_path / name / f"{name}.npy"):
            found = taken(scenes, tmp_path, **SHIPPED)
            assert names(found.data) == ([f"{name}[0:18]"], [f"{name}[18:24]"])
            assert "1 scenes train, the last lines of each validate" in found.said
            assert "groups, also_train, validate, weights of the configuration fall away" in found.said
    assert (tmp_path / "run" / "scenes.json").is_file()


def test_a_validation_split_is_kept_and_no_manifest_written(scene_folder: Path) -> None:
    found = taken(scene_folder / "manifest.json", scene_folder, **SHIPPED)
    assert names(found.data) == (["scene_0", "scene_1", "scene_2"], ["scene_3"])
    assert "3 scenes train, 1 validate; groups, also_train" in found.said
    assert found.said.endswith("no scene is named abu_airport_2")
    assert not (scene_folder / "run").exists()


def test_keys_hold_where_all_that_they_name_is_there(scene_folder: Path) -> None:
    keys: dict[str, Any] = {"also_train": ["*"], "validate": ["scene_1"], "weights": {"scene_[02]": 0.5}}
    (scene_folder / "manifest.json").rename(scene_folder / "MANIFEST.json")  # a folder is read by it
    data = taken(scene_folder, scene_folder, **keys).data
    training, validation = load_scenes(data, "train"), load_scenes(data, "validation")
    assert [scene.weight for scene in training] == [0.5, 1, 0.5, 1]
    assert [scene.name for scene in validation] == ["scene_1"]
    fallen = taken(scene_folder, scene_folder, **keys | {"without": ["cloud_*"]})
    assert names(fallen.data) == (["scene_0", "scene_1", "scene_2"], ["scene_3"])
    assert fallen.said.endswith("fall away: no scene is named cloud_*")


def test_keys_that_leave_nothing_to_validate_fall_away(scene_folder: Path) -> None:
    found = taken(scene_folder / "manifest.json", scene_folder, also_train=["*"])
    assert names(found.data) == (["scene_0", "scene_1", "scene_2"], ["scene_3"])
    assert found.said.endswith("1 validate; also_train of the configuration fall away: nothing would validate")


def test_the_root_of_hyspecnet_has_a_split_of_its_own_name(tmp_path: Path) -> None:
    write_set(tmp_path / "set")
    with pytest.raises(BadArgument, match="4 lines of 4 columns, allowed at least 2 of 5"):
        taken(tmp_path / "set", tmp_path, **SHIPPED)


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ((7, 3, 9), "scene a: 7 lines of 9 columns, allowed at least 8 of 5"),
        ((24, 3, 4), "scene a: 24 lines of 4 columns, allowed at least 8 of 5"),
        (None, "has no scene in split 'train'"),
    ],
)
def test_too_little_is_one_line(tmp_path: Path, shape: tuple[int, int, int] | None, line: str) -> None:
    (tmp_path / "scenes").mkdir()
    if shape is not None:
        np.save(tmp_path / "scenes" / "a.npy", smooth_scene(1, shape))
    with pytest.raises(BadArgument, match=line):
        taken(tmp_path / "scenes", tmp_path)
    with pytest.raises(BadArgument, match=r"nothing not found$"):
        taken(tmp_path / "nothing", tmp_path)


def test_a_manifest_is_not_written_over_the_scenes(scene_folder: Path) -> None:
    (scene_folder / "run").mkdir()
    entries = json.loads((scene_folder / "manifest.json").read_text())
    train = [entry | {"path": f"../{entry['path']}", "split": "train"} for entry in entries]
    (scene_folder / "run" / "scenes.json").write_text(json.dumps(train))
    with pytest.raises(BadArgument, match="is the input"):
        taken(scene_folder / "run" / "scenes.json", scene_folder)

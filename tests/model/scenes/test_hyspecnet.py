"""The layout of HySpecNet-11k, on small files of that structure."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.scenes.data_config import DataConfig
from model.scenes.hyspecnet import patches, split_words
from model.scenes.scene_list import load_scenes, spread
from runtime.errors import BadArgument
from tests.model.conftest import smooth_scene
from tests.model.scenes.test_scene_list import write_tiff

TILE = "ENMAP01-____L2A-DT0000004950_20221103T162438Z_001_V010110_20221118T145147Z"
N_BANDS = 224


def write_patch(root: Path, tile: str, place: str, seed: int, n_bands: int = N_BANDS, side: int = 4) -> str:
    """One square patch; returns its row in a split."""
    name = f"{tile}-{place}"
    folder = root / "patches" / tile / name
    folder.mkdir(parents=True)
    write_tiff(folder / f"{name}-SPECTRAL_IMAGE.TIF", smooth_scene(seed, (side, n_bands, side)))
    write_tiff(folder / f"{name}-QL_QUALITY_CLOUD.TIF", np.zeros((side, 1, side), np.uint8))
    return f"{tile}/{name}/{name}-DATA.npy"


def write_set(root: Path, side: int = 4) -> dict[str, str]:
    """Two tiles of two patches: hard splits keep the tiles apart, easy ones do not."""
    rows = {
        f"{tile}{place}": write_patch(root, f"{TILE}{tile}", place, seed, side=side)
        for seed, (tile, place) in enumerate([("a", "Y1"), ("a", "Y2"), ("b", "Y1"), ("b", "Y2")])
    }
    splits = {
        "hard": {"train": ["aY1", "aY2"], "val": ["bY1"], "test": ["bY2"]},
        "easy": {"train": ["aY1", "bY1"], "val": ["aY2"], "test": ["bY2"]},
    }
    for difficulty, parts in splits.items():
        (root / "splits" / difficulty).mkdir(parents=True)
        for split, keys in parts.items():
            text = "".join(f"{rows[key]}\n" for key in keys)
            (root / "splits" / difficulty / f"{split}.csv").write_text(text)
    return rows


def config(root: Path, difficulty: str = "hard") -> DataConfig:
    return DataConfig(str(root), validation_split="val", hyspecnet_split=difficulty, cache=str(root / "cache"))


@pytest.mark.parametrize(("difficulty", "n_train"), [("hard", 2), ("easy", 2)])
def test_splits_are_read_in_their_order(tmp_path: Path, difficulty: str, n_train: int) -> None:
    rows = write_set(tmp_path)
    scenes = load_scenes(config(tmp_path, difficulty), "train")
    wanted = ["aY1", "aY2"] if difficulty == "hard" else ["aY1", "bY1"]
    assert [scene.name for scene in scenes] == [rows[key].split("/")[1] for key in wanted]
    assert len(scenes) == n_train


def test_only_the_202_valid_bands_are_left(tmp_path: Path) -> None:
    write_set(tmp_path)
    scene = load_scenes(config(tmp_path), "train")[0]
    whole = smooth_scene(0, (4, N_BANDS, 4))
    wanted = np.concatenate([whole[:, :126], whole[:, 141:160], whole[:, 167:]], axis=1)
    assert scene.shape == (4, 202, 4)
    assert np.array_equal(scene.samples, wanted)


def test_the_patches_of_a_tile_are_a_group(tmp_path: Path) -> None:
    write_set(tmp_path)
    assert {scene.group for scene in load_scenes(config(tmp_path), "train")} == {f"{TILE}a"}


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    rows = write_set(tmp_path)
    with pytest.raises(BadArgument, match="split soft/train"):
        patches(tmp_path, "soft", "train")
    (tmp_path / "patches" / rows["aY2"]).with_name(f"{rows['aY2'].split('/')[1]}-SPECTRAL_IMAGE.TIF").unlink()
    with pytest.raises(BadArgument, match=r"entry 2: .*SPECTRAL_IMAGE.TIF not found"):
        patches(tmp_path, "hard", "train")
    (tmp_path / "splits" / "hard" / "val.csv").unlink()
    with pytest.raises(BadArgument, match=r"val.csv"):
        patches(tmp_path, "hard", "val")


def test_another_number_of_bands_is_refused(tmp_path: Path) -> None:
    write_set(tmp_path)
    row = write_patch(tmp_path, f"{TILE}c", "Y1", 9, n_bands=200)
    (tmp_path / "splits" / "hard" / "train.csv").write_text(row)
    with pytest.raises(BadArgument, match="200 bands, allowed 224, or 202"):
        load_scenes(config(tmp_path), "train")


def test_words_of_a_split() -> None:
    assert split_words("easy/val") == ("easy", "val")
    for text in ("hard", "hard/", "hard/test/x", "soft/test", ""):
        with pytest.raises(BadArgument, match=f"split {text}, allowed easy|hard/train|val|test"):
            split_words(text)


@given(st.integers(1, 40), st.integers(0, 50))
def test_spread_entries_are_of_the_whole_list_in_its_order(n_entries: int, n_most: int) -> None:
    found = spread(list(range(n_entries)), n_most)
    assert len(found) == (min(n_most, n_entries) or n_entries)
    gaps = np.diff([*found, n_entries])
    assert found[0] == 0 and gaps.min() > 0 and gaps.max() - gaps.min() <= 1


def test_no_more_scenes_validate_than_are_asked_for(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / "splits" / "hard" / "val.csv").write_text((tmp_path / "splits" / "hard" / "train.csv").read_text())
    data = replace(config(tmp_path), train_split="test", validation_scenes=1)
    assert len(load_scenes(data, "val")) == 1
    assert len(load_scenes(replace(data, validation_scenes=0), "val")) == 2

"""Where scenes come from, in every format, and that groups never part."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spectral

from model.scenes.data_config import DataConfig
from model.scenes.scene_list import load_scenes
from runtime.errors import BadArgument
from tests.model.conftest import smooth_scene

rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")


def data_config(source: Path, **values: Any) -> DataConfig:
    return DataConfig(str(source), cache=str(source.parent / "cache"), **values)


def write_tiff(path: Path, samples: np.ndarray[Any, Any]) -> None:
    """A GeoTIFF of samples (Y, Z, X)."""
    n_lines, n_bands, n_columns = samples.shape
    transform = rasterio.Affine(30, 0, 500_000, 0, -30, 5_800_000)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=n_lines,
        width=n_columns,
        count=n_bands,
        dtype=samples.dtype,
        transform=transform,
    ) as file:
        file.write(np.moveaxis(samples, 1, 0))


def write_envi(path: Path, samples: np.ndarray[Any, Any], interleave: str) -> None:
    spectral.envi.save_image(str(path), np.moveaxis(samples, 1, 2), dtype=samples.dtype, interleave=interleave, ext="")


@pytest.mark.parametrize("suffix", ["npy", "tif", "bil.hdr", "bip.hdr", "bsq.hdr", "float.npy"])
def test_every_format_gives_the_same_scene(tmp_path: Path, suffix: str) -> None:
    samples = smooth_scene(1)
    folder = tmp_path / "scenes"
    folder.mkdir()
    if suffix == "tif":
        write_tiff(folder / "scene.tif", samples)
    elif suffix.endswith("npy"):
        np.save(folder / "scene.npy", samples.astype(np.float32) if "float" in suffix else samples)
    else:
        write_envi(folder / "scene.hdr", samples, suffix[:3])
    (scene,) = load_scenes(data_config(folder, validation_fraction=0.0), "train")
    assert scene.name == "scene"
    assert np.array_equal(scene.samples, samples)


def test_scenes_are_mapped_and_not_read(scene_folder: Path) -> None:
    scene = load_scenes(data_config(scene_folder / "manifest.json"), "train")[0]
    assert isinstance(scene.samples, np.memmap)


def test_a_folder_is_split_by_whole_subfolders_and_without_regard_to_other_scenes(tmp_path: Path) -> None:
    folder = tmp_path / "scenes"
    for group in range(12):
        (folder / f"flight_{group}").mkdir(parents=True)
        for part in range(2):
            np.save(folder / f"flight_{group}" / f"part_{part}.npy", smooth_scene(group))

    def splits() -> dict[str, str]:
        config = data_config(folder, validation_fraction=0.4)
        scenes = load_scenes(config, "train") + load_scenes(config, "validation")
        assert len(scenes) == len({scene.name for scene in scenes})
        by_group: dict[str, set[str]] = {}
        for scene in scenes:
            by_group.setdefault(scene.group, set()).add(scene.split)
        assert all(len(found) == 1 for found in by_group.values())
        return {scene.name: scene.split for scene in scenes}

    before = splits()
    assert set(before.values()) == {"train", "validation"}
    (folder / "another").mkdir()
    np.save(folder / "another" / "part.npy", smooth_scene(50))
    assert before.items() <= splits().items()


def test_a_configured_group_that_the_manifest_splits_is_refused(scene_folder: Path) -> None:
    config = data_config(scene_folder / "manifest.json", groups=[["scene_0", "scene_3"]])
    with pytest.raises(BadArgument, match=r"scene_0\+scene_3.*two splits.*'train'.*'validation'"):
        load_scenes(config, "train")


def test_weights_multiply_by_pattern(scene_folder: Path) -> None:
    config = data_config(scene_folder / "manifest.json", weights={"scene_*": 2.0, "*_1": 0.5})
    assert [scene.weight for scene in load_scenes(config, "train")] == [2.0, 1.0, 2.0]


def test_an_empty_split_is_named(scene_folder: Path) -> None:
    with pytest.raises(BadArgument, match="no scene in split 'test'"):
        load_scenes(data_config(scene_folder / "manifest.json"), "test")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting"),
        ("{}", "dict found, allowed a list"),
        ('[{"name": "a", "split": "train"}]', "entry 0: 'path' missing"),
        ('[{"name": "a", "path": "nowhere.npy", "split": "train"}]', "scene a: .*nowhere.npy not found"),
    ],
)
def test_a_bad_manifest_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(BadArgument, match=message):
        load_scenes(data_config(tmp_path / "manifest.json"), "train")


def bad_scenes() -> dict[str, tuple[np.ndarray[Any, Any], str]]:
    with_nan = smooth_scene(0).astype(np.float32)
    with_nan[3, 2, 1] = np.nan
    return {
        "NaN": (with_nan, "1 samples are not whole numbers, the first is nan at line 3, band 2, column 1"),
        "fractions": (smooth_scene(0) + 0.5, "not whole numbers"),
        "too wide": (np.full((2, 2, 2), 1e6), "1000000..1000000"),
        "shape": (np.zeros(16, np.int16), r"shape \(16,\)"),
        "type": (np.zeros((2, 2, 2), np.complex64), "complex64"),
    }


@pytest.mark.parametrize("name", list(bad_scenes()))
def test_bad_samples_are_named(tmp_path: Path, name: str) -> None:
    samples, message = bad_scenes()[name]
    folder = tmp_path / "scenes"
    folder.mkdir()
    np.save(folder / "bad.npy", samples)
    with pytest.raises(BadArgument, match=f"scene bad: .*{message}"):
        load_scenes(data_config(folder, validation_fraction=0.0), "train")


def test_an_envi_file_of_the_wrong_size_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "scenes"
    folder.mkdir()
    write_envi(folder / "scene.hdr", smooth_scene(0), "bil")
    data = next(path for path in folder.iterdir() if path.suffix != ".hdr")
    data.write_bytes(data.read_bytes()[:-2])
    with pytest.raises(BadArgument, match="scene scene: "):
        load_scenes(data_config(folder, validation_fraction=0.0), "train")


def test_a_converted_scene_is_made_anew_when_its_file_changes(tmp_path: Path) -> None:
    folder = tmp_path / "scenes"
    folder.mkdir()
    config = data_config(folder, validation_fraction=0.0)
    for seed in range(2):
        write_tiff(folder / "scene.tif", smooth_scene(seed, (12, 6, 10 + seed)))
        (scene,) = load_scenes(config, "train")
        assert np.array_equal(scene.samples, smooth_scene(seed, (12, 6, 10 + seed)))


def test_manifest_entries_may_carry_group_and_weight(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", smooth_scene(0))
    entry = {"name": "a", "path": "a.npy", "split": "train", "group": "north", "weight": 3}
    (tmp_path / "manifest.json").write_text(json.dumps([entry]))
    (scene,) = load_scenes(data_config(tmp_path / "manifest.json"), "train")
    assert (scene.group, scene.weight) == ("north", 3.0)


def test_a_manifest_may_name_lines_of_a_file(scene_folder: Path) -> None:
    whole = np.load(scene_folder / "scene_0.npy")
    path = scene_folder / "parts.json"
    entries = [{"name": name, "path": "scene_0.npy", "split": name, "line_range": lines}
               for name, lines in (("train", [0, 20]), ("validation", [20, 24]))]  # fmt: skip
    path.write_text(json.dumps(entries))
    parts = [load_scenes(data_config(path), split)[0] for split in ("train", "validation")]
    assert [part.shape for part in parts] == [(20, 8, 16), (4, 8, 16)]
    assert np.array_equal(np.concatenate([part.samples for part in parts]), whole)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([0, 25], "scene a: lines 0 to 25, its file has 24"),
        ([5, 5], "scene a: lines 5 to 5, its file has 24"),
        ([-1, 3], "scene a: lines -1 to 3"),
        ([3], "scene a: line_range .3., allowed .first, the one after the last"),
        (["0", 9], "scene a: line_range"),
        (7, "scene a: line_range 7, allowed"),
    ],
)
def test_lines_that_a_file_does_not_have_are_an_error(lines: Any, message: str, scene_folder: Path) -> None:
    path = scene_folder / "parts.json"
    path.write_text(json.dumps([{"name": "a", "path": "scene_0.npy", "split": "train", "line_range": lines}]))
    with pytest.raises(BadArgument, match=message):
        load_scenes(data_config(path), "train")


def names(config: DataConfig) -> tuple[list[str], list[str]]:
    return tuple([scene.name for scene in load_scenes(config, split)] for split in ("train", "validation"))  # type: ignore[return-value]  # of two


def test_patterns_move_scenes_between_training_and_validation(scene_folder: Path) -> None:
    def chosen(**patterns: list[str]) -> tuple[list[str], list[str]]:
        return names(data_config(scene_folder / "manifest.json", **patterns))

    everything = [f"scene_{i}" for i in range(4)]
    assert chosen(validate=["*_3"], also_train=["*"]) == (everything, ["scene_3"])
    assert chosen(also_train=["*"], without=["*_[01]"], validate=["*_[01]"]) == (everything[2:], everything[:2])
    assert chosen(without=["*_1"]) == (["scene_0", "scene_2"], ["scene_3"])
    with pytest.raises(BadArgument, match="no scene in split 'validation'"):
        chosen(also_train=["*"])
    with pytest.raises(BadArgument, match="no scene in split 'train'"):
        chosen(without=["*"])


def test_patterns_do_not_split_groups(scene_folder: Path) -> None:
    config = data_config(
        scene_folder / "manifest.json", groups=[["scene_0", "scene_1"]], without=["*_1"], validate=["*_1"]
    )
    with pytest.raises(BadArgument, match=r"scene_0\+scene_1.*scene_0 trains, scene_1 validates"):
        names(config)

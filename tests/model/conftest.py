"""Small scenes and configurations that the tests of training share."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from model.scenes.scene import Scene
from model.training.training_config import TrainingConfig

IntArray = npt.NDArray[np.integer[Any]]


def smooth_scene(seed: int, shape: tuple[int, int, int] = (12, 6, 10), dtype: str = "int16") -> IntArray:
    """A scene (Y, Z, X) whose lines and bands resemble their neighbours, plus noise."""
    generator = np.random.default_rng(seed)
    y, z, x = (np.arange(n) for n in shape)
    bands = 400 + 150 * np.sin(z / 3 + seed)
    field = np.sin(y[:, None] / 4 + seed) + np.cos(x / 3)[None, :]
    samples = bands[None, :, None] * (1 + 0.3 * field[:, None, :]) + generator.normal(0, 3, shape)
    return np.rint(samples).astype(dtype)


@pytest.fixture(autouse=True)
def same_random_numbers() -> None:
    """What a test draws from PyTorch is the same in every run, whatever ran before it."""
    torch.manual_seed(0)


@pytest.fixture
def scene_folder(tmp_path: Path) -> Path:
    """A manifest with three training scenes and one for validation."""
    entries = []
    for seed, split in enumerate(["train", "train", "train", "validation"]):
        np.save(tmp_path / f"scene_{seed}.npy", smooth_scene(seed, (24, 8, 16)))
        entries.append({"name": f"scene_{seed}", "path": f"scene_{seed}.npy", "split": split})
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    return tmp_path


@pytest.fixture
def tiny_config(scene_folder: Path) -> TrainingConfig:
    """A run of seconds on `scene_folder`."""
    return TrainingConfig.from_dict(
        {
            "name": "tiny",
            "output": str(scene_folder / "runs"),
            "network": {"features": 4, "encoder_layers": 1, "line_blocks": 1, "band_layers": 1, "base": "spectral"},
            "data": {
                "manifest": str(scene_folder / "manifest.json"),
                "cache": str(scene_folder / "cache"),
                "crop_lines": 12,
                "crop_bands": 3,
                "crop_columns": 8,
                "final_bands": 5,
            },
            "schedule": {"epochs": 4, "batches_per_epoch": 3, "final_epochs": 1, "learning_rate": 1e-2},
        }
    )


@pytest.fixture
def constant_scene(tmp_path: Path) -> Scene:
    """A scene whose samples are all the same, smaller than most crops."""
    np.save(tmp_path / "constant.npy", np.full((6, 3, 5), 7, np.int16))
    return Scene("constant", "train", tmp_path / "constant.npy", (6, 3, 5))

"""Scenes that are not the mission's, on which a fine-tuned package is measured too: named ones, or that of the demo."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from export.coded_scene import Samples
from export.package_worth import Scenes
from model.scenes.data_config import DataConfig
from model.scenes.scene import Scene
from model.scenes.scene_list import all_entries, open_entry
from runtime.errors import BadArgument
from runtime.images.synthetic import synthetic_lines

DEMO = "demo (synthetic)"
"""The only scene that comes with the package."""
DEMO_SHAPE, DEMO_SEED = (64, 96, 80), 1


def other_scenes(paths: Sequence[Path], data: DataConfig, mission: Sequence[Scene], most_lines: int) -> Scenes:
    """The first `most_lines` lines of each scene of `paths`, files, folders or manifests; of none, the demo's.

    Raises BadArgument for what is missing, is named twice, or is one of the mission.
    """
    if not paths:
        return {DEMO: demo_lines}
    own = {scene.path.resolve() for scene in mission}
    found: dict[str, partial[Samples]] = {}
    for path in paths:
        if not path.exists():
            raise BadArgument(f"{path} not found")
        for entry in all_entries(path, data):
            scene = open_entry(entry, data)
            if scene.path.resolve() in own:
                raise BadArgument(f"other scene {scene.name} is one of the mission, allowed those that do not train")
            if scene.name in found:
                raise BadArgument(f"two other scenes are named {scene.name}: give their folder, or a manifest")
            found[scene.name] = partial(first_lines, scene, most_lines)
    if not found:
        raise BadArgument(f"{paths[0]} has no scenes")
    return found


def first_lines(scene: Scene, most_lines: int | None = None) -> Samples:
    """(Y, Z, X) of the first lines of a scene, or of all."""
    return np.asarray(scene.samples[:most_lines]).astype(np.int32)


def demo_lines() -> Samples:
    """(Y, Z, X) of a scene like that of the demo."""
    return np.stack(list(synthetic_lines(*DEMO_SHAPE, np.random.default_rng(DEMO_SEED)))).astype(np.int32)

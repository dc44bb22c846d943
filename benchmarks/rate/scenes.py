"""Which scenes there are, which row of a table each fills, and which four folds they are split into."""

import fnmatch
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.harness.record import SCENES
from runtime.images.scene_reader import Scene, open_scene

VALIDATION = ("enmap_potsdam_a", "hyspecnet_dt4950_x03110438")
NEAR_LOSSLESS = (*VALIDATION, "jasper_ridge", "samson")
"""Scenes that are coded with every maximum error."""
PLOTS = "neon_mlbs"
"""The plots of one site are one column of a table, their mean."""
FOLDS = Path(__file__).parents[1] / "folds.json"


class Entry(NamedTuple):
    """A scene by name."""

    name: str
    path: Path

    def open(self) -> Scene:
        """The scene, in memory."""
        scene = open_scene(self.path)
        return Scene(np.array(scene.samples), scene.metadata)


def entries() -> list[Entry]:
    """All shared scenes."""
    manifest = json.loads((SCENES / "MANIFEST.json").read_text())
    return [Entry(entry["name"], SCENES / entry["path"]) for entry in manifest]


def folds() -> dict[str, tuple[str, ...]]:
    """Name of each fold -> patterns of the scenes that its model has never seen."""
    found = json.loads(FOLDS.read_text())["folds"]
    return {name: tuple(patterns) for name, patterns in found.items()}


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns (`abu_*`) fits the name."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def column(scene: str) -> str:
    """The column of a table that a scene belongs to."""
    return PLOTS if scene.startswith(PLOTS) else scene

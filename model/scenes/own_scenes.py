"""Scenes of one's own in place of those of a configuration: which of its keys hold for them, and what validates."""

import fnmatch
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from model.scenes import hyspecnet
from model.scenes.data_config import DataConfig
from model.scenes.held_out import checked, write_split
from model.scenes.scene_list import all_entries, entries_of
from runtime.errors import BadArgument
from runtime.output_checks import check_outputs

NAMING_KEYS = ("groups", "also_train", "without", "validate", "weights")
"""Keys of `[data]` that call scenes by their names."""
MOST_LINES = 64
"""Held out of a scene where none validates: a segment."""
FOLDER_MANIFEST = "MANIFEST.json"


class OwnScenes(NamedTuple):
    """The scenes as a table of a configuration."""

    data: DataConfig
    said: str
    """One line of what serves as what, and which keys fell away."""


def own_scenes(data: DataConfig, scenes: Path, split_file: Path) -> OwnScenes:
    """Take `scenes` in place of those of `data`: a manifest, a folder, the root of HySpecNet-11k, or one scene.

    Keys that name scenes hold where all that they name is there, and fall away together where something is not. Where
    no scene validates, the last lines of each do, by a manifest that is written to `split_file`. Raises LineRwkvError.
    """
    if not scenes.exists():
        raise BadArgument(f"{scenes} not found")
    source = scenes / FOLDER_MANIFEST if (scenes / FOLDER_MANIFEST).is_file() else scenes
    is_list = source.is_dir() or source.suffix.lower() == ".json"
    own = replace(data, manifest=str(source))
    if hyspecnet.is_hyspecnet(source):
        own = replace(own, validation_split="val")
    given = [key for key in NAMING_KEYS if getattr(data, key)]
    nameless = replace(own, **{key: type(getattr(data, key))() for key in given})
    fallen = f"; {', '.join(given)} of the configuration fall away" if given else ""
    missing = missing_name(own)
    why = f": no scene is named {missing}" if missing is not None else ": nothing would validate"
    tried = [(own, "")] if missing is None else []
    tried += [(nameless, f"{fallen}{why}")] if given else []
    for found, said in tried if is_list else []:
        training, validation = (entries_of(found, split) for split in (found.train_split, found.validation_split))
        if training and validation:
            for entry in training:
                checked(entry, found, 2)
            return OwnScenes(found, f"{source}: {len(training)} scenes train, {len(validation)} validate{said}")
    check_outputs([split_file], [source])
    halves = replace(nameless, manifest=str(split_file), validation_split=data.validation_split)
    write_split([source], halves, MOST_LINES)
    n_scenes = len(entries_of(halves, halves.train_split))
    return OwnScenes(halves, f"{source}: {n_scenes} scenes train, the last lines of each validate{fallen}")


def missing_name(data: DataConfig) -> str | None:
    """A name or pattern in `data` that is of none of its scenes; None: all are there."""
    patterns = [*(name for group in data.groups for name in group), *data.also_train, *data.without, *data.validate]
    patterns += data.weights
    names = [entry["name"] for entry in all_entries(Path(data.manifest), replace(data, groups=[]))] if patterns else []
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
            return pattern
    return None

"""Scenes of one's own as a manifest: what trains, and what is held out for validation.

A manifest, or a folder, with a validation split keeps that split. Of every other scene the last lines are held out:
they touch the lines that train, but no line is in both.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from model.scenes import hyspecnet
from model.scenes.data_config import DataConfig
from model.scenes.scene_list import all_entries, entries_of, open_entry
from runtime.codec.compression import atomic_file
from runtime.errors import BadArgument

SHARE = 4
"""One line in so many is held out."""
LEAST_LINES, LEAST_COLUMNS = 8, 5


def write_split(sources: list[Path], data: DataConfig, most_lines: int) -> None:
    """Write the manifest `data.manifest` of all `sources`: scene files, manifests, folders of scenes.

    most_lines: held out, or coded, of one scene at most. Raises BadArgument for what is missing or too small.
    """
    target = Path(data.manifest)
    entries = [entry for source in sources for entry in split_source(source, data, most_lines)]
    names: set[str] = set()
    for entry in entries:
        if entry["name"] in names:
            raise BadArgument(f"two scenes are named {entry['name']}: give their folder, or a manifest")
        names.add(entry["name"])
        entry["path"] = os.path.relpath(entry["path"], target.parent)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as file:
        file.write(json.dumps(entries, indent=1).encode() + b"\n")


def split_source(source: Path, data: DataConfig, most_lines: int) -> list[dict[str, Any]]:
    """The entries of one source, each in the split that it serves."""
    if not source.exists():
        raise BadArgument(f"{source} not found")
    training, validation = listed(source, data)
    if validation:
        return [
            *(checked(entry, data, 2) for entry in training),
            *(shortened(entry, data, most_lines) for entry in validation),
        ]
    return [part for entry in training for part in halves(checked(entry, data, LEAST_LINES), data, most_lines)]


def listed(source: Path, data: DataConfig) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Training and validation entries of a source."""
    if not source.is_dir() and source.suffix.lower() != ".json":
        return all_entries(source, data), []
    validation = "val" if hyspecnet.is_hyspecnet(source) else data.validation_split
    found = replace(data, manifest=str(source))
    training, held_out = entries_of(found, data.train_split), entries_of(found, validation)
    if not training and source.is_dir():  # the names of a few scenes may put all of them into one split
        training, held_out = held_out, []
    if not training:
        raise BadArgument(f"{source} has no scene in split {data.train_split!r}")
    return training, [{**entry, "split": data.validation_split} for entry in held_out]


def checked(entry: dict[str, Any], data: DataConfig, least_lines: int) -> dict[str, Any]:
    """The entry. Raises BadArgument where no crops can be cut of it."""
    n_lines, _, n_columns = open_entry(entry, data).shape
    if n_lines < least_lines or n_columns < LEAST_COLUMNS:
        raise BadArgument(
            f"scene {entry['name']}: {n_lines} lines of {n_columns} columns, "
            f"allowed at least {least_lines} of {LEAST_COLUMNS}"
        )
    return entry


def shortened(entry: dict[str, Any], data: DataConfig, most_lines: int) -> dict[str, Any]:
    """A validation entry of the first lines."""
    scene = open_entry(entry, data)
    first = scene.lines[0] if scene.lines else 0
    return {**entry, "line_range": [first, first + min(scene.shape[0], most_lines)]}


def halves(entry: dict[str, Any], data: DataConfig, most_lines: int) -> list[dict[str, Any]]:
    """The lines that train and the last ones, held out, as two entries of groups of their own."""
    scene = open_entry(entry, data)
    first = scene.lines[0] if scene.lines else 0
    stop = first + scene.shape[0]
    cut = stop - min(scene.shape[0] // SHARE, most_lines)
    parts = ((data.train_split, first, cut), (data.validation_split, cut, stop))  # whatever split a folder gave it
    return [
        {
            **entry,
            "name": f"{entry['name']}[{a}:{b}]",
            "split": split,
            "group": f"{entry['name']}[{a}:{b}]",
            "line_range": [a, b],
        }
        for split, a, b in parts
    ]

"""Which scenes a run trains on and validates with: from a manifest, a folder, or HySpecNet-11k.

No two scenes of one group are ever in different splits: parts of one acquisition in both would flatter the validation.
A run may choose by patterns of names besides, which is how cross-validation models are trained on fewer scenes.
"""

import fnmatch
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from model.scenes import hyspecnet
from model.scenes.data_config import DataConfig
from model.scenes.scene import Scene
from model.scenes.scene_cache import mappable
from model.scenes.stream_scene import STREAM_SUFFIXES, is_stream
from runtime.errors import BadArgument, LineRwkvError
from runtime.images.scene_reader import TIFF_SUFFIXES, open_scene

Entry = TypeVar("Entry")
SUFFIXES = (".hdr", ".npy", *STREAM_SUFFIXES, *TIFF_SUFFIXES)
MANIFEST_KEYS = {"name": str, "path": str, "split": str}


def load_scenes(data: DataConfig, split: str) -> list[Scene]:
    """All scenes of a split, in the order of the source, checked for their groups. Raises BadArgument."""
    found = entries_of(data, split)
    if not found:
        raise BadArgument(f"{data.manifest} has no scene in split {split!r}")
    if split == data.validation_split:
        found = spread(found, data.validation_scenes)
    return [weighted(open_entry(entry, data), data) for entry in found]


def spread(entries: list[Entry], n_most: int) -> list[Entry]:
    """`n_most` of the entries at even distances in their order; all of them where they are not more, or it is 0."""
    if not 0 < n_most < len(entries):
        return entries
    return [entries[place * len(entries) // n_most] for place in range(n_most)]


def entries_of(data: DataConfig, split: str) -> list[dict[str, Any]]:
    """What the source says of the scenes that serve as `split`; none where it has none. Raises BadArgument."""
    entries = listed_entries(data, split)
    trained = {entry["group"]: entry["name"] for entry in entries if serves(entry, data, data.train_split)}
    found = [entry for entry in entries if serves(entry, data, split)]
    for entry in found:
        if data.validate and entry["group"] in trained and not serves(entry, data, data.train_split):
            raise BadArgument(
                f"group {entry['group']!r} is in two splits: scene {trained[entry['group']]} trains, "
                f"{entry['name']} validates"
            )
    return found


def listed_entries(data: DataConfig, split: str) -> list[dict[str, Any]]:
    """All that the source lists; of HySpecNet-11k what trains, and what is in `split`. Raises BadArgument."""
    source = Path(data.manifest)
    if hyspecnet.is_hyspecnet(source):
        return [entry for part in sorted({data.train_split, split}) for entry in from_hyspecnet(data, part)]
    return grouped(from_folder(data) if source.is_dir() else from_manifest(source), data)


def all_entries(source: Path, data: DataConfig) -> list[dict[str, Any]]:
    """All scenes of a folder, a manifest or HySpecNet-11k, whatever their split; a file is one by itself."""
    if not source.is_dir() and source.suffix.lower() != ".json":
        return [{"name": source.stem, "path": source, "split": data.train_split, "group": source.stem}]
    validation = "val" if hyspecnet.is_hyspecnet(source) else data.validation_split
    return listed_entries(replace(data, manifest=str(source)), validation)


def serves(entry: dict[str, Any], data: DataConfig, split: str) -> bool:
    """Whether the scene of an entry serves as `split`: by its own, and the patterns of names."""

    def matches(patterns: list[str]) -> bool:
        return any(fnmatch.fnmatchcase(entry["name"], pattern) for pattern in patterns)

    trains = (entry["split"] == data.train_split or matches(data.also_train)) and not matches(data.without)
    if split == data.train_split:
        return trains
    if split == data.validation_split and data.validate:
        return matches(data.validate)
    return bool(entry["split"] == split) and not trains


def from_manifest(manifest: Path) -> list[dict[str, Any]]:
    """Entries of a JSON list of objects with name, path (relative to the manifest), split, and more if wanted."""
    try:
        entries = json.loads(manifest.read_text())
    except (OSError, ValueError) as error:
        raise BadArgument(f"scene manifest {manifest}: {error}") from error
    if not isinstance(entries, list):
        raise BadArgument(f"scene manifest {manifest}: {type(entries).__name__} found, allowed a list of scenes")
    for number, entry in enumerate(entries):
        for key, kind in MANIFEST_KEYS.items():
            if not isinstance(entry, dict) or not isinstance(entry.get(key), kind):
                raise BadArgument(f"scene manifest {manifest}, entry {number}: {key!r} missing or not a string")
    return [{**entry, "path": manifest.parent / entry["path"]} for entry in entries]


def from_folder(data: DataConfig) -> list[dict[str, Any]]:
    """Every scene below a folder; a subfolder is a group, and each group falls into a split by its name.

    A stream beside an image of its name is that image, and is left out.
    """
    root, cache = Path(data.manifest), Path(data.cache).resolve()
    entries = []
    paths = [path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES]
    images = {path.with_suffix("") for path in paths if not is_stream(path)}
    for path in sorted(paths):
        if path.resolve().is_relative_to(cache) or (is_stream(path) and path.with_suffix("") in images):
            continue
        name = path.relative_to(root).with_suffix("").as_posix()
        entries.append({"name": name, "path": path, "group": name if path.parent == root else path.parent.name})
    for entry in entries:
        entry["split"] = split_of(group_of(entry, data), data)
    return entries


def split_of(group: str, data: DataConfig) -> str:
    """The split of a group of a folder: by a hash of its name, so that more scenes do not move the old ones."""
    place = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") / 2**32  # 0..1
    return data.validation_split if place < data.validation_fraction else data.train_split


def group_of(entry: dict[str, Any], data: DataConfig) -> str:
    """The configured group that names the scene, else the entry's own, else the scene by itself."""
    for names in data.groups:
        if entry["name"] in names:
            return "+".join(sorted(names))
    return str(entry.get("group") or entry["name"])


def grouped(entries: list[dict[str, Any]], data: DataConfig) -> list[dict[str, Any]]:
    """The entries with their group; raises BadArgument where one group is in two splits."""
    splits: dict[str, dict[str, Any]] = {}
    for entry in entries:
        entry["group"] = group_of(entry, data)
        first = splits.setdefault(entry["group"], entry)
        if first["split"] != entry["split"]:
            raise BadArgument(
                f"group {entry['group']!r} is in two splits: scene {first['name']} is in split {first['split']!r}, "
                f"{entry['name']} in {entry['split']!r}"
            )
    return entries


def from_hyspecnet(data: DataConfig, split: str) -> list[dict[str, Any]]:
    """Entries of one split of HySpecNet-11k; the easy splits share tiles on purpose."""
    found = hyspecnet.patches(Path(data.manifest), data.hyspecnet_split, split)
    return [{"name": p.name, "path": p.image, "split": split, "group": p.tile, "is_hyspecnet": True} for p in found]


def open_entry(entry: dict[str, Any], data: DataConfig) -> Scene:
    """The scene of an entry, converted if it must be. Raises BadArgument that names it."""
    try:
        is_hyspecnet = entry.get("is_hyspecnet", False)
        path = mappable(Path(entry["path"]), Path(data.cache), data.packages, is_hyspecnet=is_hyspecnet)
        shape = open_scene(path).shape
    except LineRwkvError as error:
        raise BadArgument(f"scene {entry['name']}: {error}") from error
    y, z, x = shape
    lines = lines_of(entry, y)
    if lines is not None:
        y = lines[1] - lines[0]
    weight = float(entry.get("weight", 1.0))
    return Scene(entry["name"], entry["split"], path, (y, z, x), entry["group"], weight, lines)


def lines_of(entry: dict[str, Any], n_lines: int) -> tuple[int, int] | None:
    """The lines of its file that an entry asks for; None: all. Raises BadArgument."""
    lines = entry.get("line_range")
    if lines is None:
        return None
    if not (isinstance(lines, list) and len(lines) == 2 and all(type(line) is int for line in lines)):
        raise BadArgument(f"scene {entry['name']}: line_range {lines!r}, allowed [first, the one after the last]")
    first, stop = lines
    if not 0 <= first < stop <= n_lines:
        raise BadArgument(f"scene {entry['name']}: lines {first} to {stop}, its file has {n_lines}")
    return first, stop


def weighted(scene: Scene, data: DataConfig) -> Scene:
    """The scene with the weight of every configured name pattern that it matches multiplied in."""
    weight = scene.weight
    for pattern, factor in data.weights.items():
        if fnmatch.fnmatchcase(scene.name, pattern):
            weight *= factor
    if not weight > 0:
        raise BadArgument(f"scene {scene.name}: weight is {weight}, allowed more than 0")
    return replace(scene, weight=weight)

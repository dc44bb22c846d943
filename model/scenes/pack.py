"""A training folder small enough to carry: every scene compressed without loss, and one manifest.

The scenes are ordinary streams of this project, predicted by DPCM: no format of its own, no network needed to read.
"""

import json
from dataclasses import replace
from pathlib import Path

from model.scenes.data_config import DataConfig
from model.scenes.scene import Scene
from model.scenes.scene_list import load_scenes
from model.scenes.stream_scene import STREAM_SUFFIX
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import atomic_file, compress_lines
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene as StoredScene
from runtime.output_checks import check_files, check_outputs
from runtime.stream.kinds import PredictorKind

MANIFEST = "manifest.json"
PACKED = CodingOptions(predictor=PredictorKind.DPCM)


def pack_scenes(data: DataConfig, splits: list[str], folder: Path) -> int:
    """Write the scenes of the splits and their manifest into `folder`; returns their bytes. Raises BadArgument."""
    folder.mkdir(parents=True, exist_ok=True)
    entries, n_bytes = [], 0
    data = replace(data, weights={})  # the configuration that trains from the folder multiplies them in
    scenes = {scene.name: scene for split in splits for scene in load_scenes(data, split)}.values()
    check_files(folder, (MANIFEST,), f"*{STREAM_SUFFIX}")
    written = [folder / MANIFEST, *(folder / packed_name(scene) for scene in scenes)]
    check_outputs(written, [Path(data.manifest), *(scene.path for scene in scenes)])
    for scene in scenes:
        path = folder / packed_name(scene)
        stored = StoredScene(scene.samples)
        n_bytes += compress_lines(stored.lines(), describe(stored, None), path, PACKED).n_bytes
        entries.append(
            {
                "name": scene.name,
                "path": path.name,
                "split": scene.split,
                "group": scene.group,
                "weight": scene.weight,
            }
        )
    text = json.dumps(entries, indent=1).encode() + b"\n"
    with atomic_file(folder / MANIFEST) as file:
        file.write(text)
    return n_bytes + len(text)


def packed_name(scene: Scene) -> str:
    """A file name for a scene whose name may hold folders."""
    return scene.name.replace("/", "__") + STREAM_SUFFIX

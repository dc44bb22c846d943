"""Scenes of a training set: ENVI pairs named by a manifest, loaded as integer arrays."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import spectral

from runtime.errors import BadArgument


@dataclass(frozen=True)
class Scene:
    """One hyperspectral cube."""

    name: str
    split: str
    samples: npt.NDArray[np.integer[Any]]
    """(Y, Z, X), the stored integers."""


def load_scenes(manifest: Path, split: str) -> list[Scene]:
    """All scenes of one split of a manifest.

    The manifest is a JSON list of objects with `name`, `path` (of the ENVI header, relative to the manifest) and
    `split`. Raises BadArgument where a file is missing, not integer, or the split is empty.
    """
    if not manifest.is_file():
        raise BadArgument(f"scene manifest {manifest} not found")
    scenes = []
    for entry in json.loads(manifest.read_text()):
        if entry["split"] != split:
            continue
        header = manifest.parent / entry["path"]
        try:
            image = spectral.envi.open(str(header))
            samples = np.ascontiguousarray(image.open_memmap(interleave="bil"))
        except (OSError, spectral.io.envi.EnviException) as error:
            raise BadArgument(f"scene {entry['name']}: {error}") from error
        if not np.issubdtype(samples.dtype, np.integer):
            raise BadArgument(f"scene {entry['name']}: samples are {samples.dtype}, allowed integers")
        scenes.append(Scene(entry["name"], split, samples))
    if not scenes:
        raise BadArgument(f"scene manifest {manifest} has no scene in split {split!r}")
    return scenes

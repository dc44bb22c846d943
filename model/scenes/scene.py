"""One hyperspectral cube of a training set: what is known of it, and its samples, mapped from the disk when touched."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument
from runtime.images.scene_reader import open_scene

OPEN_FILES = 64  # mapped at a time by one process


@functools.lru_cache(maxsize=OPEN_FILES)
def mapped_samples(path: Path) -> npt.NDArray[np.integer[Any]]:
    """(Y, Z, X) view of an ENVI or .npy file; the operating system keeps in memory what fits."""
    return open_scene(path).samples


@dataclass(frozen=True)
class Scene:
    """A cube on disk; small, so that worker processes can have it."""

    name: str
    split: str
    path: Path
    """Of the ENVI header or the .npy file."""
    shape: tuple[int, int, int]
    """(Y, Z, X)."""
    group: str = ""
    """Scenes of one group are never in different splits; empty: a group of its own."""
    weight: float = 1.0
    """How much more often than others of its size it is drawn."""
    lines: tuple[int, int] | None = None
    """First line, and the one after the last, where the scene is a part of its file."""

    @property
    def samples(self) -> npt.NDArray[np.integer[Any]]:
        """(Y, Z, X), the stored integers. Raises BadArgument where the file is gone or has another shape."""
        try:
            samples = mapped_samples(self.path)
        except BadArgument as error:
            raise BadArgument(f"scene {self.name}: {error}") from error
        if self.lines is not None:
            samples = samples[slice(*self.lines)]
        if samples.shape != self.shape:
            raise BadArgument(f"scene {self.name}: shape {samples.shape}, was {self.shape} when the run began")
        return samples

    @property
    def n_samples(self) -> int:
        """Lines times bands times columns."""
        n_lines, n_bands, n_columns = self.shape
        return n_lines * n_bands * n_columns

"""The scene of a run: a real one where it is there, else the synthetic one, cut to the size of the board file."""

import glob
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hil_tests.board.board import SceneChoice
from hil_tests.places.place import REPOSITORY
from runtime.errors import BadArgument
from runtime.images.image_of_scene import describe
from runtime.images.sample_file import raw_line
from runtime.images.scene_reader import Scene, open_scene
from runtime.images.synthetic import synthetic_lines
from runtime.stream.image_description import ImageDescription

SCENES = REPOSITORY.parent / "shared" / "scenes"
SYNTHETIC = "synthetic"
SYNTHETIC_SIZE = (64, 96, 80)  # lines, bands, columns where the board file does not say
SEED = 1


@dataclass(frozen=True)
class RunScene:
    """What is compressed."""

    name: str
    """With what was cut from it."""
    kind: str
    """`real` or `synthetic`."""
    samples: npt.NDArray[np.integer[Any]]
    """(Y, Z, X)."""
    image: ImageDescription
    note: str
    """Why it is not the one asked for; empty where it is."""

    @property
    def n_samples(self) -> int:
        """Of the whole scene."""
        return int(self.samples.size)

    def raw(self) -> bytes:
        """All lines as little-endian BIL."""
        return b"".join(raw_line(line, self.image.file_type) for line in self.samples)

    def sha256(self) -> str:
        """Of the raw lines."""
        return hashlib.sha256(self.raw()).hexdigest()

    def image_values(self) -> dict[str, Any]:
        """The image as the target's jobs take it."""
        image = self.image
        return {
            "bands": image.n_bands, "columns": image.n_columns, "depth": image.depth, "is_signed": image.is_signed,
            "lines": image.n_lines, "sample_type": int(image.file_type),
            "offset": image.values.offset, "step": image.values.step,
            "specials": [[special.value, int(special.kind)] for special in image.specials],
        }  # fmt: skip


def scene_file(choice: SceneChoice, folder: Path) -> Path | None:
    """The file that a choice names: in the shared scenes, or beside the board file; None where there is none."""
    shared = sorted(SCENES.glob(f"**/{glob.escape(choice.name)}.hdr")) if "/" not in choice.name else []
    beside = folder / choice.name
    return shared[0] if shared else beside if beside.is_file() else None


def run_scene(choice: SceneChoice, given: Path | None, folder: Path, *, is_short: bool) -> RunScene:
    """The scene. `given`: a file instead of the board's choice; `folder`: of the board file.

    Raises BadArgument: no such file, a board's choice with a path that is not there, a scene too small for the cut.
    """
    n_lines = choice.short_lines if is_short else choice.lines
    path = given or (None if choice.name == SYNTHETIC else scene_file(choice, folder))
    if path is not None:
        return cut(path.stem, "real", open_scene(path), n_lines, choice, "")
    if "/" in choice.name:
        raise BadArgument(f"scene {choice.name} of the board file not found in {folder}")
    lines, bands, columns = (
        wanted or usual for wanted, usual in zip((n_lines, choice.bands, choice.columns), SYNTHETIC_SIZE, strict=True)
    )
    samples = np.stack(list(synthetic_lines(lines, bands, columns, np.random.default_rng(SEED))))
    note = "" if choice.name == SYNTHETIC else f"scene {choice.name} is not on this machine, a synthetic one stands in"
    return cut(f"{SYNTHETIC}, seed {SEED}", SYNTHETIC, Scene(samples), n_lines, choice, note)


def cut(name: str, kind: str, scene: Scene, n_lines: int, choice: SceneChoice, note: str) -> RunScene:
    """The first lines, bands and columns of a scene; 0 is all, and more than there are is all."""
    ends = [
        min(wanted or size, size)
        for wanted, size in zip((n_lines, choice.bands, choice.columns), scene.samples.shape, strict=True)
    ]
    samples = np.array(scene.samples[: ends[0], : ends[1], : ends[2]])
    samples = samples.astype(samples.dtype.newbyteorder("="))
    sizes = " x ".join(f"{size}" for size in ends)
    whole = "" if samples.shape == scene.samples.shape else ", the first of it"
    return RunScene(
        f"{name} ({sizes} lines, bands, columns{whole})", kind, samples, describe(Scene(samples), None), note
    )

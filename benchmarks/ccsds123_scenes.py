"""The shared scenes as arrays, for the CCSDS 123 benchmarks."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.ccsds123.commands import depth_and_sign
from runtime.scene_reader import open_scene

SCENES = Path(__file__).parents[1].parent / "shared" / "scenes"
IntArray = npt.NDArray[np.integer[Any]]


def names() -> list[str]:
    """Every scene, as a path without suffix."""
    return sorted(str(path.relative_to(SCENES).with_suffix("")) for path in SCENES.rglob("*.hdr"))


def samples(name: str) -> IntArray:
    """A scene, (Z, Y, X)."""
    return np.ascontiguousarray(np.moveaxis(open_scene(SCENES / f"{name}.hdr").samples, 1, 0))


def parameters(image: IntArray, **changes: Any) -> dict[str, Any]:
    """The standard's parameters of an image with D its own depth, changed by `changes`."""
    n_bands, n_lines, n_columns = image.shape
    return {"Nx": n_columns, "Ny": n_lines, "Nz": n_bands} | depth_and_sign(image, None, None) | changes

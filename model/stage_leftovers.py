"""What the adaptive stage leaves over without a network, computed once for each scene: targets of the supplement."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from model.scene import Scene


def leftovers(scenes: list[Scene], cache: Path) -> dict[str, npt.NDArray[np.int16]]:
    """Of each scene by name: (Y, Z, X), twice the sample less s-tilde, mapped from the disk."""
    return {scene.name: np.load(cache / "stage" / f"{scene.name}.npy", mmap_mode="r") for scene in scenes}

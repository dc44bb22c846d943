"""What is wrong with a scene as training data, said before the training begins."""

import numpy as np

from model.scenes.scene import Scene
from runtime.errors import BadArgument
from runtime.images.scene_reader import band_ranges
from runtime.stream.depth import bit_depth


def findings(scene: Scene) -> list[str]:
    """What is odd but can be trained on, one line each. Raises BadArgument for samples that 16 bits do not hold."""
    samples = scene.samples
    lowest, highest = band_ranges(iter(samples))
    try:
        bit_depth(int(lowest.min()), int(highest.max()))
    except BadArgument as error:
        raise BadArgument(f"scene {scene.name}: {error}") from error
    odd = []
    constant = np.flatnonzero(lowest == highest)
    if len(constant):
        odd.append(f"scene {scene.name}: {len(constant)} constant bands, the first is band {constant[0]}")
    if samples.shape[0] > 1:
        is_still = np.ones(samples.shape[1:], bool)  # (Z, X): every line equal to the one before it
        for now, before in zip(samples[1:], samples[:-1], strict=True):
            is_still &= now == before
        is_still[constant] = False
        dead = np.argwhere(is_still)
        if len(dead):
            z, x = dead[0]
            odd.append(f"scene {scene.name}: {len(dead)} dead columns, the first is column {x} of band {z}")
    return odd


def depth_findings(scenes: list[Scene]) -> list[str]:
    """A line where the scenes have different sample types: each is normalised by itself, so it is no error."""
    types: dict[str, int] = {}
    for scene in scenes:
        name = scene.samples.dtype.name
        types[name] = types.get(name, 0) + 1
    if len(types) < 2:
        return []
    return ["mixed sample types: " + ", ".join(f"{count} scenes {name}" for name, count in sorted(types.items()))]

"""Random crops of scenes as batches of network inputs and targets.

A batch is a pure function of (seed, epoch, index): training can stop and resume anywhere and see the same data.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from model.scene_folder import Scene
from runtime.integer_base import Base, base_samples
from runtime.normalise import from_first_line, normalised


class Batch(NamedTuple):
    """Crops of equal size, B of them."""

    lines: Tensor
    """(B, Y, Z, X) float32, normalised samples."""
    columns: Tensor
    """(X',) int64, the columns to predict."""
    target: Tensor
    """(B, Y - 1, Z, X') float32, the correction that would be right, in units of scale."""
    scale: Tensor
    """(B, Z) float32, sample units per unit of the normalised range."""


class CropSize(NamedTuple):
    """The largest crop; a smaller scene gives a smaller one."""

    lines: int
    bands: int
    columns: int


def crop_targets(samples: npt.NDArray[np.int32], base: Base, mean: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Sample minus integer base for all lines but the first: (Y, Z, X) to (Y - 1, Z, X), band 0 as in a scene."""
    now, before = samples[1:], samples[:-1]
    nothing = np.zeros_like(now[:, :1])
    band_now = np.concatenate([nothing, now[:, :-1]], axis=1)
    band_before = np.concatenate([nothing, before[:, :-1]], axis=1)
    target: npt.NDArray[np.int32] = now - base_samples(base, before, band_now, band_before, mean[:, None])
    return target


class CropBatches(Dataset[Batch]):
    """An epoch of random batches; item `index` depends on nothing but the arguments here and the index."""

    def __init__(
        self, scenes: list[Scene], base: Base, size: CropSize, batch_size: int, n_batches: int, seed: int, epoch: int
    ) -> None:
        self.scenes = scenes
        self.base = base
        self.size = size
        self.batch_size = batch_size
        self.n_batches = n_batches
        self.key = (seed, epoch)

    def __len__(self) -> int:
        return self.n_batches

    def __getitem__(self, index: int) -> Batch:
        """Batch `index` of this epoch; its first scene, drawn by size, sets the size of all its crops."""
        if not 0 <= index < self.n_batches:
            raise IndexError(index)
        generator = np.random.default_rng((*self.key, index))
        weights = np.array([scene.samples.size for scene in self.scenes], float)
        first = self.scenes[generator.choice(len(self.scenes), p=weights / weights.sum())]
        shape = tuple(np.minimum(self.size, first.samples.shape))
        is_large = [all(np.greater_equal(scene.samples.shape, shape)) for scene in self.scenes]
        weights *= is_large
        picks = generator.choice(len(self.scenes), size=self.batch_size - 1, p=weights / weights.sum())
        side = generator.choice(["left", "right", "inside", "inside", "inside", "inside"])
        crops = [self.crop(generator, scene, shape, str(side)) for scene in [first, *(self.scenes[i] for i in picks)]]
        margin_left, margin_right = (0 if side == "left" else 2), (0 if side == "right" else 2)
        n_columns = shape[2]
        if n_columns <= margin_left + margin_right:
            margin_left = margin_right = 0
        columns = torch.arange(margin_left, n_columns - margin_right)
        lines, targets, scales = (torch.from_numpy(np.stack(parts)) for parts in zip(*crops, strict=True))
        return Batch(lines, columns, targets.index_select(-1, columns), scales)

    def crop(
        self, generator: np.random.Generator, scene: Scene, shape: tuple[int, ...], side: str
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Normalised lines, targets and scales of one random crop; `side` pins it to an edge of the line."""
        room = np.subtract(scene.samples.shape, shape)
        y, z, x = (int(generator.integers(0, spare + 1)) for spare in room)
        x = {"left": 0, "right": int(room[2]), "inside": x}[side]
        bands = slice(z, z + shape[1])
        normalisation = from_first_line(scene.samples[y, bands])
        samples = scene.samples[y : y + shape[0], bands, x : x + shape[2]].astype(np.int32)
        if generator.random() < 0.5:
            samples = samples if side != "inside" else samples[:, :, ::-1]
        target = crop_targets(samples, self.base, normalisation.mean)
        scale = normalisation.scale.astype(np.float32)
        return normalised(samples, normalisation), target.astype(np.float32) / scale[:, None], scale

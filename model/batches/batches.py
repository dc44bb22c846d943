"""Random crops of scenes as batches of network inputs and targets.

A crop is a pure function of (seed, epoch, batch, place in the batch): training can stop and resume anywhere, and
several processes can share a batch, and all see the same data.
"""

from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from model.scenes.scene import Scene
from runtime.cell.integer_base import Base, IntArray, base_samples
from runtime.float_network.normalise import from_first_line, normalised

MARGIN = 2  # columns at a cut edge of a crop that serve as context only: the reach of the paper's encoder
SIDES = ("left", "right", "inside", "inside", "inside", "inside")  # a third of the crops learn an edge of the line


def bases_of_lines(base: Base, samples: IntArray, mean: IntArray) -> IntArray:
    """`base_samples` of all lines but the first: (Y, Z, X) to (Y - 1, Z, X). mean: (Z,)."""
    now, before = samples[1:], samples[:-1]
    nothing = np.zeros_like(now[:, :1])
    band_now = np.concatenate([nothing, now[:, :-1]], axis=1)
    band_before = np.concatenate([nothing, before[:, :-1]], axis=1)
    return base_samples(base, before, band_now, band_before, mean[:, None])


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

    def corrections(self, network: nn.Module) -> Tensor:
        """What the network corrects, to be compared with `target`."""
        corrections: Tensor = network(self.lines, self.columns)
        return corrections


@dataclass(frozen=True)
class CropPlan:
    """How the crops of an epoch are cut."""

    base: Base
    lines: int
    """The largest crop; a smaller scene gives a smaller one."""
    bands: int
    columns: int
    kept_columns: int = 0
    """Random columns kept after the encoder; 0 keeps all."""
    batch_size: int = 1
    """Of one process."""
    flip_columns: bool = True
    flip_lines: bool = False
    gain: float = 0.0


class Share(NamedTuple):
    """Which part of every batch this process cuts."""

    rank: int = 0
    world: int = 1


WHOLE = Share()


def crop_targets(samples: npt.NDArray[np.int32], base: Base, mean: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Sample minus integer base for all lines but the first: (Y, Z, X) to (Y - 1, Z, X), band 0 as in a scene."""
    target: npt.NDArray[np.int32] = samples[1:] - bases_of_lines(base, samples, mean)
    return target


class Plan(Protocol):
    """What the drawing of scenes needs of a plan."""

    @property
    def lines(self) -> int:
        """The largest crop's."""

    @property
    def bands(self) -> int:
        """The largest crop's."""

    @property
    def columns(self) -> int:
        """The largest crop's."""

    @property
    def batch_size(self) -> int:
        """Of one process."""


AnyPlan = TypeVar("AnyPlan", bound=Plan)
AnyBatch = TypeVar("AnyBatch", covariant=True)


class RandomBatches(Dataset[AnyBatch], Generic[AnyBatch, AnyPlan]):
    """An epoch of random batches; item `index` depends on nothing but the arguments here and the index."""

    def __init__(
        self, scenes: list[Scene], plan: AnyPlan, n_batches: int, seed: int, epoch: int, share: Share = WHOLE
    ) -> None:
        self.scenes = scenes
        self.plan = plan
        self.n_batches = n_batches
        self.key = (seed, epoch)
        self.share = share
        self.weights = np.array([scene.weight * scene.n_samples for scene in scenes])
        self.shapes = np.array([scene.shape for scene in scenes])

    def __len__(self) -> int:
        return self.n_batches

    def generator(self, index: int) -> np.random.Generator:
        """What batch `index` is drawn with. Raises IndexError."""
        if not 0 <= index < self.n_batches:
            raise IndexError(index)
        return np.random.default_rng((*self.key, index))

    def first_scene(self, generator: np.random.Generator) -> tuple[int, npt.NDArray[np.int64]]:
        """A scene, drawn by size and weight, and the size (Y, Z, X) of all crops of its batch."""
        first = int(generator.choice(len(self.scenes), p=self.weights / self.weights.sum()))
        return first, np.minimum((self.plan.lines, self.plan.bands, self.plan.columns), self.shapes[first])

    def other_scenes(
        self, generator: np.random.Generator, first: int, needed: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """The scenes of all crops of all processes: the first, and others that are at least as large as `needed`."""
        weights = self.weights * np.all(self.shapes >= needed, axis=1)
        n_crops = self.plan.batch_size * self.share.world
        picks = generator.choice(len(self.scenes), size=n_crops, p=weights / weights.sum())
        picks[0] = first
        return picks


class CropBatches(RandomBatches[Batch, CropPlan]):
    """Crops for the network of the paper."""

    def __getitem__(self, index: int) -> Batch:
        """This process's share of batch `index`."""
        plan = self.plan
        generator = self.generator(index)
        first, shape = self.first_scene(generator)
        picks = self.other_scenes(generator, first, shape)
        side = str(generator.choice(SIDES))
        columns = kept_columns(generator, int(shape[2]), side, plan.kept_columns)
        places = range(self.share.rank * plan.batch_size, (self.share.rank + 1) * plan.batch_size)
        crops = [
            self.crop(np.random.default_rng((*self.key, index, place)), self.scenes[picks[place]], shape, side)
            for place in places
        ]
        lines, targets, scales = (torch.from_numpy(np.stack(parts)) for parts in zip(*crops, strict=True))
        return Batch(lines, columns, targets.index_select(-1, columns), scales)

    def crop(
        self, generator: np.random.Generator, scene: Scene, shape: npt.NDArray[np.int64], side: str
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Normalised lines, targets and scales of one random crop; `side` pins it to an edge of the line."""
        scene_samples = scene.samples
        room = np.subtract(scene.shape, shape)
        y, z, x = (int(generator.integers(0, spare + 1)) for spare in room)
        x = {"left": 0, "right": int(room[2]), "inside": x}[side]
        bands = slice(z, z + int(shape[1]))
        block = scene_samples[y : y + int(shape[0]), bands].astype(np.int32)  # whole lines: the first one normalises
        if self.plan.flip_lines and generator.random() < 0.5:
            block = block[::-1]
        if self.plan.gain:
            block = np.rint(block * generator.uniform(1 - self.plan.gain, 1 + self.plan.gain)).astype(np.int32)
        normalisation = from_first_line(block[0])
        samples = block[:, :, x : x + int(shape[2])]
        if self.plan.flip_columns and side == "inside" and generator.random() < 0.5:
            samples = samples[:, :, ::-1]
        target = crop_targets(samples, self.plan.base, normalisation.mean)
        scale = normalisation.scale.astype(np.float32)
        return normalised(samples, normalisation), target.astype(np.float32) / scale[:, None], scale


def kept_columns(generator: np.random.Generator, n_columns: int, side: str, n_kept: int) -> Tensor:
    """Ascending columns (X',) to predict in a crop of `n_columns`: all but the margins, or `n_kept` random ones."""
    left, right = (0 if side == "left" else MARGIN), (0 if side == "right" else MARGIN)
    if n_columns <= left + right:
        left = right = 0
    columns = np.arange(left, n_columns - right)
    if 0 < n_kept < len(columns):
        columns = np.sort(generator.choice(columns, n_kept, replace=False))
    return torch.from_numpy(columns)

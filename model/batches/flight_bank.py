"""Inputs of whole scenes, made once and kept on the device in small integers; a batch is a gather of random crops.

The host side of the codec takes longer to make inputs than a GPU to train on them. So each variant of each scene is cut
into segments, their inputs are made at the start, on all cores, and stay: 62 bytes a sample and variant. Crops have one
shape whatever the scene: what reaches beyond it is zero and marked as absent.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from model.batches.batches import WHOLE, Share
from model.batches.flight_batches import LEAD, MARGIN, FlightBatch, FlightPlan, segment_inputs
from model.batches.staged_loss import N_FAR
from model.network.clipped_layers import INPUT_UNIT
from model.scenes.scene import Scene
from model.scenes.scene_variants import made_variant
from runtime.errors import BadArgument

INT16 = np.iinfo(np.int16)


class Rows(NamedTuple):
    """Inputs and targets, a row for each sample of a segment's lines but the first: line by line, band by band."""

    line_features: Tensor
    """(N, LINE_FEATURES + LEVELS) int8."""
    band_features: Tensor
    """(N, BAND_FEATURES) int8."""
    differences: Tensor
    """(N, TAPS) int16; what does not fit is clipped."""
    target: Tensor
    """(N, 1) int16, likewise."""


class Bank(NamedTuple):
    """Rows, and where each segment lies in them."""

    rows: Rows
    segments: npt.NDArray[np.int64]
    """(S, 4): first row, lines (all but the first of the segment), bands, columns."""
    weights: npt.NDArray[np.float64]
    """(S,), how often each is drawn; their sum is 1."""


def segment_rows(segment: npt.NDArray[np.int32]) -> Rows:
    """The rows of a segment (Y + 1, Z, X)."""
    inputs = segment_inputs(segment)
    n_rows = inputs.line_features[..., 0].size
    parts = (
        inputs.line_features,
        inputs.band_features,
        np.clip(inputs.differences, INT16.min, INT16.max).astype(np.int16),
        np.clip(np.diff(segment, axis=0), INT16.min, INT16.max).astype(np.int16),
    )
    return Rows(*(torch.from_numpy(part.reshape(n_rows, -1)) for part in parts))


def segments_of(samples: npt.NDArray[np.int32], n_lines: int) -> Iterator[npt.NDArray[np.int32]]:
    """A scene (Y, Z, X) in segments of `n_lines`; a last one of a single line predicts nothing and is left out."""
    for start in range(0, len(samples) - 1, n_lines):
        segment = samples[start : start + n_lines]
        if len(segment) > 1:
            yield np.ascontiguousarray(segment)


def build_bank(
    scenes: list[Scene], variants: list[str], n_lines: int, seed: int, device: torch.device, *, quiet: bool = False
) -> Bank:
    """The bank of all variants of the scenes; a pure function of the arguments."""

    def made(task: tuple[int, int]) -> tuple[list[tuple[int, int, int]], list[Rows]]:
        variant, scene = task
        samples = scenes[scene].samples.astype(np.int32)
        samples = made_variant(variants[variant], samples, np.random.default_rng((seed, variant, scene)))
        segments = list(segments_of(samples, n_lines))
        return [(len(s) - 1, s.shape[1], s.shape[2]) for s in segments], [segment_rows(s) for s in segments]

    tasks = list(product(range(len(variants)), range(len(scenes))))
    parts, sizes, weights = [], [], []
    with ThreadPoolExecutor(max(1, len(os.sched_getaffinity(0)))) as pool:  # kernels release Python's lock
        found = tqdm(pool.map(made, tasks), "inputs", len(tasks), unit="scene", disable=quiet or None, leave=False)
        for (_, scene), (shapes, rows) in zip(tasks, found, strict=True):
            parts += [Rows(*(part.to(device) for part in segment)) for segment in rows]
            sizes += shapes
            weights += [scenes[scene].weight * float(np.prod(shape)) for shape in shapes]
    if not parts:
        raise BadArgument(f"{len(scenes)} scenes have no two lines to train on")
    shapes_of_all = np.array(sizes, np.int64)
    n_rows = shapes_of_all.prod(axis=1)
    segments = np.column_stack([np.cumsum(n_rows) - n_rows, shapes_of_all])
    return Bank(joined(parts), segments, np.array(weights) / sum(weights))


def joined(parts: list[Rows]) -> Rows:
    """All rows, one after the other; the list is emptied, so that one kind of rows is doubled at a time."""
    kinds = [list(kind) for kind in zip(*parts, strict=True)]
    parts.clear()
    found = []
    for kind in kinds:
        found.append(torch.cat(kind))
        kind.clear()
    return Rows(*found)


class BankBatches(Dataset[FlightBatch]):
    """An epoch of random crops; item `index` depends on nothing but the arguments here and the index."""

    def __init__(
        self, bank: Bank, plan: FlightPlan, n_batches: int, seed: int, epoch: int, share: Share = WHOLE
    ) -> None:
        self.bank = bank
        self.plan = plan
        self.n_batches = n_batches
        self.key = (seed, epoch)
        self.share = share

    def __len__(self) -> int:
        return self.n_batches

    def __getitem__(self, index: int) -> FlightBatch:
        """This process's share of batch `index`. Raises IndexError."""
        if not 0 <= index < self.n_batches:
            raise IndexError(index)
        n_all = self.plan.batch_size * self.share.world
        crops = self.places(np.random.default_rng((*self.key, index)), n_all)
        first = self.share.rank * self.plan.batch_size
        return self.gathered(crops[first : first + self.plan.batch_size])

    def places(self, generator: np.random.Generator, n: int) -> npt.NDArray[np.int64]:
        """(n, 6): first row, lines, bands, columns of a segment; first band and column to predict.

        A window's middle is drawn evenly and the window then moved inside, so that edges are learned as often as the
        rest.
        """
        segments = self.bank.segments[generator.choice(len(self.bank.segments), size=n, p=self.bank.weights)]
        windows = np.array((self.plan.bands, self.plan.columns - 2 * MARGIN))
        middles = np.floor(generator.random((n, 2)) * segments[:, 2:]).astype(np.int64)
        starts = np.clip(middles - windows // 2, 0, np.maximum(segments[:, 2:] - windows, 0))
        return np.concatenate([segments, starts], axis=1)

    def gathered(self, crops: npt.NDArray[np.int64]) -> FlightBatch:
        """The batch of these places."""
        plan, rows = self.plan, self.bank.rows
        device = rows.target.device
        row, lines, bands, columns, band, column = (
            torch.from_numpy(crops).to(device, non_blocking=True)[:, :, None, None, None].unbind(1)
        )
        y = torch.arange(plan.lines - 1, device=device)[:, None, None]
        z = band + torch.arange(-N_FAR, plan.bands, device=device)[:, None]  # (B, 1, Z, 1)
        x = column + torch.arange(-MARGIN, plan.columns - MARGIN, device=device)
        present = (z >= 0) & (z < bands) & (x >= 0) & (x < columns)  # (B, 1, Z, X)
        is_there = present & (y < lines)  # (B, Y, Z, X)
        places = torch.where(is_there, row + (y * bands + z) * columns + x, 0)

        def taken(kind: Tensor, first_band: int, margin: int) -> Tensor:
            window = (..., slice(N_FAR + first_band, None), slice(margin, plan.columns - margin))
            values = kind[places[window]] * is_there[window][..., None]
            return values.float()

        kept = is_there[:, :, N_FAR:, MARGIN : plan.columns - MARGIN]
        target = taken(rows.target, -N_FAR, MARGIN)[..., 0]
        return FlightBatch(
            taken(rows.line_features, 0, 0).mul_(INPUT_UNIT),
            taken(rows.band_features, -LEAD, 0).mul_(INPUT_UNIT),
            taken(rows.differences, 0, MARGIN),
            target[:, :, N_FAR:],
            MARGIN,
            torch.ones(len(crops), plan.bands, device=device),
            target[:, :, :N_FAR],
            present[:, 0, N_FAR - LEAD :],
            kept.sum(dim=(1, 3)).float(),
        )

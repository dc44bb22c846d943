"""Random crops of scenes as batches for the flight network: its 8-bit inputs, exact differences, targets.

The host side of the codec (runtime/cell/flight_inputs.py) makes them, from whole lines, so that training sees what
flight sees; the network then trains on a window of the columns.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from model.batches.batches import RandomBatches
from model.kernels.cpu_path import is_compiled_path
from model.kernels.filter_cpu import filtered
from model.network.clipped_layers import INPUT_UNIT
from model.scenes.scene import Scene
from runtime.cell.flight_inputs import (
    BAND_FEATURES,
    LEVELS,
    LINE_FEATURES,
    TAPS,
    fill_band_features,
    fill_differences,
    fill_line_features,
    first_state,
    next_state,
)
from runtime.cell.flight_statistics import N_BEFORE
from runtime.kernels.kernel_cache import njit

MARGIN = 2  # columns at a cut edge of a window that serve as context only
LEAD = 4  # bands before the first to predict that serve as context only


class FlightBatch(NamedTuple):
    """Crops of equal size: B of them, of Y lines after the first, Z bands, X columns."""

    line_features: Tensor
    """(B, Y, Z', X, LINE_FEATURES + LEVELS) float32, the cell's integers times 1/16; of the bands to predict."""
    band_features: Tensor
    """(B, Y, Z, X, BAND_FEATURES) float32, likewise; the first Z - Z' bands are context."""
    differences: Tensor
    """(B, Y, Z', X', TAPS) float32, sample units."""
    target: Tensor
    """(B, Y, Z', X') float32, sample minus the sample of the line before."""
    left: int
    """The first column of the X' to predict."""
    scale: Tensor
    """(B, Z') ones: targets are in sample units."""
    earlier: Tensor
    """(B, Y, E, X') float32, the targets of the E bands before."""
    present: Tensor | None = None
    """(B, Z, X) bool: what lies inside of the scene; None: everything. All else is zero outside."""
    counts: Tensor | None = None
    """(B, Z') float32, how many samples of each band to predict lie inside; None: all."""

    @property
    def columns(self) -> slice:
        """The X' of X."""
        return slice(self.left, self.left + self.target.shape[-1])

    def corrections(self, network: nn.Module) -> Tensor:
        """What the network's filter adds to the line before, to be compared with `target`."""
        taps: Tensor = network(self.line_features, self.band_features, self.columns, self.present)
        if is_compiled_path(taps):
            return filtered(taps, self.differences)
        sums: Tensor = (taps * self.differences).sum(-1)
        return sums


class SegmentInputs(NamedTuple):
    """What the host side makes of a segment, for all lines but the first."""

    line_features: npt.NDArray[np.int8]
    """(Y, Z, X, LINE_FEATURES + LEVELS)."""
    band_features: npt.NDArray[np.int8]
    """(Y, Z, X, BAND_FEATURES)."""
    differences: npt.NDArray[np.int32]
    """(Y, Z, X, TAPS)."""


@njit(cache=True)
def fill_line(first: Any, line: Any, host: Any, out: Any) -> None:
    """Fill the SegmentInputs of one line from band `first` on, all samples being known. host: HostState.arrays."""
    line_features, band_features, differences = out
    for i in range(differences.shape[0]):
        fill_line_features(first + i, host, line_features[i, :, :LINE_FEATURES])
        line_features[i, :, LINE_FEATURES:] = host[6][first + i]
        fill_band_features(first + i, line, host, band_features[i])
        fill_differences(first + i, line, host, differences[i].T)


def segment_inputs(samples: npt.NDArray[np.int32], first_band: int = 0) -> SegmentInputs:
    """Inputs of the bands from `first_band` of a segment (Y + 1, Z, X)."""
    n_lines, n_bands, n_columns = samples.shape
    shape = (n_lines - 1, n_bands - first_band)
    lines = np.empty((*shape, n_columns, LINE_FEATURES + LEVELS), np.int8)
    bands = np.empty((*shape, n_columns, BAND_FEATURES), np.int8)
    differences = np.empty((*shape, n_columns, TAPS), np.int32)
    state = first_state(samples[0])
    for y in range(1, n_lines):
        out = lines[y - 1], bands[y - 1], differences[y - 1]
        fill_line(first_band, samples[y], state.arrays, out)
        state = next_state(samples[y], state)
    return SegmentInputs(lines, bands, differences)


@dataclass(frozen=True)
class FlightPlan:
    """How the crops of an epoch are cut."""

    lines: int
    bands: int
    columns: int
    batch_size: int = 1
    flip_columns: bool = True
    widest: int = 128
    """Columns of a crop from which the host's statistics are taken, at most."""


class FlightBatches(RandomBatches[FlightBatch, FlightPlan]):
    """Crops for the flight network."""

    def __getitem__(self, index: int) -> FlightBatch:
        """This process's share of batch `index`."""
        plan = self.plan
        generator = self.generator(index)
        first, shape = self.first_scene(generator)
        is_at_first_band = bool(generator.random() < 0.15) or shape[1] + N_BEFORE + LEAD >= self.shapes[first][1]
        needed = shape + np.array((0, 0 if is_at_first_band else N_BEFORE + LEAD, 0))
        picks = self.other_scenes(generator, first, needed)
        places = range(self.share.rank * plan.batch_size, (self.share.rank + 1) * plan.batch_size)
        side = str(generator.choice(("left", "right", "inside", "inside", "inside", "inside")))
        crops = [
            self.crop(np.random.default_rng((*self.key, index, place)), self.scenes[picks[place]], shape, side,
                      is_at_first_band)
            for place in places
        ]  # fmt: skip
        lines, bands, differences, targets = (torch.from_numpy(np.stack(parts)) for parts in zip(*crops, strict=True))
        left = 0 if side == "left" else MARGIN
        right = shape[2] - (0 if side == "right" else MARGIN)
        lead = 0 if is_at_first_band else LEAD
        return FlightBatch(
            lines[:, :, lead:].float().mul_(INPUT_UNIT),
            bands.float().mul_(INPUT_UNIT),
            differences[:, :, lead:, left:right].float(),
            targets[:, :, lead:, left:right].float(),
            left,
            torch.ones(len(targets), targets.shape[2] - lead),
            targets[:, :, :lead, left:right].float(),
        )

    def crop(
        self, generator: np.random.Generator, scene: Scene, shape: npt.NDArray[np.int64], side: str, at_first_band: bool
    ) -> tuple[npt.NDArray[Any], ...]:
        """Line features, band features, differences and targets of one random crop."""
        n_lines, n_bands, n_columns = (int(n) for n in shape)
        y = int(generator.integers(0, scene.shape[0] - n_lines + 1))
        before = 0 if at_first_band else N_BEFORE + LEAD
        z = 0 if at_first_band else int(generator.integers(0, scene.shape[1] - n_bands - before + 1))
        wide = min(scene.shape[2], self.plan.widest)
        west = int(generator.integers(0, scene.shape[2] - wide + 1))
        block = scene.samples[y : y + n_lines, z : z + before + n_bands, west : west + wide].astype(np.int32)
        if self.plan.flip_columns and generator.random() < 0.5:
            block = block[:, :, ::-1].copy()
        skipped = before - LEAD if before else 0
        inputs = segment_inputs(np.ascontiguousarray(block), skipped)
        room = wide - n_columns
        x = {"left": 0, "right": room, "inside": int(generator.integers(0, room + 1))}[side]
        window = slice(x, x + n_columns)
        target = np.diff(block, axis=0)[:, skipped:, window]
        return (
            inputs.line_features[:, :, window],
            inputs.band_features[:, :, window],
            inputs.differences[:, :, window],
            target,
        )

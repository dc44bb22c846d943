"""Batches of the flight network: pure functions of their place, and what the codec's host side would feed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from model.batches.batches import Share
from model.batches.flight_batches import LEAD, MARGIN, FlightBatch, FlightBatches, FlightPlan, segment_inputs
from model.network.clipped_layers import INPUT_UNIT
from model.scenes.scene import Scene
from runtime.cell.flight_inputs import BAND_FEATURES, LEVELS, LINE_FEATURES, TAPS
from runtime.cell.flight_statistics import N_BEFORE
from tests.model.conftest import smooth_scene

PLAN = FlightPlan(lines=6, bands=3, columns=8, batch_size=2)
N_BATCHES = 12


def made_scenes(folder: Path, shapes: list[tuple[int, int, int]]) -> list[Scene]:
    found = []
    for seed, shape in enumerate(shapes):
        np.save(folder / f"{seed}.npy", smooth_scene(seed, shape))
        found.append(Scene(str(seed), "train", folder / f"{seed}.npy", shape))
    return found


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return made_scenes(tmp_path_factory.mktemp("scenes"), [(12, 20, 14), (9, 16, 11), (6, 5, 9)])


def tensors(batch: FlightBatch) -> list[Tensor]:
    return [part for part in batch if isinstance(part, Tensor)]


def assert_same(a: list[Tensor], b: list[Tensor]) -> None:
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


class OneTap(nn.Module):
    """A network whose filter is one difference, in the shape of FlightNetwork."""

    def __init__(self, tap: int) -> None:
        super().__init__()
        self.tap = tap

    def forward(self, line_features: Tensor, band_features: Tensor, columns: slice, present: Tensor | None) -> Tensor:
        taps = torch.zeros(*line_features[:, :, :, columns].shape[:-1], TAPS)
        taps[..., self.tap] = 1
        return taps


def test_a_batch_depends_on_seed_epoch_and_index_alone(scenes: list[Scene]) -> None:
    first, again = (FlightBatches(scenes, PLAN, N_BATCHES, seed=3, epoch=2) for _ in range(2))
    for index in (4, 0, 2):
        assert_same(tensors(first[index]), tensors(again[index]))
        assert first[index].left == again[index].left
    for other in (FlightBatches(scenes, PLAN, N_BATCHES, 4, 2), FlightBatches(scenes, PLAN, N_BATCHES, 3, 1)):
        pairs = [(first[i].target, other[i].target) for i in range(5)]
        assert any(a.shape != b.shape or not torch.equal(a, b) for a, b in pairs)


def test_no_batch_lies_outside_of_the_epoch(scenes: list[Scene]) -> None:
    batches = FlightBatches(scenes, PLAN, 2, 0, 0)
    assert len(batches) == 2
    for index in (-1, 2):
        with pytest.raises(IndexError):
            batches[index]


def test_processes_share_the_batch_of_one_process(scenes: list[Scene]) -> None:
    whole = FlightBatches(scenes, replace(PLAN, batch_size=4), N_BATCHES, 0, 0)
    shares = [FlightBatches(scenes, PLAN, N_BATCHES, 0, 0, Share(rank, 2)) for rank in range(2)]
    for index in range(N_BATCHES):
        parts = [share[index] for share in shares]
        joined = [torch.cat(pair) for pair in zip(*(tensors(part) for part in parts), strict=True)]
        assert_same(tensors(whole[index]), joined)
        assert {part.left for part in parts} == {whole[index].left}


def test_shapes_leave_out_what_is_context(scenes: list[Scene]) -> None:
    batches = FlightBatches(scenes, PLAN, N_BATCHES, 0, 0)
    leads, lefts = set(), set()
    for batch in (batches[index] for index in range(N_BATCHES)):
        b, y, z, x = batch.target.shape
        leads.add(n_lead := batch.band_features.shape[2] - z)
        lefts.add(batch.left)
        n_columns = batch.band_features.shape[3]
        assert batch.line_features.shape == (b, y, z, n_columns, LINE_FEATURES + LEVELS)
        assert batch.band_features.shape == (b, y, z + n_lead, n_columns, BAND_FEATURES)
        assert batch.differences.shape == (b, y, z, x, TAPS)
        assert batch.scale.shape == (b, z) and (b, y, z) == (2, PLAN.lines - 1, PLAN.bands)
        assert n_columns == PLAN.columns and x in (PLAN.columns - MARGIN, PLAN.columns - 2 * MARGIN)
    assert leads == {0, LEAD} and lefts == {0, MARGIN}


def test_features_are_the_cells_integers(scenes: list[Scene]) -> None:
    batches = FlightBatches(scenes, PLAN, N_BATCHES, 0, 0)
    for batch in (batches[index] for index in range(N_BATCHES)):
        for part in (batch.line_features, batch.band_features):
            integers = part / INPUT_UNIT
            assert torch.equal(integers, integers.round())
            assert integers.min() >= -127 and integers.max() <= 127
        levels = batch.line_features[..., LINE_FEATURES:]
        assert levels.any() and torch.equal(levels, levels[:, :, :, :1].expand_as(levels))


@pytest.mark.parametrize("flip", [False, True])
def test_targets_and_differences_meet_at_the_same_samples(scenes: list[Scene], flip: bool) -> None:
    # In band z the filter's difference N_BEFORE + 6 is the line difference of the line before: the target, a line late.
    batches = FlightBatches(scenes, replace(PLAN, flip_columns=flip), N_BATCHES, 0, 0)
    for batch in (batches[index] for index in range(N_BATCHES)):
        late = batch.corrections(OneTap(N_BEFORE + 6))
        assert late.shape == batch.target.shape
        assert torch.equal(late[:, 1:], batch.target[:, :-1])


def test_a_crop_at_the_first_band_is_the_start_of_the_scene(tmp_path: Path) -> None:
    (scene,) = made_scenes(tmp_path, [(6, 5, 9)])  # too few bands for a crop anywhere else
    plan = FlightPlan(lines=6, bands=5, columns=9, flip_columns=False)
    batches = FlightBatches([scene], plan, N_BATCHES, 0, 0)
    samples = scene.samples.astype(np.int32)
    inputs = segment_inputs(samples)
    for batch in (batches[index] for index in range(N_BATCHES)):
        columns = batch.columns
        expected: list[Any] = [inputs.line_features * INPUT_UNIT, inputs.band_features * INPUT_UNIT]
        expected += [inputs.differences[:, :, columns], np.diff(samples, axis=0)[:, :, columns]]
        assert_same(tensors(batch)[:4], [torch.from_numpy(array)[None].float() for array in expected])
        assert not batch.band_features[:, :, 0].any()


def test_bands_before_a_crop_are_those_of_the_scene(tmp_path: Path) -> None:
    # the inputs of a band depend on the N_BEFORE bands before it, not on where a crop begins
    (scene,) = made_scenes(tmp_path, [(6, 24, 9)])
    samples = scene.samples.astype(np.int32)
    whole, first = segment_inputs(samples), 5
    part = segment_inputs(np.ascontiguousarray(samples[:, first:]), N_BEFORE)
    for name in ("line_features", "band_features", "differences"):
        assert np.array_equal(getattr(whole, name)[:, first + N_BEFORE :], getattr(part, name)), name

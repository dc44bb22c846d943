"""A batch is a pure function of its place, and its crops are what the codec would see."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.batches.batches import CropBatches, CropPlan, Share, kept_columns
from model.scenes.scene import Scene
from runtime.cell.integer_base import Base
from tests.model.conftest import smooth_scene

PLAN = CropPlan(Base.SPECTRAL, lines=6, bands=3, columns=8, batch_size=2)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    folder: Path = tmp_path_factory.mktemp("scenes")
    found = []
    for seed, shape in enumerate([(12, 6, 10), (9, 7, 11), (5, 2, 4)]):
        np.save(folder / f"{seed}.npy", smooth_scene(seed, shape))
        found.append(Scene(str(seed), "train", folder / f"{seed}.npy", shape))
    return found


def assert_same(a: tuple[torch.Tensor, ...], b: tuple[torch.Tensor, ...]) -> None:
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_a_batch_depends_on_seed_epoch_and_index_alone(scenes: list[Scene]) -> None:
    first, again = (CropBatches(scenes, PLAN, 5, seed=3, epoch=2) for _ in range(2))
    for index in (4, 0, 2):
        assert_same(first[index], again[index])
    for other in (CropBatches(scenes, PLAN, 5, 4, 2), CropBatches(scenes, PLAN, 5, 3, 1)):
        assert any(
            first[i].lines.shape != other[i].lines.shape or not torch.equal(first[i].lines, other[i].lines)
            for i in range(5)
        )


@pytest.mark.parametrize("base", list(Base))
@pytest.mark.parametrize("gain", [0.0, 0.1])
def test_processes_share_the_batch_of_one_process(scenes: list[Scene], base: Base, gain: float) -> None:
    plan = replace(PLAN, base=base, gain=gain, flip_lines=True, kept_columns=2)
    whole = CropBatches(scenes, replace(plan, batch_size=4), 3, 0, 0)
    shares = [CropBatches(scenes, plan, 3, 0, 0, Share(rank, 2)) for rank in range(2)]
    for index in range(3):
        parts = [share[index] for share in shares]
        joined = [torch.cat([part[field] for part in parts]) for field in (0, 2, 3)]
        assert_same((whole[index].lines, whole[index].target, whole[index].scale), tuple(joined))
        assert torch.equal(whole[index].columns, parts[0].columns)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 30), st.sampled_from(["left", "right", "inside"]), st.integers(0, 12), st.integers(0, 99))
def test_kept_columns_are_ascending_and_inside(n_columns: int, side: str, n_kept: int, seed: int) -> None:
    columns = kept_columns(np.random.default_rng(seed), n_columns, side, n_kept).numpy()
    assert len(columns) >= 1
    assert np.all(np.diff(columns) > 0)
    assert columns[0] >= 0 and columns[-1] < n_columns
    if n_kept:
        assert len(columns) <= n_columns


def test_targets_restore_the_samples(scenes: list[Scene]) -> None:
    """Base + target * scale is the sample: with the mean as base, normalised samples and targets are the same."""
    plan = replace(PLAN, base=Base.MEAN)
    for index in range(4):
        batch = CropBatches(scenes, plan, 4, 0, 0)[index]
        # one float32 division by the scale on both sides
        assert torch.allclose(batch.lines[:, 1:].index_select(-1, batch.columns), batch.target, atol=1e-6)


def test_small_scenes_give_small_crops(scenes: list[Scene]) -> None:
    batch = CropBatches(scenes[2:], PLAN, 1, 0, 0)[0]
    assert batch.lines.shape == (2, 5, 2, 4)


def test_weights_decide_how_often_a_scene_is_drawn(scenes: list[Scene]) -> None:
    favoured = [replace(scenes[0], weight=1e-12), scenes[1]]
    plan = replace(PLAN, lines=100, bands=100, columns=100, batch_size=1)
    shapes = {CropBatches(favoured, plan, 20, 0, 0)[index].lines.shape[1:] for index in range(20)}
    assert shapes == {scenes[1].shape}

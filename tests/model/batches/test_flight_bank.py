"""The bank: its crops are those of the scenes, what lies outside counts as nothing, and draws follow the seed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from model.batches.batches import Share
from model.batches.flight_bank import Bank, BankBatches, build_bank, segment_rows, segments_of
from model.batches.flight_batches import LEAD, MARGIN, FlightBatch, FlightPlan, segment_inputs
from model.batches.staged_loss import N_FAR
from model.network.clipped_layers import INPUT_UNIT
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.scenes.scene import Scene
from model.training.losses import flight_losses, rate_loss, training_loss
from tests.model.batches.test_flight_batches import assert_same, made_scenes, tensors
from tests.model.conftest import smooth_scene

LINES = 8
PLAN = FlightPlan(lines=LINES, bands=3, columns=9, batch_size=4)
SHAPES = [(21, 30, 14), (9, 5, 3), (2, 1, 1)]  # larger and smaller than a crop; a single sample to predict
CPU = torch.device("cpu")
TOLERANCE = 2e-5  # float32 sums in another order, of values up to a few hundred


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return made_scenes(tmp_path_factory.mktemp("scenes"), SHAPES)


@pytest.fixture(scope="module")
def bank(scenes: list[Scene]) -> Bank:
    return build_bank(scenes, ["plain", "later+flipped"], LINES, 3, CPU, quiet=True)


def test_rows_are_the_inputs_of_the_segments(scenes: list[Scene], bank: Bank) -> None:
    plain = [s for scene in scenes for s in segments_of(scene.samples.astype(np.int32), LINES)]
    for segment, (row, *shape) in zip(plain, bank.segments, strict=False):
        inputs, rows = segment_inputs(segment), slice(row, row + int(np.prod(shape)))
        assert shape == [len(segment) - 1, *segment.shape[1:]]
        assert np.array_equal(bank.rows.line_features[rows].numpy(), inputs.line_features.reshape(-1, 14))
        assert np.array_equal(bank.rows.band_features[rows].numpy(), inputs.band_features.reshape(-1, 4))
        assert np.array_equal(bank.rows.differences[rows].numpy(), inputs.differences.reshape(-1, 21))
        assert np.array_equal(bank.rows.target[rows, 0].numpy(), np.diff(segment, axis=0).reshape(-1))
    assert len(bank.rows.target) == bank.segments[:, 1:].prod(axis=1).sum()


def test_crops_are_windows_of_segments(bank: Bank) -> None:
    batches = BankBatches(bank, PLAN, 6, 0, 0)
    for index in range(6):
        places = batches.places(np.random.default_rng((0, 0, index)), PLAN.batch_size)
        batch = batches[index]
        assert batch.present is not None and batch.counts is not None
        for crop, (row, y, z, x, band, column) in enumerate(places):
            target = bank.rows.target[row : row + y * z * x].view(y, z, x)
            n_bands, n_columns = min(PLAN.bands, z), min(PLAN.columns - 2 * MARGIN, x)
            wanted = target[:, band : band + n_bands, column : column + n_columns].float()
            assert torch.equal(batch.target[crop, :y, :n_bands, :n_columns], wanted)
            assert not batch.target[crop].sum() - wanted.sum()
            assert torch.equal(batch.counts[crop, :n_bands], torch.full((n_bands,), float(y * n_columns)))
            assert not batch.counts[crop, n_bands:].any()
            before = min(band, N_FAR)
            earlier = target[:, band - before : band, column : column + n_columns].float()
            assert torch.equal(batch.earlier[crop, :y, N_FAR - before :, :n_columns], earlier)
            features = bank.rows.line_features[row : row + y * z * x].view(y, z, x, -1)
            left = max(0, MARGIN - column)
            wide = features[:, band : band + n_bands, max(0, column - MARGIN) : column + n_columns + MARGIN]
            found = batch.line_features[crop, :y, :n_bands, left : left + wide.shape[2]]
            assert torch.equal(found / INPUT_UNIT, wide.float())
            assert not batch.line_features[crop, :, :, :left].any()


def test_every_place_of_a_scene_is_learned(scenes: list[Scene]) -> None:
    bank = build_bank(scenes[:1], ["plain"], LINES, 0, CPU, quiet=True)
    places = BankBatches(bank, PLAN, 1, 0, 0).places(np.random.default_rng(0), 2000)
    assert set(places[:, 4]) == set(range(SHAPES[0][1] - PLAN.bands + 1))
    assert set(places[:, 5]) == set(range(SHAPES[0][2] - PLAN.columns + 2 * MARGIN + 1))


@pytest.mark.parametrize("group", [1, 2, 16])
def test_the_network_sees_the_edge_of_a_crop_as_the_edge_of_the_scene(scenes: list[Scene], group: int) -> None:
    """Taps and losses of a crop that is larger than the scene are those of the whole scene, without any mask."""
    torch.manual_seed(0)
    network = FlightNetwork(FlightConfig(group, features=6)).requires_grad_(False)
    for parameter in network.parameters():
        parameter.add_(0.3 * torch.randn(parameter.shape))
    for scene in scenes[1:]:
        y, z, x = scene.shape
        bank = build_bank([scene], ["plain"], y, 0, CPU, quiet=True)
        batch = BankBatches(bank, FlightPlan(y + 2, z + 2, x + 2 * MARGIN + 3), 1, 0, 0)[0]
        (segment,) = segments_of(scene.samples.astype(np.int32), y)
        inputs = segment_inputs(segment)
        whole = FlightBatch(
            torch.from_numpy(inputs.line_features)[None] * INPUT_UNIT,
            torch.from_numpy(inputs.band_features)[None] * INPUT_UNIT,
            torch.from_numpy(inputs.differences)[None].float(),
            torch.from_numpy(np.diff(segment, axis=0))[None].float(),
            0,
            torch.ones(1, z),
            torch.zeros(1, y - 1, 0, x),
        )
        wanted = whole.corrections(network)
        found = batch.corrections(network)[:, : y - 1, :z, :x]
        assert (found - wanted).abs().max() <= TOLERANCE * max(1.0, float(wanted.abs().max()))
        for a, b in zip(flight_losses(network, batch), flight_losses(network, whole), strict=True):
            assert float(a) == pytest.approx(float(b), abs=1e-3)


@pytest.mark.parametrize(("group", "bands"), [(1, (0, 1, LEAD + 2, 27)), (3, (0, 3, 9, 27))])
def test_a_window_inside_of_a_scene_needs_no_more_than_its_context(
    scenes: list[Scene], group: int, bands: tuple[int, ...]
) -> None:
    """Where its first band is the first of a group."""
    torch.manual_seed(0)
    network = FlightNetwork(FlightConfig(group, features=6)).requires_grad_(False)
    bank = build_bank(scenes[:1], ["plain"], LINES, 0, CPU, quiet=True)
    _, z, x = SHAPES[0]
    whole = BankBatches(bank, FlightPlan(LINES, z, x + 2 * MARGIN), 1, 0, 0)
    part = BankBatches(bank, PLAN, 1, 0, 0)
    for band, column in zip(bands, (0, 3, 9, 4), strict=True):
        place = np.array([[*bank.segments[0], band, column]])
        everything = whole.gathered(np.array([[*bank.segments[0], 0, 0]])).corrections(network)
        found = part.gathered(place).corrections(network)
        wanted = everything[:, :, band : band + 3, column : column + 5]
        assert (found - wanted).abs().max() <= TOLERANCE * max(1.0, float(wanted.abs().max()))


def test_a_batch_depends_on_seed_epoch_and_index_alone(bank: Bank) -> None:
    first, again = (BankBatches(bank, PLAN, 4, 3, 2) for _ in range(2))
    for index in (3, 0):
        assert_same(tensors(first[index]), tensors(again[index]))
    for other in (BankBatches(bank, PLAN, 4, 4, 2), BankBatches(bank, PLAN, 4, 3, 1)):
        assert any(not torch.equal(first[i].target, other[i].target) for i in range(4))
    for index in (-1, 4):
        with pytest.raises(IndexError):
            first[index]


def test_a_bank_depends_on_its_arguments_alone(scenes: list[Scene]) -> None:
    one, same, other = (build_bank(scenes, ["noisy+later"], LINES, seed, CPU, quiet=True) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one.rows, same.rows, strict=True))
    assert any(a.shape != b.shape or not torch.equal(a, b) for a, b in zip(one.rows, other.rows, strict=True))


def test_processes_share_the_batch_of_one_process(bank: Bank) -> None:
    whole = BankBatches(bank, replace(PLAN, batch_size=8), 2, 0, 0)
    shares = [BankBatches(bank, PLAN, 2, 0, 0, Share(rank, 2)) for rank in range(2)]
    for index in range(2):
        parts = [tensors(share[index]) for share in shares]
        assert_same(tensors(whole[index]), [torch.cat(pair) for pair in zip(*parts, strict=True)])


@pytest.mark.parametrize(("low", "high"), [(-32768, 32767), (0, 65535)])
def test_extremes_of_16_bits_are_clipped_and_nothing_wraps(low: int, high: int) -> None:
    segment = np.full((4, 3, 5), low, np.int32)
    segment[1::2] = high
    rows = segment_rows(segment)
    assert rows.target.min() == -32768 and rows.target.max() == 32767
    assert (rows.differences[:, 0].float() * rows.target[:, 0].float() >= 0).all()


def test_small_crops_count_as_bands_and_not_as_zeros(scenes: list[Scene]) -> None:
    batch = BankBatches(build_bank(scenes[1:2], ["plain"], LINES, 0, CPU, quiet=True), PLAN, 1, 0, 0)[0]
    off_by_7 = batch.target + 7
    loss = rate_loss(torch.where(batch.target == 0, 0, off_by_7), batch.target, batch.scale, batch.counts)
    assert float(loss) <= np.log2(7.3) + TOLERANCE


def test_scenes_of_one_line_have_no_rows(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    assert list(segments_of(smooth_scene(0, (1, 3, 4)).astype(np.int32), 8)) == []
    assert [len(s) for s in segments_of(smooth_scene(0, (9, 3, 4)).astype(np.int32), 4)] == [4, 4]


@pytest.mark.parametrize("autocast", [False, True])
def test_the_loss_is_one_graph_for_the_compiler(bank: Bank, autocast: bool) -> None:
    torch.manual_seed(0)
    network = FlightNetwork(FlightConfig(features=4))
    compiled = torch.compile(training_loss, backend="aot_eager", fullgraph=True, dynamic=False)
    found = []
    for function in (training_loss, compiled):
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = function(network, BankBatches(bank, PLAN, 1, 0, 0)[0], "staged", 0.3)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        found.append([loss.detach(), *(p.grad.clone() for p in network.parameters() if p.grad is not None)])
    tolerance = 0.1 if autocast else 1e-3  # bfloat16 rounds to 2**-8, and compiled parts round less often
    assert len(found[0]) > 20
    for a, b in zip(*found, strict=True):
        assert (a - b).abs().max() <= tolerance * max(0.1, float(a.abs().max()))

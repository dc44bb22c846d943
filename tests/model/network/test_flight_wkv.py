"""The memory of lines: compiled against a plain loop in float64, rounded against the int64 reference bit for bit."""

import numpy as np
import pytest
import torch
from torch import Tensor

from model.network import flight_wkv
from model.network.flight_wkv import WeightedMean, weighted_means
from runtime.cell.integer_cell import CellShape
from tests.reference import int8_cell
from tests.reference.random_cell import random_cell

TOLERANCE = 1e-5  # float32 rounds to 6e-8; a mean adds up some tens of lines, relative to the largest value
SHAPES = [(2, 9, 3, 5, 8), (1, 1, 1, 1, 4), (1, 6, 40, 4, 24), (3, 2, 1, 7, 5)]


def inputs(shape: tuple[int, ...]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(sum(shape))
    rate = torch.rand(shape[-1], generator=generator) * 0.9 + 0.05
    return [rate, torch.rand(shape, generator=generator) * 8, torch.randn(shape, generator=generator)]


@pytest.mark.parametrize("shape", SHAPES)
def test_compiled_means_and_gradients_are_those_of_the_plain_loop(shape: tuple[int, ...]) -> None:
    grad = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    results = []
    for kind in (torch.float32, torch.float64):  # float64 takes the plain loop
        leaves = [tensor.to(kind).requires_grad_() for tensor in inputs(shape)]
        means = weighted_means(*leaves)
        means.backward(grad.to(kind))  # type: ignore[no-untyped-call]  # torch's own
        results.append([means.detach(), *(leaf.grad for leaf in leaves if leaf.grad is not None)])
    assert len(results[0]) == len(results[1]) == 4
    for name, found, wanted in zip(("mean", "rate", "key", "value"), *results, strict=True):
        error = (found.double() - wanted).abs().max().item()
        assert error <= TOLERANCE * max(1.0, wanted.abs().max().item()), f"{name}: off by {error}"


def test_a_wide_scene_is_taken_in_pieces() -> None:
    rate, key, value = inputs((1, 4, 3, 5, 8))
    narrow = weighted_means(rate, key, value)
    wide = weighted_means(rate, key.repeat(1, 1, 40, 1, 1), value.repeat(1, 1, 40, 1, 1))
    assert wide[0, 0].numel() > flight_wkv.LANES
    assert torch.equal(wide, narrow.repeat(1, 1, 40, 1, 1))


@pytest.mark.parametrize("seed", range(4))
def test_rounded_means_are_those_of_the_integer_cell(seed: int) -> None:
    shape_of_cell = CellShape(
        group=1, features=16, line_convolutions=1, line_blocks=1, spectral_features=4, band_convolutions=0
    )
    cell = random_cell(shape_of_cell, seed)
    generator = np.random.default_rng(seed)
    shape = (40, 3, 5, 16)  # Y, groups, X, F
    keys = generator.integers(0, 128, shape)
    values = generator.integers(-127, 128, shape)
    keys[10:14], keys[14:18] = 0, 127  # the smallest and largest weights, in turn with the largest values
    values[10:18:2], values[11:18:2] = 127, -127
    state = int8_cell.initial_state(cell, *shape[1:3])
    wanted = np.stack([int8_cell.mean(cell, 0, k, v, state) for k, v in zip(keys, values, strict=True)])
    memory = cell.memories[0]
    rate = memory.mantissa.astype(np.float64) * 2.0 ** -memory.exponent.astype(np.float64)
    tensors = [torch.from_numpy(array).float() for array in (rate, keys / 16, values / 32)]
    means = WeightedMean.apply(tensors[0], tensors[1][None], tensors[2][None], True)  # type: ignore[no-untyped-call]  # torch's own
    found = means[0].numpy().astype(np.float64) * 32
    y, z, x, f = np.argwhere(found != wanted)[0] if (found != wanted).any() else (0, 0, 0, 0)
    assert np.array_equal(found, wanted), f"line {y}, band {z}, column {x}, feature {f}"

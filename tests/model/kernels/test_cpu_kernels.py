"""The compiled kernels of the training step against the plain operations in float64."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from torch import Tensor

from model.kernels import wkv_cpu
from model.kernels.float32_math import exp32, normal32
from model.network import wkv
from model.network.config import PRESETS, NetworkConfig
from model.network.network import LineRwkv

# float32 rounds to 6e-8; a few hundred roundings in a row, relative to the largest value of a tensor
TOLERANCE = 2e-5
# a gradient passes every layer norm, which divides by the deviation of 5 features, often below 0.1
GRADIENT_TOLERANCE = 2e-4


@njit
def exponentials(values: Any, out: Any) -> None:
    for i in range(values.size):
        out[i] = exp32(values[i])


@njit
def normals(values: Any, out: Any) -> None:
    for i in range(values.size):
        out[i, 0], out[i, 1] = normal32(values[i])


def assert_close(found: Tensor, wanted: Tensor, what: str) -> None:
    largest = wanted.abs().max().item()
    error = (found.double() - wanted).abs().max().item()
    assert error <= TOLERANCE * max(largest, 1e-3), f"{what}: off by {error}, largest value {largest}"


def disturbed(config: NetworkConfig, seed: int) -> LineRwkv:
    """A network with no parameter at a special value."""
    torch.manual_seed(seed)
    network = LineRwkv(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def test_exponential_is_accurate_over_its_range() -> None:
    values = np.linspace(-87, 88, 100_001, dtype=np.float32)
    found = np.empty_like(values)
    exponentials(values, found)
    assert np.abs(found / np.exp(values.astype(float)) - 1).max() < 4e-7  # the bound in its docstring


def test_exponential_of_nan_is_not_a_number_that_goes_unnoticed() -> None:
    found = np.empty(1, np.float32)
    exponentials(np.array([np.nan], np.float32), found)
    assert np.isnan(found[0]) or found[0] in (np.exp(np.float32(-87)), np.exp(np.float32(88)))


def test_normal_distribution_is_accurate() -> None:
    values = np.linspace(-12, 12, 20_001, dtype=np.float32)
    found = np.empty((len(values), 2), np.float32)
    normals(values, found)
    distribution = np.array([0.5 * math.erfc(-float(v) / math.sqrt(2)) for v in values])
    density = np.exp(-0.5 * values.astype(float) ** 2) / math.sqrt(2 * math.pi)
    assert np.abs(found - np.stack([distribution, density], axis=1)).max() < 3e-7  # the bound in its docstring


@settings(max_examples=12, deadline=None)
@given(
    preset=st.sampled_from(sorted(PRESETS)),
    features=st.sampled_from([5, 32]),
    batch=st.integers(1, 2),
    lines=st.integers(2, 6),
    bands=st.integers(1, 5),
    columns=st.integers(1, 9),
    seed=st.integers(0, 1000),
)
def test_compiled_network_equals_the_plain_one_in_values_and_gradients(
    preset: str, features: int, batch: int, lines: int, bands: int, columns: int, seed: int
) -> None:
    config = replace(PRESETS[preset], features=features)
    network = disturbed(config, seed)
    plain = LineRwkv(config).double()
    plain.load_state_dict(network.state_dict())
    samples = torch.randn(batch, lines, bands, columns)
    kept = torch.arange(0, columns, 2)
    found, wanted = network(samples, kept), plain(samples.double(), kept)
    assert_close(found, wanted, "corrections")
    direction = torch.randn_like(wanted)
    (found * direction.float()).sum().backward()
    (wanted * direction).sum().backward()
    scale = max(parameter.grad.abs().max().item() for parameter in plain.parameters() if parameter.grad is not None)
    for (name, parameter), other in zip(network.named_parameters(), plain.parameters(), strict=True):
        grads = [torch.zeros(1) if p.grad is None else p.grad for p in (parameter, other)]  # a decay unused in one line
        error = (grads[0].double() - grads[1]).abs().max().item()
        assert error <= GRADIENT_TOLERANCE * scale, f"gradient of {name}: off by {error}, largest gradient {scale}"


def test_wkv_falls_back_to_the_scan_for_exponents_that_its_sums_do_not_hold() -> None:
    key = torch.tensor([[[60.0], [-60.0], [1.0]]])  # (B, Y, F)
    value = torch.tensor([[[1.0], [2.0], [3.0]]])
    bonus, decay, receptance = torch.zeros(1), torch.ones(1), torch.zeros_like(key)
    assert not wkv_cpu.is_accurate_for(bonus, key)
    found = wkv.gated_over_lines(decay, bonus, receptance, key, value)
    wanted = 0.5 * wkv.scan(decay.double(), bonus.double(), key.double(), value.double())
    assert_close(found, wanted, "gated means")


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_keys_that_are_no_numbers_are_not_for_the_unstabilised_sums(bad: float) -> None:
    assert not wkv_cpu.is_accurate_for(torch.zeros(1), torch.tensor([[[bad]]]))


def test_scan_is_equation_4_of_the_paper() -> None:
    torch.manual_seed(0)
    decay, bonus = torch.rand(3, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    key, value = torch.randn(2, 1, 7, 3, dtype=torch.float64)
    means = []
    for t in range(7):
        weights = [torch.exp(-(t - 1 - i) * decay + key[0, i]) for i in range(t)] + [torch.exp(bonus + key[0, t])]
        total = sum(weight * value[0, i] for i, weight in enumerate(weights))
        means.append(total / sum(weights))
    assert_close(wkv.scan(decay, bonus, key, value)[0], torch.stack([torch.as_tensor(mean) for mean in means]), "means")


def test_autocast_leaves_the_wkv_in_float32() -> None:
    torch.manual_seed(0)
    network = disturbed(PRESETS["small"], 0)
    samples = torch.randn(1, 5, 4, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = network(samples)
    whole = network(samples)
    # bfloat16 rounds to 0.4 %, a dozen layers deep
    assert (half.float() - whole).abs().max() < 0.1 * whole.abs().max()

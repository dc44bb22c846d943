"""WKV: recurrent == parallel, in both precisions, with gradients, for small and large exponents."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.kernels import wkv_cpu
from model.network import wkv


def inputs(seed: int, n_lines: int, key_size: float, dtype: torch.dtype = torch.float64) -> tuple[Tensor, ...]:
    """Decay (F,), bonus (F,), key and value (B, Y, X, F)."""
    generator = torch.Generator().manual_seed(seed)
    shape = (2, n_lines, 3, 5)
    decay = torch.exp(torch.linspace(-6, 2, 5, dtype=torch.float64))
    bonus = torch.randn(5, generator=generator, dtype=torch.float64)
    key = torch.rand(shape, generator=generator, dtype=torch.float64) * 2 * key_size - key_size
    value = torch.randn(shape, generator=generator, dtype=torch.float64)
    return tuple(tensor.to(dtype) for tensor in (decay, bonus, key, value))


def recurrent(decay: Tensor, bonus: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """One line at a time, as the cell does."""
    state = wkv.initial_state(key[:, 0])
    means = []
    for y in range(key.shape[1]):
        mean, state = wkv.step(decay, bonus, key[:, y], value[:, y], state)
        means.append(mean)
    return torch.stack(means, dim=1)


def open_gate(decay: Tensor, bonus: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The operation for training with its gate wide open: sigmoid(40) is 1 in float32 and in float64."""
    return wkv.gated_over_lines(decay, bonus, torch.full_like(key, 40.0), key, value)


def plain_sum(decay: Tensor, bonus: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Equation 4 of the paper as it is printed, with sums over all earlier lines."""
    means = []
    for t in range(key.shape[1]):
        age = torch.arange(t - 1, -1, -1, dtype=key.dtype).view(1, t, 1, 1)
        weight = torch.exp(-age * decay + key[:, :t])
        now = torch.exp(bonus + key[:, t])
        total = (weight * value[:, :t]).sum(dim=1) + now * value[:, t]
        means.append(total / (weight.sum(dim=1) + now))
    return torch.stack(means, dim=1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 40), st.sampled_from([0.0, 1.0, 3.0, 20.0, 80.0]))
def test_all_implementations_agree_in_float64(seed: int, n_lines: int, key_size: float) -> None:
    arguments = inputs(seed, n_lines, key_size)
    expected = plain_sum(*arguments)
    for mean in (recurrent, open_gate, wkv.scan):
        assert (mean(*arguments) - expected).abs().max() < 1e-10


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([1, 64, 1000]), st.sampled_from([3.0, 25.0, 80.0]))
def test_float32_is_near_float64(seed: int, n_lines: int, key_size: float) -> None:
    exact = recurrent(*inputs(seed, n_lines, key_size))
    # the bounds that the project sets: 1e-5 where exponents are moderate, growing with lines and exponents beyond
    bound = 1e-5 if key_size <= 3 else 1e-6 * n_lines * key_size
    bound = max(bound, 1e-5)
    single = inputs(seed, n_lines, key_size, torch.float32)
    rounded = recurrent(*(tensor.double() for tensor in single))
    for mean in (recurrent, open_gate):
        error = (mean(*single).double() - rounded).abs().max()
        assert error < bound, f"{mean.__name__}: {error}"
    assert (rounded - exact).abs().max() < 1e-3 * max(1.0, key_size)  # rounding the inputs themselves


def test_gradients_of_the_scan() -> None:
    arguments = [tensor.requires_grad_() for tensor in inputs(1, 6, 2.0)]
    assert torch.autograd.gradcheck(wkv.scan, arguments)


def test_gradients_of_the_compiled_wkv_equal_those_of_the_scan() -> None:
    weight = torch.randn(2, 50, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    gradients = []
    for mean, dtype in ((open_gate, torch.float32), (wkv.scan, torch.float64)):
        arguments = [tensor.requires_grad_() for tensor in inputs(2, 50, 3.0, dtype)]
        (mean(*arguments) * weight.to(dtype)).sum().backward()  # type: ignore[no-untyped-call]
        gradients.append([tensor.grad for tensor in arguments])
    for mine, theirs in zip(*gradients, strict=True):
        assert mine is not None
        assert theirs is not None
        # float32 sums of 300 terms of order 1 for decay and bonus
        assert (mine - theirs).abs().max() < 1e-4 * max(1.0, float(theirs.abs().max()))


@pytest.mark.parametrize("key_size", [10.0, 60.0])
def test_large_exponents_do_not_take_the_compiled_wkv(key_size: float) -> None:
    _, bonus, key, _ = inputs(3, 8, key_size)
    assert wkv_cpu.is_accurate_for(bonus, key) == (key_size < wkv_cpu.LARGEST_EXPONENT)

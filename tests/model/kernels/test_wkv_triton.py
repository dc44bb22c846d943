"""The Triton kernels against the scan in float64: in Triton's interpreter, and on CUDA where there is a device."""

import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from model.network import wkv

triton = pytest.importorskip("triton", reason="triton is not installed")
from model.kernels import wkv_triton  # noqa: E402  # after the skip

HAS_CUDA = torch.cuda.is_available()
IS_INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"  # tests/__init__.py
# the interpreter of Triton 3.6, which PyTorch 2.11 asks for, converts arrays in a way that NumPy 2.4 refuses
IS_BROKEN = Version(triton.__version__) < Version("3.7") and Version(np.__version__) >= Version("2.4")

# sums of a few lines in float32, relative to the largest value; keys of 60 lose seven bits of their exponent's argument
TOLERANCE = 2e-5
DEVICES = [
    pytest.param(
        "cpu",
        marks=[
            pytest.mark.skipif(not IS_INTERPRETED, reason="Triton's interpreter is off"),
            pytest.mark.skipif(IS_BROKEN, reason="the interpreter of Triton below 3.7 does not run with NumPy 2.4"),
        ],
    ),
    pytest.param("cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not HAS_CUDA, reason="no CUDA device")]),
]


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=8, deadline=None)
@given(
    batch=st.integers(1, 2),
    lines=st.integers(2, 6),  # a single line does not use the decay, and the scan then has no gradient for it
    positions=st.sampled_from([1, 3, 50]),
    features=st.sampled_from([1, 3, 8]),
    largest_key=st.sampled_from([1.0, 60.0]),
    seed=st.integers(0, 1000),
)
def test_kernels_equal_the_scan_in_values_and_gradients(
    device: str, batch: int, lines: int, positions: int, features: int, largest_key: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, lines, positions, features)
    decay = torch.rand(features, generator=generator, dtype=torch.float64) + 0.01
    bonus = torch.randn(features, generator=generator, dtype=torch.float64)
    receptance, key, value, direction = torch.randn(4, *shape, generator=generator, dtype=torch.float64).unbind(0)
    plain = [tensor.requires_grad_() for tensor in (decay, bonus, receptance, largest_key * key, value)]
    compiled = [tensor.detach().float().to(device).requires_grad_() for tensor in plain]
    wanted = torch.sigmoid(plain[2]) * wkv.scan(plain[0], plain[1], plain[3], plain[4])
    found = wkv_triton.apply(*compiled)
    wanted_grads = torch.autograd.grad(wanted, plain, direction)
    found_grads = torch.autograd.grad(found, compiled, direction.float().to(device))
    names = ("gated means", "decay", "bonus", "receptance", "key", "value")
    for name, a, b in zip(names, (found, *found_grads), (wanted, *wanted_grads), strict=True):
        error = (a.detach().cpu().double() - b).abs().max().item()
        assert error <= TOLERANCE * max(1.0, b.abs().max().item()), f"{name}: off by {error}"


@pytest.mark.gpu
def test_training_on_cuda_uses_the_kernels() -> None:
    if not HAS_CUDA:
        pytest.skip("no CUDA device")
    key = torch.randn(1, 3, 2, 4, device="cuda", requires_grad=True)
    gated = wkv.gated_over_lines(torch.ones(4, device="cuda"), torch.zeros(4, device="cuda"), key, key, key)
    assert gated.grad_fn is not None
    assert "GatedWkv" in type(gated.grad_fn).__name__

"""The memory's Triton kernels against the plain loop in float64: in Triton's interpreter, and on CUDA."""

import pytest
import torch
from torch import Tensor

from model.network.flight_wkv import weighted_means
from tests.model.kernels.test_wkv_triton import DEVICES, HAS_CUDA
from tests.model.network.test_flight_wkv import SHAPES, inputs

pytest.importorskip("triton", reason="triton is not installed")
from model.kernels import flight_wkv_triton  # after the skip

TOLERANCE = 1e-5  # as in test_flight_wkv
ROUNDED = 2.0**-5  # means are rounded to the eight bits of bfloat16, and gradients add up their differences


def results(device: str, leaves: list[Tensor], grad: Tensor) -> list[Tensor]:
    on_device = [leaf.to(device).requires_grad_() for leaf in leaves]
    means = flight_wkv_triton.means(*on_device)
    return [part.detach().cpu().double() for part in (means, *torch.autograd.grad(means, on_device, grad.to(means)))]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float32, TOLERANCE), (torch.bfloat16, ROUNDED)])
def test_kernels_equal_the_plain_loop(device: str, shape: tuple[int, ...], kind: torch.dtype, tolerance: float) -> None:
    rate, key, value = inputs(shape)
    key, value = key.to(kind), value.to(kind)
    grad = torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(kind)
    plain = [leaf.double().requires_grad_() for leaf in (rate, key, value)]
    means = weighted_means(*plain)
    wanted = [means.detach(), *torch.autograd.grad(means, plain, grad.double())]
    for name, a, b in zip(
        ("mean", "rate", "key", "value"), results(device, [rate, key, value], grad), wanted, strict=True
    ):
        error = (a - b).abs().max().item()
        assert error <= tolerance * max(1.0, b.abs().max().item()), f"{name}: off by {error}"


@pytest.mark.parametrize("device", DEVICES)
def test_the_operator_is_whole_for_the_compiler(device: str) -> None:
    leaves = tuple(leaf.to(device).requires_grad_() for leaf in inputs((2, 3, 2, 2, 4)))
    torch.library.opcheck(flight_wkv_triton.line_means, leaves)


@pytest.mark.gpu
def test_training_on_cuda_uses_the_kernels() -> None:
    if not HAS_CUDA:
        pytest.skip("no CUDA device")
    rate, key, value = (leaf.cuda().requires_grad_() for leaf in inputs((1, 3, 2, 2, 4)))
    assert "line_means" in str(weighted_means(rate, key, value).grad_fn)

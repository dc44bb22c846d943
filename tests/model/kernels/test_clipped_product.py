"""The compiled clipped product against the plain operations in float64: values and gradients."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from model.kernels.clipped_product_cpu import Plan, clipped_product
from model.kernels.filter_cpu import filtered
from model.network.clipped_layers import BAND_AXIS, COLUMN_AXIS, LINE_AXIS, side_by_side

# float32 rounds to 6e-8; sums of some hundred terms, relative to the largest value of a tensor
TOLERANCE = 1e-5
AXES = [(LINE_AXIS, 1, 2), (BAND_AXIS, 2, 3), (COLUMN_AXIS, 1, 3), (COLUMN_AXIS, 0, 1), (BAND_AXIS, 0, 2)]
SHAPES = [(2, 5, 4, 7), (1, 1, 3, 5), (2, 3, 1, 4), (1, 4, 5, 1), (1, 1, 1, 1), (1, 7, 6, 9)]


def assert_close(found: Tensor, wanted: Tensor, what: str) -> None:
    found, wanted = found.detach(), wanted.detach()
    error = (found.double() - wanted).abs().max().item()
    assert error <= TOLERANCE * max(wanted.abs().max().item(), 1e-3), f"{what}: off by {error}"


def plain(weight: Tensor, bias: Tensor, plan: Plan, sources: list[Tensor], values: Tensor | None) -> list[Tensor]:
    rows = side_by_side(torch.cat(sources, dim=-1), plan.axis, plan.before, weight.shape[1])
    sums = F.linear(rows, weight, bias).chunk(len(plan.bounds), dim=-1)
    outs = [F.hardtanh(part, *bounds) for part, bounds in zip(sums, plan.bounds, strict=True)]
    return outs if values is None else [F.hardtanh(values + outs[0], *plan.bounds[0])]


def check(plan: Plan, shape: tuple[int, ...], n_places: int, n_in: int, n_out: int, n_sources: int, add: bool) -> None:
    generator = torch.Generator().manual_seed(math.prod(shape) + n_in)

    def random(*size: int) -> Tensor:
        return torch.randn(*size, generator=generator)

    width = n_places * n_sources * n_in
    tensors = [random(len(plan.bounds) * n_out, width) / math.sqrt(width), random(len(plan.bounds) * n_out)]
    tensors += [random(*shape, n_in) for _ in range(n_sources)] + [random(*shape, n_out)] * add
    grads = [random(*shape, n_out) for _ in plan.bounds]
    results = []
    for kind in (torch.float32, torch.float64):
        leaves = [tensor.detach().clone().to(kind).requires_grad_() for tensor in tensors]
        weight, bias, sources = leaves[0], leaves[1], leaves[2 : 2 + n_sources]
        values = leaves[-1] if add else None
        if kind == torch.float32:
            outs = list(clipped_product(weight, bias, plan, *sources, values=values))
        else:
            outs = plain(weight, bias, plan, sources, values)
        torch.autograd.backward(outs, [grad.to(kind) for grad in grads])
        results.append(outs + [leaf.grad for leaf in leaves if leaf.grad is not None])
    assert len(results[0]) == len(results[1]) == len(plan.bounds) + len(tensors)
    for i, (found, wanted) in enumerate(zip(*results, strict=True)):
        assert_close(found, wanted, f"tensor {i}")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("axis", "before", "n_places"), AXES)
def test_places_along_every_axis(shape: tuple[int, ...], axis: int, before: int, n_places: int) -> None:
    check(Plan(axis, before, ((-1.0, 1.0),)), shape, n_places, 8, 8, 1, False)


@pytest.mark.parametrize("n_in", [1, 4, 5, 9, 24, 32])
@pytest.mark.parametrize("n_out", [4, 5, 20, 24, 40])
def test_any_width(n_in: int, n_out: int) -> None:
    check(Plan(COLUMN_AXIS, 1, ((0.0, 1.5),)), (1, 5, 4, 7), 3, n_in, n_out, 1, False)


@pytest.mark.parametrize("shape", SHAPES)
def test_several_outputs_with_their_own_bounds(shape: tuple[int, ...]) -> None:
    check(Plan(LINE_AXIS, 1, ((0.0, 2.0), (-1.0, 1.0), (0.0, 1.0))), shape, 2, 12, 12, 1, False)


@pytest.mark.parametrize("shape", SHAPES)
def test_two_sources(shape: tuple[int, ...]) -> None:
    check(Plan(COLUMN_AXIS, 0, ((0.0, 1.0),)), shape, 1, 12, 20, 2, False)


@pytest.mark.parametrize("shape", SHAPES)
def test_added_to_values(shape: tuple[int, ...]) -> None:
    check(Plan(COLUMN_AXIS, 0, ((-1.0, 1.0),)), shape, 1, 12, 12, 1, True)


def test_more_rows_than_a_block() -> None:
    check(Plan(LINE_AXIS, 1, ((-1.0, 1.0),)), (2, 6, 9, 11), 2, 16, 24, 1, False)


def test_only_what_needs_a_gradient_gets_one() -> None:
    weight, bias, one, other = torch.randn(4, 8), torch.zeros(4), torch.randn(1, 1, 1, 3, 4), torch.randn(1, 1, 1, 3, 4)
    other.requires_grad_()
    plan = Plan(COLUMN_AXIS, 0, ((-99.0, 99.0),))  # nothing is clipped: sums of 8 products of normal numbers
    clipped_product(weight, bias, plan, one, other)[0].sum().backward()  # type: ignore[no-untyped-call]  # torch's own
    assert one.grad is None and weight.grad is None
    assert other.grad is not None
    assert_close(other.grad, weight[:, 4:].sum(0).double().expand_as(other), "gradient")


@pytest.mark.parametrize("add", [False, True])
def test_nan_is_not_clipped_away(add: bool) -> None:
    source = torch.zeros(1, 1, 1, 8, 4)
    source[..., 5, 2] = math.nan
    plan, values = Plan(COLUMN_AXIS, 0, ((-1.0, 1.0),)), torch.zeros_like(source) if add else None
    out = clipped_product(torch.ones(4, 4), torch.zeros(4), plan, source, values=values)[0]
    assert out[..., 5, :].isnan().all() and not out[..., :5, :].isnan().any()


def test_the_filter_sums_taps_times_differences() -> None:
    taps, differences = torch.randn(2, 3, 4, 20, requires_grad=True), torch.randn(2, 3, 4, 20)
    grad = torch.randn(2, 3, 4)
    found = filtered(taps, differences)
    found.backward(grad)  # type: ignore[no-untyped-call]  # torch's own
    assert_close(found, (taps.double() * differences.double()).sum(-1), "sums")
    assert taps.grad is not None and torch.equal(taps.grad, grad[..., None] * differences)

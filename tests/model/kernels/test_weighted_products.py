"""The compiled products of a fit against those of PyTorch, for odd and even numbers of planes, short and long."""

import pytest
import torch

from model.kernels.weighted_products_cpu import TILE, weighted_products

TOLERANCE = 1e-12
"""Of the product of two norms: float64 rounds to 1e-16, and a thousand roundings add up."""


@pytest.mark.parametrize("n_planes", [1, 2, 5, 38])
@pytest.mark.parametrize("n_samples", [1, TILE - 1, TILE, 2 * TILE + 3])
def test_products_are_those_of_a_weighted_copy(n_planes: int, n_samples: int) -> None:
    generator = torch.Generator().manual_seed(n_planes)
    planes = torch.randn(2, 3, n_planes, n_samples, generator=generator, dtype=torch.float64)
    shares = torch.rand(2, 3, n_samples, generator=generator, dtype=torch.float64)
    wanted = torch.einsum("bzin,bzjn,bzn->bzij", planes, planes, shares)
    norms = wanted.diagonal(dim1=2, dim2=3).sqrt()
    found = weighted_products(planes, shares)
    assert ((found - wanted).abs() <= TOLERANCE * norms[..., None] * norms[..., None, :]).all()
    assert torch.equal(found, found.transpose(2, 3))

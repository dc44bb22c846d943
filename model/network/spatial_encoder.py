"""The spatial encoder: samples of a line to features, with context across columns."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.kernels import activation_cpu, convolution_cpu
from model.kernels.cpu_path import is_compiled_path

REACH = 1  # columns that one layer sees on each side


class ColumnConvolution(nn.Module):
    """Kernel 3 over columns, layer normalisation, GELU; zeros beyond the edges."""

    def __init__(self, n_in: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Linear(3 * n_in, features)  # over [left, here, right]
        self.norm = nn.LayerNorm(features)

    def forward(self, columns: Tensor) -> Tensor:
        """(..., X, n_in) to (..., X, F)."""
        if is_compiled_path(columns):
            convolved = convolution_cpu.apply(columns, self.weight, -2, REACH)
            return activation_cpu.norm_gelu(convolved, self.norm.weight, self.norm.bias)
        padded = F.pad(columns, (0, 0, REACH, REACH))  # (..., X + 2, n_in)
        n_columns = columns.shape[-2]
        slices = [padded.narrow(-2, offset, n_columns) for offset in range(3)]
        return F.gelu(self.norm(self.weight(torch.cat(slices, dim=-1))))


class SpatialEncoder(nn.Module):
    """Every band of every line by itself, as a signal over columns."""

    def __init__(self, features: int, n_layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(ColumnConvolution(1 if i == 0 else features, features) for i in range(n_layers))

    def forward(self, samples: Tensor) -> Tensor:
        """Normalised samples (..., X) to features (..., X, F)."""
        encoded = samples.unsqueeze(-1)
        for layer in self.layers:
            encoded = layer(encoded)
        return encoded

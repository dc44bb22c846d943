"""The line part of a cell in PyTorch's float32, which carries its integers exactly: int8-v2 on whatever torch runs.

Products are plain matrix products: a convolution may run as Winograd or FFT, which round. All sums stay below 2**24 in
units of their layer, so order, tiling and fused multiply-add change nothing.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from runtime.cell.flight_package import NEXT
from runtime.cell.integer_cell import LARGEST_ACTIVATION, NUMERATOR_BITS, IntegerCell, IntegerLayer, IntegerMemory

COLUMN_AXIS = 1


class TorchLayer(nn.Module):
    """clip(floor(values @ weight + bias), low, high), with the shift and the half of the rounding folded in."""

    weight: Tensor
    """(n_out, n_in), integers times 2**-shift."""
    bias: Tensor
    """(n_out,)."""

    def __init__(self, layer: IntegerLayer) -> None:
        super().__init__()
        shift = torch.from_numpy(layer.shift).int()
        scale = torch.ldexp(torch.ones(len(shift)), -shift)
        self.register_buffer("weight", torch.from_numpy(layer.weight).float() * scale[:, None])
        self.register_buffer("bias", torch.from_numpy(layer.bias).float() * scale + 0.5)
        self.low, self.high = layer.spec.low, layer.spec.high

    def forward(self, *parts: Tensor) -> Tensor:
        """(N, X, n_out) of inputs that stand side by side, each (N, X, n)."""
        sums = F.linear(torch.cat(parts, -1), self.weight, self.bias)
        return sums.floor().clamp(self.low, self.high)


class TorchMemory(nn.Module):
    """The weighted mean over lines."""

    rate: Tensor
    """(F,), mantissa / 2**exponent."""

    def __init__(self, memory: IntegerMemory) -> None:
        super().__init__()
        rate = torch.ldexp(torch.from_numpy(memory.mantissa).float(), -torch.from_numpy(memory.exponent).int())
        self.register_buffer("rate", rate)

    def forward(self, key: Tensor, value: Tensor, before: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Mean, numerator and denominator after this line; `before`: numerator and denominator. All (N, X, F)."""
        weight = key + 1
        numerator = before[0] + ((2 * weight * value - before[0]) * self.rate + 0.5).floor()
        denominator = before[1] + ((128 * weight - before[1]) * self.rate + 0.5).floor()
        above, below = numerator * (1 << NUMERATOR_BITS) + denominator, 2 * denominator
        quotient = (above / below).floor()
        rest = above - quotient * below  # the division may be one unit in the last place off, and so the quotient by 1
        quotient = quotient - (rest < 0).float() + (rest >= below).float()
        return clipped(quotient), numerator, denominator


def clipped(values: Tensor) -> Tensor:
    """Values in the range of an activation."""
    return values.clamp(-LARGEST_ACTIVATION, LARGEST_ACTIVATION)


def columns(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """West, here, east; zeros outside the line. Each (N, X, n)."""
    padded = F.pad(values, (0, 0, 1, 1))
    n_columns = values.shape[COLUMN_AXIS]
    return padded[:, :n_columns], values, padded[:, 2:]


class TorchCell(nn.Module):
    """All layers of the line part, and the memories."""

    def __init__(self, cell: IntegerCell) -> None:
        super().__init__()
        self.shape = cell.shape
        names = [spec.name for spec in cell.shape.line_layers()]
        self.layers = nn.ModuleDict({module_name(name): TorchLayer(cell.layers[name]) for name in names})
        self.memories = nn.ModuleList(TorchMemory(memory) for memory in cell.memories)

    def layer(self, name: str, *parts: Tensor) -> Tensor:
        """A layer by its name in the cell."""
        out: Tensor = self.layers[module_name(name)](*parts)
        return out

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """One tile: integers in and out by the names of the cell's graph, in float32, each (N, X, n), levels (N, 1, n).

        Outputs: `contexts`, and each state after the line.
        """
        after: dict[str, Tensor] = {}
        features = inputs["line_features"]
        levels = inputs["levels"].expand(-1, features.shape[COLUMN_AXIS], -1)
        spatial = self.layer("line_convolutions.0", *columns(features), levels)
        for i in range(1, self.shape.line_convolutions):
            spatial = self.layer(f"line_convolutions.{i}", *columns(spatial))
        for i in range(self.shape.line_blocks):
            spatial = self.block(i, spatial, inputs, after)
        after["contexts"] = self.layer("context", spatial)
        return after

    def block(self, i: int, now: Tensor, inputs: dict[str, Tensor], after: dict[str, Tensor]) -> Tensor:
        """Time mix, then channel mix; states of this line go to `after`."""
        before = inputs[f"before_{i}"]
        key, value, gate = (self.layer(f"blocks.{i}.{name}", before, now) for name in ("key", "value", "gate"))
        sums = inputs[f"numerator_{i}"], inputs[f"denominator_{i}"]
        mean, numerator, denominator = self.memories[i](key, value, sums)
        gated = (gate * mean / 128 + 0.5).floor()
        middle = clipped(now + self.layer(f"blocks.{i}.output", gated))
        mixed = self.layer(f"blocks.{i}.mix", inputs[f"mix_before_{i}"], middle)
        states = {"before": now, "numerator": numerator, "denominator": denominator, "mix_before": middle}
        after |= {f"{name}_{i}{NEXT}": values for name, values in states.items()}
        return clipped(middle + self.layer(f"blocks.{i}.mixed", mixed))


def module_name(layer: str) -> str:
    """The name of a layer as torch allows it."""
    return layer.replace(".", "_")

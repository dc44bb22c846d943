"""RWKV blocks over lines: time mixing and channel mixing (equations 1 to 6 of the paper).

Each class has the two forms of the same operation: `forward` over a whole sequence of lines (B, Y, ..., F), and `step`
over one line (..., F) with the state handed in and out.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from model import wkv
from model.wkv import WkvState


class BlockState(NamedTuple):
    """What a block remembers of earlier lines; every field is (..., F)."""

    time_input: Tensor
    """The last line that entered time mixing."""
    channel_input: Tensor
    """The last line that entered channel mixing."""
    numerator: Tensor
    """As in WkvState."""
    denominator: Tensor
    """As in WkvState."""
    exponent: Tensor
    """As in WkvState."""


def initial_state(like: Tensor) -> BlockState:
    """The state before the first line, shaped as `like` (..., F)."""
    zeros = torch.zeros_like(like)
    return BlockState(zeros, zeros, *wkv.initial_state(like))


def line_before(lines: Tensor) -> Tensor:
    """Each line's predecessor along dimension 1; zeros before the first."""
    return torch.cat([torch.zeros_like(lines[:, :1]), lines[:, :-1]], dim=1)


class TimeMixing(nn.Module):
    """Attention over earlier lines with a decay for each feature."""

    def __init__(self, features: int) -> None:
        super().__init__()
        position = torch.arange(features) / max(1, features - 1)
        self.mix_receptance = nn.Parameter(0.5 * torch.ones(features))  # mu_r
        self.mix_key = nn.Parameter(0.5 * torch.ones(features))  # mu_k
        self.mix_value = nn.Parameter(0.5 * torch.ones(features))  # mu_v
        # log w: from memories of hundreds of lines to memories of one
        self.log_decay = nn.Parameter(-5 + 6 * position)
        self.bonus = nn.Parameter(torch.zeros(features))  # u
        self.receptance = nn.Linear(features, features, bias=False)  # W_r
        self.key = nn.Linear(features, features, bias=False)  # W_k
        self.value = nn.Linear(features, features, bias=False)  # W_v
        self.output = nn.Linear(features, features, bias=False)  # W_o

    def project(self, now: Tensor, before: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Receptance, key and value of a line and the one before it: equations 1 to 3."""
        change = now - before
        return (
            self.receptance(before + self.mix_receptance * change),
            self.key(before + self.mix_key * change),
            self.value(before + self.mix_value * change),
        )

    def forward(self, lines: Tensor) -> Tensor:
        """(B, Y, ..., F) to the same shape."""
        receptance, key, value = self.project(lines, line_before(lines))
        mean = wkv.over_lines(torch.exp(self.log_decay), self.bonus, key, value)
        return self.output(torch.sigmoid(receptance) * mean)  # type: ignore[no-any-return]

    def step(self, line: Tensor, before: Tensor, state: WkvState) -> tuple[Tensor, WkvState]:
        """(..., F) to the same shape, with the sums that include this line."""
        receptance, key, value = self.project(line, before)
        mean, state = wkv.step(torch.exp(self.log_decay), self.bonus, key, value, state)
        return self.output(torch.sigmoid(receptance) * mean), state


class ChannelMixing(nn.Module):
    """Gated squared-ReLU layer over features: equation 6."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.mix_receptance = nn.Parameter(0.5 * torch.ones(features))
        self.mix_key = nn.Parameter(0.5 * torch.ones(features))
        self.receptance = nn.Linear(features, features, bias=False)
        self.key = nn.Linear(features, features, bias=False)
        self.value = nn.Linear(features, features, bias=False)

    def forward(self, now: Tensor, before: Tensor) -> Tensor:
        """A line, or all lines, and what came before each: (..., F) to the same shape."""
        change = now - before
        receptance = self.receptance(before + self.mix_receptance * change)
        key = self.key(before + self.mix_key * change)
        return torch.sigmoid(receptance) * self.value(torch.relu(key) ** 2)  # type: ignore[no-any-return]


class Block(nn.Module):
    """Time mixing, then channel mixing, each on the normalised input and added to it."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.time_norm = nn.LayerNorm(features)
        self.time_mixing = TimeMixing(features)
        self.channel_norm = nn.LayerNorm(features)
        self.channel_mixing = ChannelMixing(features)

    def forward(self, lines: Tensor) -> Tensor:
        """(B, Y, ..., F) to the same shape."""
        lines = lines + self.time_mixing(self.time_norm(lines))
        normed = self.channel_norm(lines)
        return lines + self.channel_mixing(normed, line_before(normed))  # type: ignore[no-any-return]

    def step(self, line: Tensor, state: BlockState) -> tuple[Tensor, BlockState]:
        """(..., F) to the same shape, with the state after this line."""
        time_input = self.time_norm(line)
        mixed, sums = self.time_mixing.step(time_input, state.time_input, WkvState(*state[2:]))
        line = line + mixed
        channel_input = self.channel_norm(line)
        line = line + self.channel_mixing(channel_input, state.channel_input)
        return line, BlockState(time_input, channel_input, *sums)

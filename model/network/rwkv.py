"""RWKV blocks over lines: time mixing and channel mixing (equations 1 to 6 of the paper).

Each class implements the same operation twice: `forward` over a whole sequence of lines (B, Y, ..., F), and `step` over
one line (..., F) with the state handed in and out. On the CPU `forward` runs compiled kernels (*_cpu.py), which
must agree with the plain operations: tests/model/kernels/test_cpu_kernels.py.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.kernels import activation_cpu, norm_mix_cpu
from model.kernels.cpu_path import is_compiled_path
from model.network import wkv
from model.network.wkv import WkvState


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


def blends(now: Tensor, before: Tensor, mixes: tuple[nn.Parameter, ...]) -> tuple[Tensor, ...]:
    """For each mix (F,) the sum before + mix * (now - before), shaped as now (..., F)."""
    change = now - before
    return tuple(before + mix * change for mix in mixes)


def normed_blends(norm: nn.LayerNorm, lines: Tensor, mixes: tuple[nn.Parameter, ...]) -> tuple[Tensor, ...]:
    """`blends` of the normalised lines (B, Y, ..., F) with the line before each, zeros before the first."""
    if is_compiled_path(lines):
        return norm_mix_cpu.apply(lines, norm.weight, norm.bias, torch.stack(mixes))
    now = norm(lines)
    return blends(now, torch.cat([torch.zeros_like(now[:, :1]), now[:, :-1]], dim=1), mixes)


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

    def mixes(self) -> tuple[nn.Parameter, ...]:
        """Mu of the three blends that `project` takes."""
        return self.mix_receptance, self.mix_key, self.mix_value

    def project(self, for_receptance: Tensor, for_key: Tensor, for_value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Receptance, key and value of the three blends of a line and the one before it: equations 1 to 3."""
        return self.receptance(for_receptance), self.key(for_key), self.value(for_value)

    def forward(self, lines: Tensor, norm: nn.LayerNorm) -> Tensor:
        """All lines (B, Y, ..., F), which `norm` normalises, to the same shape."""
        receptance, key, value = self.project(*normed_blends(norm, lines, self.mixes()))
        gated = wkv.gated_over_lines(torch.exp(self.log_decay), self.bonus, receptance, key, value)
        return self.output(gated)  # type: ignore[no-any-return]

    def step(self, line: Tensor, before: Tensor, state: WkvState) -> tuple[Tensor, WkvState]:
        """(..., F), already normalised, to the same shape, with the sums that include this line."""
        receptance, key, value = self.project(*blends(line, before, self.mixes()))
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

    def mixes(self) -> tuple[nn.Parameter, ...]:
        """Mu of the two blends."""
        return self.mix_receptance, self.mix_key

    def forward(self, lines: Tensor, norm: nn.LayerNorm) -> Tensor:
        """All lines (B, Y, ..., F) plus their mixing, which `norm` normalises."""
        for_receptance, for_key = normed_blends(norm, lines, self.mixes())
        receptance, key = self.receptance(for_receptance), self.key(for_key)
        if is_compiled_path(lines):
            return activation_cpu.gated_sum(lines, receptance, self.value(activation_cpu.squared_relu(key)))
        return lines + torch.sigmoid(receptance) * self.value(torch.relu(key) ** 2)  # type: ignore[no-any-return]

    def step(self, line: Tensor, before: Tensor) -> Tensor:
        """(..., F), already normalised, to the same shape."""
        for_receptance, for_key = blends(line, before, self.mixes())
        gate = torch.sigmoid(self.receptance(for_receptance))
        return gate * self.value(torch.relu(self.key(for_key)) ** 2)  # type: ignore[no-any-return]


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
        lines = lines + self.time_mixing(lines, self.time_norm)
        return self.channel_mixing(lines, self.channel_norm)  # type: ignore[no-any-return]

    def step(self, line: Tensor, state: BlockState) -> tuple[Tensor, BlockState]:
        """(..., F) to the same shape, with the state after this line."""
        time_input = self.time_norm(line)
        mixed, sums = self.time_mixing.step(time_input, state.time_input, WkvState(*state[2:]))
        line = line + mixed
        channel_input = self.channel_norm(line)
        line = line + self.channel_mixing.step(channel_input, state.channel_input)
        return line, BlockState(time_input, channel_input, *sums)

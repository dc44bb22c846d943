"""Mapped residuals of a segment, line after line, by the sample-adaptive coder (docs/formats/stream.md, coder 1)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.ccsds123 import golomb
from runtime.ccsds123.golomb import GolombParameters
from runtime.errors import Corrupt
from runtime.kernels.bits import finish, initial_bits

Mapped = npt.NDArray[np.integer[Any]]
"""(Z, X) of one line."""


def golomb_parameters(depth: int) -> GolombParameters:
    """The coder of the format: U_max 18, gamma* 6, gamma0 1, K 3 (less for depths that allow less)."""
    return GolombParameters(depth, accumulator_constant=min(3, depth - 2))


class GolombWriter:
    """One segment being written; its buffer grows with the coded bytes only."""

    def __init__(self, depth: int, n_bands: int) -> None:
        self.parameters = golomb_parameters(depth)
        self.state = golomb.initial_state(self.parameters, n_bands)
        self.bits = initial_bits()
        self.buffer = np.empty(0, np.uint8)

    @property
    def n_bits(self) -> int:
        """Bits so far."""
        return 8 * int(self.bits[0]) + int(self.bits[2])

    def push(self, mapped: Mapped) -> None:
        """Append a line."""
        room = golomb.worst_bytes(self.parameters, mapped.size)
        position = int(self.bits[0])
        if position + room > self.buffer.size:
            self.buffer = np.concatenate([self.buffer[:position], np.empty(position // 2 + room, np.uint8)])
        golomb.encode_line(self.parameters, mapped, self.state, self.buffer, self.bits)

    def payload(self) -> bytes:
        """The finished bytes."""
        return self.buffer[: finish(self.buffer, self.bits)].tobytes()


class GolombReader:
    """One segment being read."""

    def __init__(self, payload: bytes, depth: int, n_bands: int, n_columns: int, n_lines: int) -> None:
        """Raise Corrupt where the payload cannot hold so many samples."""
        n_samples = n_lines * n_bands * n_columns
        if n_samples > 8 * len(payload):
            raise Corrupt(
                f"segment announces {n_samples} samples in {len(payload)} bytes: a sample takes a bit at least"
            )
        self.parameters = golomb_parameters(depth)
        self.state = golomb.initial_state(self.parameters, n_bands)
        self.bits = initial_bits()
        self.data = np.frombuffer(payload, np.uint8)

    def take(self, out_mapped: Mapped) -> None:
        """Fill the next line. Raises Truncated."""
        golomb.decode_line(self.parameters, self.data, self.bits, self.state, out_mapped)

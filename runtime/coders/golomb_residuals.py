"""Mapped residuals of a segment, line after line, by the sample-adaptive coder (docs/formats/stream.md, coder 1)."""

import numpy as np
from typing_extensions import override

from runtime.ccsds123 import golomb
from runtime.ccsds123.golomb import GolombParameters, GolombState
from runtime.coders.flag_contexts import SAMPLES_IN_A_BIT as FLAGS_IN_A_BIT
from runtime.coders.line_coder import BodyLineWriter, LineReader, Mapped
from runtime.errors import Corrupt
from runtime.kernels.bits import initial_bits
from runtime.kernels.marks import Marks


def golomb_parameters(depth: int) -> GolombParameters:
    """The coder of the format: U_max 18, gamma* 6, gamma0 1, K 3 (less for depths that allow less)."""
    return GolombParameters(depth, accumulator_constant=min(3, depth - 2))


class GolombWriter(BodyLineWriter[GolombState]):
    """One segment being written; its buffer grows with the coded bytes only."""

    def __init__(self, depth: int, n_bands: int) -> None:
        self.parameters = golomb_parameters(depth)
        super().__init__(golomb.initial_state(self.parameters, n_bands))

    @override
    def push(self, mapped: Mapped, marks: Marks | None = None) -> None:
        self.keep()
        self.body.make_room(golomb.worst_bytes(self.parameters, mapped.size))
        golomb.encode_line(self.parameters, mapped, self.state, self.body.buffer, self.body.bits, marks)

    @override
    def payload(self) -> bytes:
        return bytes(self.body.finish())


class GolombReader(LineReader):
    """One segment being read."""

    def __init__(
        self, payload: bytes, depth: int, n_bands: int, n_columns: int, n_lines: int, n_flag_bytes: int = 0
    ) -> None:
        """Raise Corrupt where the payload, and flags of special values beside it, cannot hold so many samples."""
        n_samples = n_lines * n_bands * n_columns
        if n_samples > 8 * (len(payload) + FLAGS_IN_A_BIT * n_flag_bytes):
            raise Corrupt(f"segment of {n_samples} samples in {len(payload)} bytes: a sample takes a bit at least")
        self.parameters = golomb_parameters(depth)
        self.state = golomb.initial_state(self.parameters, n_bands)
        self.bits = initial_bits()
        self.data = np.frombuffer(payload, np.uint8)

    @override
    def take(self, out_mapped: Mapped, marks: Marks | None = None) -> None:
        golomb.decode_line(self.parameters, self.data, self.bits, self.state, out_mapped, marks)

"""Segments of plain samples in D bits each, for what coding would expand."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit

from runtime.errors import Corrupt
from runtime.kernels.bits import finish, initial_bits, put_bits, refill, take_bits
from runtime.prediction.prequantise import Quantiser
from runtime.segments.segment_codec import Samples
from runtime.stream.residual_sums import ResidualSums
from runtime.stream.stream_format import AdaptiveStage, Coder, PredictorKind, SegmentHeader


@njit(cache=True)
def pack_kernel(values: Any, depth: Any, buffer: Any, bits: Any) -> None:
    """Append each value, 0 <= value < 2**depth."""
    position, pending, n_pending = bits[0], bits[1], bits[2]
    for i in range(values.size):
        position, pending, n_pending = put_bits(buffer, position, pending, n_pending, np.int64(values[i]), depth)
    bits[0], bits[1], bits[2] = position, pending, n_pending


@njit(cache=True)
def unpack_kernel(data: Any, depth: Any, bits: Any, out_values: Any) -> None:
    """Read values of `depth` bits."""
    position, pending, n_pending = bits[0], bits[1], bits[2]
    for i in range(out_values.size):
        position, pending, n_pending = refill(data, position, pending, n_pending)
        out_values[i], pending, n_pending = take_bits(pending, n_pending, depth)
    bits[0], bits[1], bits[2] = position, pending, n_pending


def stored_bytes(n_samples: int, depth: int) -> int:
    """Bytes of `n_samples` stored samples."""
    return (n_samples * depth + 7) // 8


class PlainWriter:
    """Lines of values being written, in the same number of bits each."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.bits = initial_bits()
        self.buffer = np.empty(0, np.uint8)

    def push(self, values: Samples) -> None:
        """Append a line, 0 <= value < 2**depth."""
        room = np.empty(stored_bytes(values.size, self.depth) + 16, np.uint8)
        self.buffer = np.concatenate([self.buffer[: int(self.bits[0])], room])
        pack_kernel(values.reshape(-1), self.depth, self.buffer, self.bits)

    def payload(self) -> bytes:
        """The finished bytes."""
        return self.buffer[: finish(self.buffer, self.bits)].tobytes()


class PlainReader:
    """The same being read."""

    def __init__(self, payload: bytes, depth: int, n_samples: int) -> None:
        """Raise Corrupt where the payload does not hold `n_samples` values."""
        expected = stored_bytes(n_samples, depth)
        if len(payload) != expected:
            raise Corrupt(f"stored segment of {n_samples} samples has {len(payload)} bytes, needs {expected}")
        self.depth = depth
        self.bits = initial_bits()
        self.data = np.frombuffer(payload, np.uint8)

    def take(self, out_values: Samples) -> None:
        """Fill the next line."""
        unpack_kernel(self.data, self.depth, self.bits, out_values.reshape(-1))


class StoredSegments:
    """A `SegmentCodec` without prediction: prequantised samples as offsets from the smallest."""

    predictor = PredictorKind.NONE
    stage = AdaptiveStage.NONE
    coders: tuple[Coder, ...] = (Coder.STORED,)
    may_be_stored = True

    def __init__(self, n_bands: int, n_columns: int, quantiser: Quantiser) -> None:
        self.shape = (n_bands, n_columns)
        self.quantiser = quantiser

    def writer(self) -> "StoredWriter":
        """As in `SegmentCodec`."""
        return StoredWriter(self)

    def largest_payload(self, n_lines: int) -> int:
        """As in `SegmentCodec`; here every payload has this size."""
        return stored_bytes(n_lines * self.shape[0] * self.shape[1], self.quantiser.index_depth)

    def lines(self, header: SegmentHeader, payload: bytes) -> Iterator[Samples]:
        """As in `SegmentCodec`."""
        reader = PlainReader(payload, self.quantiser.index_depth, header.n_lines * self.shape[0] * self.shape[1])
        smallest, largest = self.quantiser.index_range
        for _ in range(header.n_lines):
            line = np.empty(self.shape, np.int32)
            reader.take(line)
            line += smallest
            if line.max() > largest:
                raise Corrupt(f"a stored sample is {line.max()}, allowed at most {largest}")
            yield self.quantiser.reconstructed(line)


class StoredWriter:
    """One stored segment being written."""

    def __init__(self, codec: StoredSegments) -> None:
        self.codec = codec
        self.plain = PlainWriter(codec.quantiser.index_depth)
        self.residual_sums = ResidualSums()

    @property
    def state(self) -> None:
        """Each sample stands for itself."""

    @property
    def written(self) -> PlainWriter:
        """As in `SegmentWriter`."""
        return self.plain

    def push(self, line: Samples) -> None:
        """As in `SegmentWriter`."""
        quantiser = self.codec.quantiser
        self.plain.push(quantiser.quantised(line) - quantiser.index_range[0])

    def coded(self) -> tuple[Coder, bytes]:
        """As in `SegmentWriter`."""
        return Coder.STORED, self.plain.payload()

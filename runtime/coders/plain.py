"""Values in the same number of bits each, for what coding would expand."""

from typing import Any

import numpy as np

from runtime.ccsds123.body import BodyWriter
from runtime.coders.line_coder import Mapped
from runtime.errors import Corrupt
from runtime.kernels.bits import initial_bits, put_bits, refill, take_bits
from runtime.kernels.kernel_cache import njit


@njit(cache=True)
def pack_kernel(values: Any, depth: Any, buffer: Any, bits: Any) -> None:
    """Append each value, 0 <= value < 2**depth."""
    writer = bits[0], bits[1], bits[2]
    for i in range(values.size):
        writer = put_bits(buffer, writer, np.int64(values[i]), depth)
    bits[0], bits[1], bits[2] = writer


@njit(cache=True)
def unpack_kernel(data: Any, depth: Any, bits: Any, out_values: Any) -> None:
    """Read values of `depth` bits."""
    reader = bits[0], bits[1], bits[2]
    for i in range(out_values.size):
        reader = refill(data, reader)
        out_values[i], reader = take_bits(reader, depth)
    bits[0], bits[1], bits[2] = reader


def plain_bytes(n_samples: int, depth: int) -> int:
    """Bytes of `n_samples` plain values of `depth` bits."""
    return (n_samples * depth + 7) // 8


class PlainWriter:
    """Lines of values being written, in the same number of bits each."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.body = BodyWriter()

    def push(self, values: Mapped) -> None:
        """Append a line, 0 <= value < 2**depth."""
        self.body.make_room(plain_bytes(values.size, self.depth))
        pack_kernel(values.reshape(-1), self.depth, self.body.buffer, self.body.bits)

    def payload(self) -> memoryview:
        """The finished bytes."""
        return self.body.finish()


class PlainReader:
    """The same being read."""

    def __init__(self, payload: bytes, depth: int, n_samples: int) -> None:
        """Raise Corrupt where the payload does not hold `n_samples` values."""
        expected = plain_bytes(n_samples, depth)
        if len(payload) != expected:
            raise Corrupt(f"{n_samples} plain values have {len(payload)} bytes, needs {expected}")
        self.depth = depth
        self.bits = initial_bits()
        self.data = np.frombuffer(payload, np.uint8)

    def take(self, out_values: Mapped) -> None:
        """Fill the next line."""
        unpack_kernel(self.data, self.depth, self.bits, out_values.reshape(-1))

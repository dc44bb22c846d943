"""The bits of a body: written with room made ahead of a kernel, read with errors of one line."""

from typing import Any, Protocol

import numpy as np

from runtime.ccsds123.order import Piece, Uint32Array
from runtime.errors import Corrupt, Truncated
from runtime.kernels.bits import Uint8Array, finish, initial_bits, overrun, put_bits, refill, take_bits
from runtime.kernels.kernel_cache import njit

OK, RAN_OUT, IMPOSSIBLE = 0, 1, 2  # What a decoding kernel returns: done, data too short, data without meaning


class IndexEncoder(Protocol):
    """An entropy coder that takes pieces of mapped quantizer indices in stream order."""

    writer: "BodyWriter"

    def put_limits(self, values: list[int], n_bits: int) -> None:
        """Append error limits, plainly (5.4.3.2.4.1, 5.4.3.3.5.1.1)."""
        self.writer.put_all(values, n_bits)

    def put(self, block: Uint32Array, piece: Piece) -> None:
        """Append a piece. block: (bands, samples) uint32."""

    def finish(self) -> None:
        """Append what must follow the last piece, fill bits apart: nothing unless a coder says otherwise."""
        return


class IndexDecoder(Protocol):
    """An entropy decoder that returns them in the same order."""

    def take_limits(self, n_values: int, n_bits: int) -> list[int]:
        """The next error limits."""

    def take(self, piece: Piece) -> Uint32Array:
        """The next piece, (bands, samples) uint32. Raises Truncated or Corrupt."""

    def finish(self) -> int:
        """Check what follows the last piece; the number of body bytes consumed, fill bytes apart."""


class BodyWriter:
    """A growing buffer with the bit state of runtime/kernels/bits.py."""

    def __init__(self) -> None:
        self.buffer: Uint8Array = np.empty(64, np.uint8)
        self.bits = initial_bits()

    def make_room(self, n_bytes: int) -> None:
        """Grow the buffer until a kernel can append `n_bytes` and the writer's slack."""
        needed = int(self.bits[0]) + n_bytes + 16
        if needed > self.buffer.size:
            grown = np.empty(max(needed, 2 * self.buffer.size), np.uint8)
            grown[: self.bits[0]] = self.buffer[: self.bits[0]]
            self.buffer = grown

    def put_all(self, values: list[int], n_bits: int) -> None:
        """Append numbers of at most 64 bits each."""
        self.make_room(len(values) * (n_bits + 7) // 8)
        put_values(self.buffer, self.bits, np.array(values, np.uint64).astype(np.int64), n_bits)

    def take(self) -> bytes:
        """The whole bytes so far; fewer than 32 bits stay behind."""
        taken = self.buffer[: self.bits[0]].tobytes()
        self.bits[0] = 0
        return taken

    def finish(self) -> memoryview:
        """All bits that are left, zero-filled to a byte: no copy, the writer begins another buffer."""
        self.make_room(8)
        taken = self.buffer[: finish(self.buffer, self.bits)]
        self.buffer = np.empty(64, np.uint8)
        self.bits[:] = 0
        return taken.data


class BodyReader:
    """Untrusted bytes with the bit state of runtime/kernels/bits.py."""

    def __init__(self, body: bytes | memoryview) -> None:
        self.data = untrusted(body)
        self.bits = initial_bits()

    def take_all(self, n_values: int, n_bits: int) -> list[int]:
        """The next numbers of at most 32 bits each."""
        values = np.empty(n_values, np.int64)
        self.check(OK if take_values(self.data, self.bits, n_bits, values) else RAN_OUT, "error limits")
        return values.tolist()

    def check(self, status: int, place: object) -> None:
        """Raise what a kernel's status means, `place` saying where."""
        raise_status(status, place, len(self.data))

    @property
    def n_bytes(self) -> int:
        """Bytes consumed so far, the last one perhaps in part."""
        return (int(self.bits[0]) * 8 - int(self.bits[2]) + 7) // 8


def untrusted(body: bytes | memoryview) -> Uint8Array:
    """The bytes as a read-only array: kernels are compiled for that type alone."""
    data: Uint8Array = np.frombuffer(body, np.uint8)
    data.flags.writeable = False
    return data


def raise_status(status: int, place: object, n_bytes: int) -> None:
    """Raise what a kernel's status means."""
    if status == RAN_OUT:
        raise Truncated(f"body: {n_bytes} bytes end within {place}")
    if status == IMPOSSIBLE:
        raise Corrupt(f"body: a code word in {place} means no mapped quantizer index")


def place_of(piece: Piece) -> str:
    """Words for a piece in an error message."""
    last = piece.bands.stop - 1
    return f"bands {piece.bands.start}..{last}, samples {piece.times.start}..{piece.times.stop - 1}"


@njit(cache=True)
def put_values(buffer: Any, bits: Any, values: Any, n_bits: Any) -> None:
    """Append `values` (int64 as unsigned) with `n_bits` <= 64 each."""
    writer = bits[0], bits[1], bits[2]
    n_high = max(n_bits - 32, 0)
    for value in values:
        if n_high > 0:
            high = (value >> 32) & ((np.int64(1) << n_high) - 1)
            writer = put_bits(buffer, writer, high, n_high)
        low = value & ((np.int64(1) << min(n_bits, 32)) - 1)
        writer = put_bits(buffer, writer, low, min(n_bits, 32))
    bits[0], bits[1], bits[2] = writer


@njit(cache=True)
def take_values(data: Any, bits: Any, n_bits: Any, out_values: Any) -> bool:
    """Fill `out_values` with numbers of `n_bits` <= 32 each; False where the data ran out."""
    reader = bits[0], bits[1], bits[2]
    for i in range(out_values.size):
        reader = refill(data, reader)
        out_values[i], reader = take_bits(reader, n_bits)
    bits[0], bits[1], bits[2] = reader
    return not overrun(data.size, reader)

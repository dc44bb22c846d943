"""A checksum of any range of one long run of bytes, in time that does not depend on the range's length.

A hostile stream announces ranges that overlap as often as it likes; what is read of it is read once. A CRC is linear:
the register after a range is that after all bytes up to its end, less that at its start moved on by the bytes between.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.kernels.kernel_cache import njit
from runtime.stream.crc32c import REVERSED_POLYNOMIAL, make_table, update

BLOCK_BYTES = 512
"""Between registers that are kept: 1/128 of the bytes is held beside them."""
ONE = 1 << 31  # x^0 of a reflected polynomial
ALL_ONES = 0xFFFFFFFF
ZLIB = 0xEDB88320  # reversed polynomial


@njit(cache=True)
def product(one: Any, other: Any, polynomial: Any) -> Any:
    """The product of two polynomials modulo that of the checksum, all reflected in 32 bits."""
    total = np.uint32(0)
    for i in range(32):
        if (one >> np.uint32(31 - i)) & np.uint32(1):
            total ^= other
        odd = other & np.uint32(1)
        other = other >> np.uint32(1)
        if odd:
            other ^= np.uint32(polynomial)
    return total


@njit(cache=True)
def moved_on(register: Any, n_bytes: Any, polynomial: Any) -> Any:
    """The register after `n_bytes` more bytes of zeros."""
    power, moved = np.uint32(ONE >> 8), np.uint32(register)  # x^8
    while n_bytes > 0:
        if n_bytes & 1:
            moved = product(power, moved, polynomial)
        power = product(power, power, polynomial)
        n_bytes >>= 1
    return moved


@njit(cache=True)
def fill_registers(data: Any, table: Any, out_registers: Any) -> None:
    """Fill the registers, 0 at the start, before each block of `data` (uint8). out_registers: (blocks,) uint32."""
    register = np.uint32(0)
    for block in range(out_registers.size):
        out_registers[block] = register
        register = np.uint32(update(data[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES], register, table))


class RangeChecksums:
    """Checksums of ranges of `data`: CRC-32C, or by ZLIB what `zlib.crc32` gives."""

    def __init__(self, data: bytes, polynomial: int = REVERSED_POLYNOMIAL) -> None:
        self.polynomial, self.table = polynomial, make_table(polynomial)
        self.data = np.frombuffer(data, np.uint8)
        self.registers: npt.NDArray[np.uint32] = np.zeros(len(data) // BLOCK_BYTES + 1, np.uint32)
        fill_registers(self.data, self.table, self.registers)

    def register(self, end: int) -> int:
        """Of the bytes before `end`, from 0 at the start."""
        block = end // BLOCK_BYTES
        return int(update(self.data[block * BLOCK_BYTES : end], int(self.registers[block]), self.table))

    def crc(self, start: int, end: int) -> int:
        """Of data[start:end], 0 <= start <= end <= len(data)."""
        before = self.register(start) ^ ALL_ONES
        return self.register(end) ^ int(moved_on(np.uint32(before), end - start, self.polynomial)) ^ ALL_ONES

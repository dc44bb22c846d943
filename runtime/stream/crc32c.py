"""CRC-32C (Castagnoli), the checksum of every part of a stream."""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.kernels.kernel_cache import njit

REVERSED_POLYNOMIAL = 0x82F63B78


def make_table(polynomial: int = REVERSED_POLYNOMIAL) -> npt.NDArray[np.uint32]:
    """The remainder of each byte value, (256,)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ polynomial, table >> 1).astype(np.uint32)
    return table


TABLE = make_table()


@njit(cache=True)
def update(data: Any, remainder: Any, table: Any) -> Any:
    """The register after `data` (uint8)."""
    register = np.uint32(remainder)
    for i in range(data.size):
        register = table[(register ^ data[i]) & np.uint32(255)] ^ (register >> np.uint32(8))
    return register


def crc32c(data: bytes | bytearray | memoryview | npt.NDArray[np.uint8], start: int = 0) -> int:
    """CRC-32C of `data`, 0..2**32 - 1; `start` is the CRC of what comes before it."""
    view = np.frombuffer(data, np.uint8)
    return int(update(view, start ^ 0xFFFFFFFF, TABLE)) ^ 0xFFFFFFFF

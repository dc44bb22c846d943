"""A checksum of whatever is held in memory between lines: arrays, in tuples, dicts and objects."""

import zlib
from enum import Enum
from typing import Any

import numpy as np


def checksum(value: Any, start: int = 0) -> int:
    """CRC-32 of every array and number of `value` in order, 0..2**32 - 1; `start` is the CRC of what comes before.

    It finds any change of up to 32 neighbouring bits. CRC-32 of zlib rather than the CRC-32C of streams, because it is
    nowhere stored and several times faster: benchmarks/results/guard.md.
    """
    if isinstance(value, np.ndarray):
        return zlib.crc32(np.ascontiguousarray(value).data, start)
    if isinstance(value, bytes | bytearray):
        return zlib.crc32(value, start)
    if value is None or isinstance(value, int | float | str | Enum | np.generic):
        return zlib.crc32(repr(value).encode(), start)
    if not isinstance(value, tuple | list):
        value = (value if isinstance(value, dict) else vars(value)).values()
    for part in value:
        start = checksum(part, start)
    return start

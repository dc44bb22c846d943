"""What a simulated instrument says with every line: a record of fixed length, its counter and clock first.

| byte | type, little-endian | what |
|---|---|---|
| 0 | u32 | 0x1ACFFC1D, the mark that begins a record |
| 4 | u32 | the line, from 0 |
| 8 | u64 | time since line 0, microseconds |
| 16 | i32 | temperature of the detector, thousandths of a kelvin |
| 20 | u16 | bytes of the record |
| 22 | u16 | 0 |
| 24 | u16 each | further readings, which wander slowly; an odd last byte is 0 |
"""

import math
import struct
from dataclasses import dataclass

import numpy as np

from model.sensors.sensor import SMALLEST_RECORD, Sensor
from runtime.errors import Corrupt, Truncated

FIELDS = struct.Struct("<IIQiHH")
MARK = 0x1ACFFC1D
MEAN_MILLIKELVIN, SWING_MILLIKELVIN, NOISE_MILLIKELVIN = 293_150, 500, 5
LINES_OF_SWING = 2000
assert FIELDS.size == SMALLEST_RECORD


@dataclass(frozen=True)
class LineRecord:
    """The fields of a record."""

    line: int
    microseconds: int
    millikelvin: int
    n_bytes: int


class LineRecords:
    """Records of the lines of one scene, in their order."""

    def __init__(self, sensor: Sensor, generator: np.random.Generator) -> None:
        """generator: of the readings of this scene."""
        self.n_bytes, self.rate, self.generator = sensor.record.bytes, sensor.lines_per_second, generator
        self.readings = generator.integers(0, 1 << 16, max(0, self.n_bytes - FIELDS.size) // 2)
        self.y = 0

    def next(self) -> bytes:
        """The record of the next line; empty where the sensor has none."""
        if self.n_bytes == 0:
            return b""
        swing = SWING_MILLIKELVIN * math.sin(2 * math.pi * self.y / LINES_OF_SWING)
        temperature = round(MEAN_MILLIKELVIN + swing + NOISE_MILLIKELVIN * self.generator.standard_normal())
        fields = FIELDS.pack(MARK, self.y, round(self.y * 1e6 / self.rate), temperature, self.n_bytes, 0)
        self.readings += self.generator.integers(-1, 2, self.readings.size)
        self.y += 1
        return (fields + (self.readings & 0xFFFF).astype("<u2").tobytes()).ljust(self.n_bytes, b"\0")


def read_record(data: bytes) -> LineRecord:
    """The fields of a record that begins with `data`. Raises Truncated, Corrupt."""
    if len(data) < FIELDS.size:
        raise Truncated(f"line record: {len(data)} bytes, allowed at least {FIELDS.size}")
    mark, line, microseconds, millikelvin, n_bytes, _ = FIELDS.unpack_from(data)
    if mark != MARK or not FIELDS.size <= n_bytes <= len(data):
        raise Corrupt(f"line record: mark {mark:#010x} and {n_bytes} bytes of {len(data)}")
    return LineRecord(line, microseconds, millikelvin, n_bytes)

"""Samples of 10, 12 or 14 bits that follow one another without gaps across bytes, as detectors deliver them."""

import math
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
PACKINGS = (10, 12, 14)


class BitOrder(StrEnum):
    """Which bit of a byte comes first; a sample's bits come in the same order."""

    MSB = "msb"  # The most significant bit of a sample is the first of all, in the highest bit of a byte
    LSB = "lsb"  # The least significant one, in the lowest bit: Mono12p of GenICam


def packed_size(n_samples: int, n_bits: int) -> int:
    """Whole bytes that samples take."""
    return -(-n_samples * n_bits // 8)


def unpacked(data: Bytes, n_samples: int, n_bits: int, order: BitOrder) -> npt.NDArray[np.uint16]:
    """Samples (n, n_samples) of rows (n, `packed_size`), each from a whole byte on; bits after the last do not count.

    n_bits: of a sample, 9..16.
    """
    group_bits = math.lcm(n_bits, 8)  # samples lie alike in each
    group_samples, group_bytes = group_bits // n_bits, group_bits // 8
    n_groups = -(-n_samples // group_samples)
    missing = n_groups * group_bytes - data.shape[1]
    groups = np.pad(data, ((0, 0), (0, missing))) if missing else data
    groups = groups.reshape(-1, group_bytes)
    samples = np.empty((len(groups), group_samples), np.uint16)
    for i in range(group_samples):
        samples[:, i] = one_of_each(groups, i * n_bits, n_bits, order)
    return samples.reshape(len(data), -1)[:, :n_samples]


def one_of_each(groups: Bytes, first_bit: int, n_bits: int, order: BitOrder) -> npt.NDArray[Any]:
    """The sample that begins `first_bit` bits after the start of each group."""
    first, end = first_bit // 8, -(-(first_bit + n_bits) // 8)
    kind = np.dtype(np.uint16 if end - first <= 2 else np.uint32)
    value = np.zeros(len(groups), kind)
    for k in range(first, end):
        place = 8 * (end - 1 - k) if order is BitOrder.MSB else 8 * (k - first)
        value |= groups[:, k].astype(kind) << place
    after = 8 * end - first_bit - n_bits if order is BitOrder.MSB else first_bit - 8 * first
    return (value >> after) & ((1 << n_bits) - 1)

"""Streams that nobody should send: truncated, mutated and random, and what a decoder may do with them."""

import tracemalloc
from collections.abc import Iterator
from functools import cache

import numpy as np

from runtime.ccsds123 import Ccsds123Parameters, decode, encode, read_header
from runtime.errors import LineRwkvError

MAX_SAMPLES = 1 << 18
MAX_IMAGES = 4
"""Memory that a decoder may take, in images as the header announces them."""
FIXED_BYTES = 1 << 20
"""And beyond that, for tables and state."""


@cache
def sound_streams() -> tuple[bytes, ...]:
    """Small streams that cover every coder, order and header part."""
    rng = np.random.default_rng(123)
    samples = np.clip(1000 + rng.integers(-9, 10, (3, 6, 5)).cumsum(0).cumsum(1), 0, 4095)
    zeros = np.zeros((3, 6, 5), np.int64)
    shape = {"Nx": 5, "Ny": 6, "Nz": 3, "D": 12}
    absolute = {"fidelity": "absolute", "a_periods": [1, 2, 3], "periodic_u": 1}
    both = {"fidelity": "absolute_and_relative", "a": [1, 2, 3], "r": 9, "theta": 2, "phi": [1, 2, 3], "psi": 3}
    weights = {"weight_init": [[0] * 3, [1] * 4, [2] * 5], "Q": 5, "weight_exp_offsets": [[0], [1, 2], [3, 4, 5]]}
    table = {"type": "unsigned", "purpose": 2, "structure": "2d_zx", "values": [7] * 15, "n_bits": 12}
    streams = []
    for coder in ("sample_adaptive", "hybrid", "block_adaptive"):
        for order in ({"order": "BSQ"}, {"M": 1}, {"M": 2}, {"M": 3}):
            for extra in ({}, both, weights, {"supplementary_tables": [table]}, {"k_table": [1, 2, 3]}):
                parameters = Ccsds123Parameters.from_dict(shape | {"coder": coder} | order | extra)
                streams.append(encode(samples, parameters))
                streams.append(encode(zeros, parameters))
        streams.append(encode(samples, Ccsds123Parameters.from_dict(shape | {"coder": coder} | absolute)))
    return tuple(streams)


def hostile_streams(seed: int, n_streams: int) -> Iterator[bytes]:
    """Damaged streams: cut, with flipped bits, with random bytes, or random after a sound beginning."""
    rng = np.random.default_rng(seed)
    sound = sound_streams()
    for _ in range(n_streams):
        data = bytearray(sound[rng.integers(len(sound))])
        damage = rng.integers(5)
        if damage == 0:
            del data[rng.integers(len(data)) :]
        elif damage == 1:
            for _ in range(rng.integers(1, 4)):
                data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        elif damage == 2:
            for _ in range(rng.integers(1, 9)):
                data[rng.integers(min(len(data), 24))] = rng.integers(256)
        elif damage == 3:
            n_kept = rng.integers(len(data))
            data[n_kept:] = rng.bytes(int(rng.integers(200)))
        else:
            data[:] = rng.bytes(int(rng.integers(400)))
        yield bytes(data)


def check(data: bytes) -> bool:
    """Whether `data` decodes to an image; fails for anything but an image or a clear error."""
    try:
        samples = decode(data, max_samples=MAX_SAMPLES)
    except LineRwkvError as error:
        text = str(error)
        assert text and "\n" not in text
        return False
    image = read_header(data).image
    assert samples.shape == (image.n_bands, image.n_lines, image.n_columns)
    assert image.smallest <= samples.min() and samples.max() <= image.largest
    return True


def peak_bytes(data: bytes) -> tuple[int, int]:
    """Peak memory of decoding `data`, and the bytes of the image that its header announces (0 where unreadable)."""
    try:
        image = read_header(data).image
        n_announced = image.n_samples * image.dtype.itemsize
    except LineRwkvError:
        n_announced = 0
    tracemalloc.start()
    try:
        check(data)
        return tracemalloc.get_traced_memory()[1], n_announced
    finally:
        tracemalloc.stop()

"""Untrusted streams end in a clear error or an image."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from runtime.ccsds123 import Ccsds123Parameters, decode, encode
from runtime.errors import BadArgument, Corrupt, LineRwkvError, Truncated
from tests.runtime.ccsds123.hostile import FIXED_BYTES, MAX_IMAGES, check, hostile_streams, peak_bytes, sound_streams

ROOT = Path(__file__).parents[3]


def test_sound_streams_decode() -> None:
    assert all(check(data) for data in sound_streams())


def test_two_thousand_hostile_streams() -> None:
    n_images = sum(check(data) for data in hostile_streams(seed=1, n_streams=2000))
    assert n_images < 1000


def test_memory_stays_within_four_images() -> None:
    for data in hostile_streams(seed=2, n_streams=200):
        peak, n_announced = peak_bytes(data)
        assert peak <= MAX_IMAGES * n_announced + FIXED_BYTES


@pytest.mark.slow
def test_a_hundred_thousand_hostile_streams() -> None:
    for data in hostile_streams(seed=3, n_streams=100_000):
        check(data)


@pytest.mark.slow
def test_hostile_streams_with_bounds_checking(tmp_path: Path) -> None:
    program = (
        "from tests.runtime.ccsds123.hostile import check, hostile_streams\n"
        "for data in hostile_streams(seed=4, n_streams=100_000): check(data)\n"
    )
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=ROOT, env=environment, check=True)


@pytest.mark.parametrize("coder", ["sample_adaptive", "hybrid", "block_adaptive"])
def test_every_truncation_is_noticed(coder: str) -> None:
    rng = np.random.default_rng(5)
    samples = rng.integers(0, 50, (2, 5, 4))
    parameters = Ccsds123Parameters.from_dict({"Nx": 4, "Ny": 5, "Nz": 2, "D": 12, "coder": coder, "B": 2})
    stream = encode(samples, parameters)
    for n_bytes in range(len(stream)):
        with pytest.raises(LineRwkvError):
            decode(stream[:n_bytes])


def test_bytes_after_the_image_are_refused() -> None:
    with pytest.raises(Corrupt, match="ends after"):
        decode(sound_streams()[2] + b"\0")


@pytest.mark.parametrize("coder", ["sample_adaptive", "hybrid", "block_adaptive"])
def test_an_absurd_header_is_refused_before_anything_is_allocated(coder: str) -> None:
    stream = bytearray(encode(np.zeros((1, 1, 2), int), Ccsds123Parameters.from_dict(
        {"Nx": 2, "Ny": 1, "Nz": 1, "D": 16, "coder": coder}
    )))  # fmt: skip
    stream[1:7] = bytes(6)  # 65536 x 65536 x 65536
    with pytest.raises(BadArgument, match="max_samples"):
        decode(bytes(stream))
    with pytest.raises(Truncated, match="at least"):
        decode(bytes(stream), max_samples=1 << 48)

"""Shapes that break things."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from runtime.ccsds123 import Ccsds123Parameters, decode, encode
from runtime.ccsds123.order import MAX_STRETCH

CODERS = ["sample_adaptive", "hybrid", "block_adaptive"]
COLUMN: dict[str, Any] = {"mode": "reduced", "local_sum": "wide_column"}


def there_and_back(samples: Any, **changes: Any) -> None:
    n_bands, n_lines, n_columns = samples.shape
    values = {"Nx": n_columns, "Ny": n_lines, "Nz": n_bands, "D": 12} | changes
    decoded = decode(encode(samples, Ccsds123Parameters.from_dict(values)))
    np.testing.assert_array_equal(decoded, samples)


@pytest.mark.parametrize("coder", CODERS)
def test_a_band_longer_than_a_stretch(coder: str) -> None:
    samples = np.random.default_rng(9).integers(0, 99, (2, 300, MAX_STRETCH // 300 + 20))
    there_and_back(samples, order="BSQ", coder=coder)


@pytest.mark.parametrize("coder", CODERS)
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 1, 65536), (1, 5000, 1), (65536, 1, 1), (1, 1, 7), (3, 1, 9), (9, 5, 1)], ids=str
)
@pytest.mark.parametrize("order", [{"order": "BSQ"}, {"M": 1}])
def test_thin_images(shape: tuple[int, int, int], coder: str, order: dict[str, Any]) -> None:
    samples = np.random.default_rng(10).integers(1000, 1030, shape)
    there_and_back(samples, coder=coder, **order, **(COLUMN if shape[2] == 1 else {}))


@pytest.mark.parametrize("coder", CODERS)
@pytest.mark.parametrize("depth", [2, 3, 31, 32])
@pytest.mark.parametrize("is_signed", [False, True])
def test_extremes_of_every_width(coder: str, depth: int, is_signed: bool) -> None:
    lowest = -(1 << (depth - 1)) if is_signed else 0
    ends = np.array([lowest, lowest + (1 << depth) - 1])
    samples = ends[np.indices((4, 9, 6)).sum(0) % 2]
    there_and_back(samples, coder=coder, D=depth, signed=is_signed, Omega=19, R=64)


def test_input_of_any_memory_layout_and_byte_order_gives_the_same_stream() -> None:
    samples = np.random.default_rng(11).integers(0, 4096, (3, 4, 5)).astype(np.uint16)
    parameters = Ccsds123Parameters.from_dict({"Nx": 5, "Ny": 4, "Nz": 3, "D": 12})
    stream = encode(samples, parameters)
    assert encode(np.asfortranarray(samples), parameters) == stream
    assert encode(samples.astype(">u2"), parameters) == stream
    assert encode(samples.astype(np.int64)[:, :, ::-1][:, :, ::-1], parameters) == stream
    np.testing.assert_array_equal(decode(bytearray(stream)), samples)


def test_images_coded_in_threads_at_once_do_not_disturb_each_other() -> None:
    samples = [np.random.default_rng(seed).integers(0, 4096, (5, 20, 30)) for seed in range(8)]
    parameters = Ccsds123Parameters.from_dict({"Nx": 30, "Ny": 20, "Nz": 5, "D": 12, "coder": "hybrid"})
    alone = [encode(image, parameters) for image in samples]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda image: encode(image, parameters), samples)) == alone
        for decoded, image in zip(pool.map(decode, alone), samples, strict=True):
            np.testing.assert_array_equal(decoded, image)

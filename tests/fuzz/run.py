"""Examples by their number: each has a random generator of its own, so that a failure is made again by its number."""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from tests.fuzz.law import check_sound_streams, check_stream
from tests.fuzz.package_law import check_package, hostile_package
from tests.fuzz.stream_mutations import hostile_stream

PACKAGE_EVERY = 8
"""One example in so many is a package."""


def example(number: int, folder: Path) -> Counter[str]:
    """Hold one example against the law; how it ended. folder: empty, and empty again afterwards."""
    random = np.random.default_rng([2026, number])
    if number % PACKAGE_EVERY == 0:
        return check_package(hostile_package(random))
    ends = check_stream(hostile_stream(random), folder)
    (folder / "hostile.lrwk").unlink()
    return ends


def run(first: int, n_examples: int) -> Counter[str]:
    """Hold examples against the law; how they ended. Raises AssertionError that names the first that breaks it."""
    check_sound_streams()
    ends = Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, first + n_examples):
            try:
                ends += example(number, Path(folder))
            except Exception as error:
                raise AssertionError(f"example {number}: {type(error).__name__}: {error}") from error
    return ends

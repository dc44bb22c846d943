"""Examples for the recorder by their number: what an imager, a commander, a configurer and a link may send it."""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from tests.fuzz.command_law import check_commands
from tests.fuzz.config_law import check_config
from tests.fuzz.frame_law import check_frames
from tests.fuzz.packet_law import check_packets


def example(number: int, folder: Path) -> Counter[str]:
    """Hold one example against its law; how it ended. folder: empty, and empty again afterwards."""
    random, kind = np.random.default_rng([2027, number]), number % 4
    if kind == 0:
        return check_commands(random)
    if kind == 1:
        return check_config(random, folder)
    if kind == 2:
        return check_packets(random, folder)
    return check_frames(random)


def run(first: int, n_examples: int) -> Counter[str]:
    """Hold examples against the laws; how they ended. Raises AssertionError that names the first that breaks one."""
    ends = Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, first + n_examples):
            try:
                ends += example(number, Path(folder))
            except Exception as error:
                raise AssertionError(f"example {number}: {type(error).__name__}: {error}") from error
    return ends

"""The parts of coding are those that a form has, and what a part waits for is no processor time."""

import time

import numpy as np
import pytest
from typing_extensions import override

from runtime.cell.flight_package import SHIPPED, IntegerPackage, open_package
from runtime.codec.coding_options import coding_options
from runtime.codec.opened_encoder import Loaded
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.executors import make_executor
from runtime.stream.image_description import ImageDescription
from runtime.target.part_times import CODER, HOST, NETWORK, PARTS, PREDICTOR, WAITING, ClockedExecutor, part_times

PACKAGE = open_package(SHIPPED)
LOADED = Loaded(PACKAGE, make_executor(PACKAGE))
IMAGE = ImageDescription(9, 12, 12, False)
LINES = list(np.random.default_rng(1).integers(0, 4096, (4, 9, 12)))


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ({"stage": "best"}, set(PARTS)),
        ({"stage": "none"}, set(PARTS)),
        ({"stage": "best", "max_error": 2}, set(PARTS)),
        ({"predictor": "rls"}, {PREDICTOR, CODER}),
        ({"predictor": "dpcm"}, {PREDICTOR, CODER}),
        ({"predictor": "ccsds123"}, {PREDICTOR, CODER}),
    ],
)
def test_a_form_has_its_parts(words: dict[str, str | int], parts: set[str]) -> None:
    found = part_times(LOADED, coding_options(words), IMAGE, LINES)
    assert set(found) == parts
    assert all(seconds >= 0 for seconds in found.values())
    assert found[CODER] > 0
    assert sum(found.values()) > 0


class Slow(ArrayExecutor):
    """Sleeps, as one who waits for an accelerator."""

    provider, sha256, nap = "asleep", LOADED.executor.sha256, 0.05

    @override
    def run(self, inputs: Arrays) -> Arrays:
        time.sleep(self.nap)
        return LOADED.executor.run(inputs)


def test_an_accelerator_is_waited_for() -> None:
    found = part_times(Loaded(PACKAGE, Slow()), coding_options({"stage": "none"}), IMAGE, LINES)
    n_calls = len(LINES) - 1  # the first line has no contexts
    assert found[WAITING] > 0.9 * n_calls * Slow.nap  # the thread may wake within the clock's last tick
    assert found[NETWORK] + found[HOST] + found[PREDICTOR] + found[CODER] < found[WAITING]


def test_a_clock_changes_nothing() -> None:
    assert isinstance(PACKAGE, IntegerPackage)
    shape = PACKAGE.cell.shape
    inputs: Arrays = {"line_features": np.zeros((1, 3, shape.line_layers()[0].n_in), np.int8)}
    clocked = ClockedExecutor(LOADED.executor)
    assert (clocked.provider, clocked.sha256) == (LOADED.executor.provider, LOADED.executor.sha256)
    with pytest.raises(Exception, match="levels"):  # a graph that lacks an input says so through it, too
        clocked.run(inputs)

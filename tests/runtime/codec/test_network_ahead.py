"""The network of the next line on a thread: the bytes are those without, whatever is slow, fails or changes."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from typing import Any

import numpy as np
import pytest

from runtime.cell.flight_package import FlightPackage, IntegerPackage
from runtime.codec.coding_options import CodingOptions, Unpredicted
from runtime.codec.encoder import Encoder
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import opened_encoder
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import ExecutorFailed
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.executors import make_executor
from runtime.stream.kinds import AdaptiveStage, PredictorKind
from runtime.stream.telemetry import FaultKind, SegmentTelemetry
from tests.runtime.codec.test_threads import CUBE, IMAGE, Failing, restored
from tests.runtime.defences.flipped_state import coded_with_a_flip

ALWAYS = CodingOptions(network=NetworkUse.ALWAYS, segment_lines=8)


class Slow(ArrayExecutor):
    """Any step may wait."""

    def __init__(self, executor: ArrayExecutor, schedule: random.Random) -> None:
        self.executor, self.provider, self.sha256, self.schedule = (
            executor,
            executor.provider,
            executor.sha256,
            schedule,
        )

    def run(self, inputs: Arrays) -> Arrays:
        time.sleep(self.schedule.choice([0, 0, 0, 1e-3]))
        return self.executor.run(inputs)


def encoded(
    options: CodingOptions, package: FlightPackage, executor: ArrayExecutor, told: list[SegmentTelemetry] | None = None
) -> bytes:
    """The stream of CUBE with the network a line ahead."""
    on_segment = None if told is None else told.append
    with ThreadPoolExecutor(1) as threads:
        encoder = Encoder(IMAGE, options, package, executor, on_segment, [threads])
        return b"".join([encoder.header, *map(encoder.push, CUBE), encoder.finish()])


@pytest.mark.parametrize("guard", GuardLevel)
@pytest.mark.parametrize("stage", AdaptiveStage)
def test_the_bytes_are_the_same(stage: AdaptiveStage, guard: GuardLevel, package: FlightPackage) -> None:
    """With every stage and guard, and trials of the network."""
    options = CodingOptions(stage=stage, segment_lines=8, guard=guard)
    with opened_encoder(options, IMAGE) as encoder:
        expected = b"".join([encoder.header, *map(encoder.push, CUBE), encoder.finish()])
    for seed in range(3):
        assert encoded(options, package, Slow(make_executor(package), random.Random(seed))) == expected


def test_the_threads_of_a_live_encoder(package: FlightPackage) -> None:
    """One more for a network whose next line needs nothing of how this one is coded, one more for a coder."""
    forms: list[tuple[dict[str, Any], int]] = [
        ({}, 3), ({"max_error": 2}, 2), ({"predictor": PredictorKind.RLS}, 2), ({"predictor": PredictorKind.DPCM}, 2),
        ({"predictor": PredictorKind.CCSDS123}, 2), ({"predictor": Unpredicted.PLAIN}, 1),
    ]  # fmt: skip
    for words, most in forms:
        for n_threads in (1, 2, 4):
            with opened_encoder(CodingOptions(**words), IMAGE, n_threads=n_threads) as encoder:
                assert encoder.n_threads == min(n_threads, most)


@pytest.mark.parametrize("step", range(1, 8))
def test_an_executor_that_fails_ahead_costs_no_line(step: int, package: FlightPackage) -> None:
    """The line that it was ahead of is whole, the next one opens another segment."""
    told: list[SegmentTelemetry] = []
    stream = encoded(ALWAYS, package, Failing(make_executor(package), step), told)
    assert np.array_equal(restored(stream, package, 1)[0], CUBE)
    assert [fault.kind for one in told for fault in one.faults] == [FaultKind.EXECUTOR]
    assert told[-1].header.coding.predictor is PredictorKind.CCSDS123


@pytest.mark.parametrize("field", ["contexts", "memory", "host"])
def test_what_is_ahead_is_guarded(field: str, package: FlightPackage) -> None:
    """A bit that changes in it between two lines ends the segment, and every line comes back."""
    told: list[SegmentTelemetry] = []
    options = CodingOptions(network=NetworkUse.ALWAYS, guard=GuardLevel.CHECKS)
    with ThreadPoolExecutor(1) as threads:
        encoder = Encoder(IMAGE, options, package, make_executor(package), told.append, [threads])
        stream = coded_with_a_flip(encoder, CUBE, 20, attrgetter(field))
    assert np.array_equal(restored(stream, package, 1)[0], CUBE)
    assert [(fault.line, fault.kind) for one in told for fault in one.faults] == [(20, FaultKind.STATE)]


def test_an_executor_that_is_lost_ahead_of_the_last_line_of_a_segment(package: FlightPackage) -> None:
    """What it would have made is not needed; the next segment finds out for itself."""
    assert isinstance(package, IntegerPackage)

    class Lost(Failing):
        def run(self, inputs: Arrays) -> Arrays:
            self.step -= 1
            if self.step <= 0:
                raise ExecutorFailed("it is gone")
            return self.executor.run(inputs)

    told: list[SegmentTelemetry] = []
    stream = encoded(ALWAYS, package, Lost(make_executor(package), 8), told)
    assert np.array_equal(restored(stream, package, 1)[0], CUBE)
    assert [one.header.n_lines for one in told[:3]] == [8, 1, 8]

"""The coder of a line on a thread beside the prediction of the next: the same bytes, whatever is slow or fails."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from hil_tests.fault_programs.bit_flips import flip_bit
from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import opened_encoder
from runtime.coders.residual_coders import ResidualWriter
from runtime.defences.segment_guard import GuardLevel
from runtime.executors.executors import make_executor
from runtime.kernels.marks import Marks
from runtime.segments.ccsds123_segment import Ccsds123Writer
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind
from runtime.stream.special_values import Special
from runtime.stream.telemetry import FaultKind, SegmentTelemetry
from tests.runtime.codec.test_threads import CUBE, FORMS, IMAGE, Cube, Failing, restored

FAST = CodingOptions(predictor=PredictorKind.RLS, stage=AdaptiveStage.FAST, segment_lines=8)
LINES = CUBE[:40]
CODERS = ((ResidualWriter, "push"), (Ccsds123Writer, "code"))
WITH_VOIDS = ImageDescription(8, 32, 12, is_signed=False, specials=(Special(0),))


def encoded(options: CodingOptions, n_threads: int, image: ImageDescription = IMAGE, lines: Cube = LINES) -> bytes:
    """The stream of some lines, as they come."""
    with opened_encoder(options, image, n_threads=n_threads) as encoder:
        return b"".join([encoder.header, *map(encoder.push, lines), encoder.finish()])


def before_each_line(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something where a line is coded, before it is."""

    def acting(code: Callable[..., None]) -> Callable[..., None]:
        def acted(*of_line: Any) -> None:
            act()
            code(*of_line)

        return acted

    for owner, name in CODERS:
        monkeypatch.setattr(owner, name, acting(getattr(owner, name)))


def slow_coder(monkeypatch: pytest.MonkeyPatch, schedule: random.Random) -> None:
    """Let any line wait in the coder."""
    before_each_line(monkeypatch, lambda: time.sleep(schedule.choice([0, 0, 0, 2e-3])))


def thread_names(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Filled with the names of the threads that code."""
    names: set[str] = set()
    before_each_line(monkeypatch, lambda: names.add(threading.current_thread().name))
    return names


@pytest.mark.parametrize("guard", [GuardLevel.OFF, GuardLevel.CHECKS])
@pytest.mark.parametrize("max_error", [0, 3])
@pytest.mark.parametrize("form", FORMS)
def test_the_bytes_are_the_same(form: str, max_error: int, guard: GuardLevel, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every form, lossless and in the loop, with a guard and without."""
    options = CodingOptions(**FORMS[form], max_error=max_error, segment_lines=8, guard=guard)
    expected = encoded(options, 1)
    slow_coder(monkeypatch, random.Random(form))
    assert encoded(options, 2) == expected
    assert encoded(options, 3) == expected


@pytest.mark.parametrize(
    ("form", "n_threads", "coder"),
    [("flight, best", 2, "MainThread"), ("flight, best", 3, "linerwkv-1"), ("rls, best", 2, "linerwkv-0"),
     ("dpcm", 2, "linerwkv-0"), ("ccsds123", 2, "linerwkv-0"), ("ccsds123", 1, "MainThread")],
)  # fmt: skip
def test_the_coder_has_the_thread_that_is_left(
    form: str, n_threads: int, coder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = thread_names(monkeypatch)
    encoded(CodingOptions(**FORMS[form], segment_lines=8, network=NetworkUse.ALWAYS), n_threads)
    assert {name.partition("_")[0] for name in names} == {coder}


def test_marked_samples_reach_the_coder_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the next line has other marks."""
    lines = LINES * (np.random.default_rng(2).random(LINES.shape) > 0.1)
    expected = encoded(FAST, 1, WITH_VOIDS, lines)
    slow_coder(monkeypatch, random.Random(1))
    assert encoded(FAST, 2, WITH_VOIDS, lines) == expected


@pytest.mark.parametrize("step", range(1, 8))
def test_an_executor_that_fails_while_a_line_is_coded_costs_no_line(step: int, package: FlightPackage) -> None:
    told: list[SegmentTelemetry] = []
    options = CodingOptions(network=NetworkUse.ALWAYS, segment_lines=8)
    with ThreadPoolExecutor(1) as network, ThreadPoolExecutor(1) as coder:
        executor = Failing(make_executor(package), step)
        encoder = Encoder(IMAGE, options, package, executor, told.append, [network, coder])
        stream = b"".join([encoder.header, *map(encoder.push, LINES), encoder.finish()])
    assert np.array_equal(restored(stream, package, 1)[0], LINES)
    assert [fault.kind for one in told for fault in one.faults] == [FaultKind.EXECUTOR]


def test_a_coder_that_fails_is_heard_of_at_the_next_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """And never again left out: the segment cannot be closed without its line."""
    push, pushed = ResidualWriter.push, []

    def failing(self: ResidualWriter, mapped: Any, marks: Marks | None = None) -> None:
        pushed.append(mapped)
        if len(pushed) == 3:
            raise MemoryError
        push(self, mapped, marks)

    with opened_encoder(FAST, IMAGE, n_threads=2) as encoder:
        monkeypatch.setattr(ResidualWriter, "push", failing)
        for line in LINES[:3]:
            encoder.push(line)
        with pytest.raises(MemoryError):
            encoder.push(LINES[3])
        for _ in range(2):
            with pytest.raises(MemoryError):
                encoder.finish()


def test_what_is_coded_beside_is_guarded(package: FlightPackage) -> None:
    """A bit that changes in it between two lines, after the coder has its line, ends the segment; all lines come."""
    told: list[SegmentTelemetry] = []
    options = CodingOptions(predictor=PredictorKind.RLS, guard=GuardLevel.CHECKS)
    with ThreadPoolExecutor(1) as coder:
        encoder = Encoder(IMAGE, options, None, None, told.append, [coder])
        stream = encoder.header
        for y, line in enumerate(LINES):
            if y == 20:
                assert encoder.segments.segment is not None
                flip_bit(encoder.segments.segment.writer.written, np.random.default_rng(0))
            stream += encoder.push(line)
        stream += encoder.finish()
    assert np.array_equal(restored(stream, package, 1)[0], LINES)
    assert [(fault.line, fault.kind) for one in told for fault in one.faults] == [(20, FaultKind.CODED)]

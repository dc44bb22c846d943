"""Whatever an executor does and wherever a bit flips, every accepted line comes back, and telemetry says why."""

import time
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hil_tests.fault_programs.bit_flips import flip_bit, held_arrays
from hil_tests.fault_programs.fault_trial import TrialFault, largest_error, trial
from hil_tests.fault_programs.faulty_executor import FaultyExecutor
from runtime.cell.flight_package import SHIPPED, FloatPackage, IntegerPackage, open_integer_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.defences.checksum import checksum
from runtime.defences.encoding_executor import encoding_executor
from runtime.defences.segment_guard import GuardLevel
from runtime.defences.supervised_executor import SupervisedExecutor
from runtime.errors import BadArgument, Corrupt, ExecutorFailed
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.executors import isolated_executor, make_executor
from runtime.executors.self_test import first_difference
from runtime.stream.kinds import PredictorKind
from runtime.stream.telemetry import FaultKind, SegmentTelemetry
from tests.runtime.defences.flipped_state import coded_with_a_flip
from tests.runtime.defences.guarded_scene import (
    ALWAYS,
    DEPTH,
    ERRORS,
    GUARDED,
    IMAGE,
    LINES,
    N_BANDS,
    N_LINES,
    SEGMENTS,
    WITHOUT_NETWORK,
    encode,
    scene,
)  # fmt: skip

SELF_TEST_STEPS = 27  # nine recorded lines, whole and in two groups; a narrow line is one step


def is_by_network(segment: SegmentTelemetry) -> bool:
    return segment.header.coding.predictor is PredictorKind.LINERWKV


def kinds(found: dict[str, Any]) -> set[str]:
    return {error["kind"] for segment in found["segments"] for error in segment["errors"]}


@settings(max_examples=40, deadline=None)
@given(step=st.integers(0, N_LINES), segment_lines=SEGMENTS, max_error=ERRORS, is_noise=st.booleans())
def test_an_answer_of_the_wrong_form_in_any_step_ends_the_segment_before_its_line(
    step: int, segment_lines: int, max_error: int, is_noise: bool
) -> None:
    package = open_integer_package(SHIPPED)
    executor = FaultyExecutor(make_executor(package), "malformed", step)
    cube = scene(step, is_noise=is_noise)
    data, telemetry = encode(package, cube, executor, segment_lines=segment_lines, max_error=max_error)
    error = largest_error(data, package, cube)
    assert error is not None and error <= max_error
    faults = [fault for segment in telemetry for fault in segment.faults]
    asked = [y for y in range(N_LINES) if y % segment_lines]  # the first line of a segment needs no cell
    failed = asked[step] if step < len(asked) else None
    assert [fault.line for fault in faults] == [failed] * (failed is not None)
    by_network = [segment.header for segment in telemetry if is_by_network(segment)]
    assert all(header.first_line + header.n_lines <= (N_LINES if failed is None else failed) for header in by_network)
    assert failed is None or any(segment.header.coding.predictor is PredictorKind.CCSDS123 for segment in telemetry)


@settings(max_examples=3, deadline=None)
@given(fault=st.sampled_from([TrialFault.HANG, TrialFault.DIE]), line=LINES, segment_lines=SEGMENTS, max_error=ERRORS)
def test_a_worker_stopped_or_killed_before_any_line(
    fault: TrialFault, line: int, segment_lines: int, max_error: int
) -> None:
    options = CodingOptions(network=ALWAYS, segment_lines=segment_lines, max_error=max_error, line_deadline=4.0)
    found = trial(options, scene(line), {line: fault}, np.random.default_rng(0), DEPTH)
    assert found["is_restored"]
    errors = [error for segment in found["segments"] for error in segment["errors"]]
    first_asked = next((y for y in range(line, N_LINES) if y % segment_lines), None)  # by whom the cell is needed next
    assert [(error["line"], error["kind"]) for error in errors] == [(first_asked, "executor")] * (
        first_asked is not None
    )


@pytest.mark.parametrize(
    ("fault", "text"),
    [("hang", "gave no answer within"), ("die", "ended"), ("garbage", "does not speak the protocol|ended")],
)
def test_a_worker_that_fails_within_a_line_is_replaced_and_trusted_again(
    fault: str, text: str, int8: IntegerPackage
) -> None:
    def bad_first(package: IntegerPackage) -> Any:
        return isolated_executor(package, f"hil_tests.fault_programs.faulty_executor:{fault}_{SELF_TEST_STEPS + 3}")

    cube, telemetry = scene(1), list[SegmentTelemetry]()
    with SupervisedExecutor(int8, bad_first(int8), make=isolated_executor, line_deadline_s=4.0) as executor:
        encoder = Encoder(IMAGE, CodingOptions(network=ALWAYS, segment_lines=6), int8, executor, telemetry.append)
        data = encoder.header
        for line in cube:
            data += encoder.push(line)
            if executor.thread is not None:
                assert executor.current is None
                executor.thread.join()
        data += encoder.finish()
        assert executor.is_ready()
    assert largest_error(data, int8, cube) == 0
    # one line of the segment needs no cell, three are finished, the fifth fails
    spans = [(found.header.first_line, found.header.n_lines, found.header.coding.predictor.name) for found in telemetry]
    assert spans == [(0, 4, "LINERWKV"), (4, 6, "CCSDS123"), (10, 2, "LINERWKV")]
    (error,) = telemetry[0].faults
    assert (error.line, error.kind) == (4, FaultKind.EXECUTOR)
    assert any(part in error.text for part in text.split("|"))
    assert [found.n_fallbacks for found in telemetry] == [0, 1, 1]


def test_what_the_host_does_within_a_line_is_not_held_against_the_executor(int8: IntegerPackage) -> None:
    deadline_s = 2.0  # a compilation in the first line takes longer
    with SupervisedExecutor(int8, isolated_executor(int8), line_deadline_s=deadline_s) as executor:
        executor.begin_line()
        time.sleep(1.1 * deadline_s)
        assert first_difference(int8, executor, N_BANDS) is None
        executor.begin_line()
        executor.seconds_left = 0.0
        with pytest.raises(ExecutorFailed, match="gave no answer within 0 s"):
            first_difference(int8, executor, N_BANDS)


def test_restarts_are_bounded_and_the_rest_is_coded_without_the_network(int8: IntegerPackage) -> None:
    made = []

    def never(package: IntegerPackage) -> Any:
        made.append(package)
        raise ExecutorFailed("no device")

    cube, telemetry = scene(2), list[SegmentTelemetry]()
    bad = FaultyExecutor(make_executor(int8), "malformed")
    with SupervisedExecutor(int8, bad, make=never, n_restarts=2) as executor:
        encoder = Encoder(IMAGE, CodingOptions(network=ALWAYS, segment_lines=2), int8, executor, telemetry.append)
        data = encoder.header
        for line in cube:
            data += encoder.push(line)
            if executor.thread is not None:
                executor.thread.join()
        data += encoder.finish()
    assert largest_error(data, int8, cube) == 0
    assert len(made) == 2
    assert [fault.kind for found in telemetry for fault in found.faults] == ["executor", "restart", "restart"]
    assert telemetry[-1].n_fallbacks == len(telemetry) - 1


def test_a_package_that_changed_on_disk_is_not_taken(int8: IntegerPackage, tmp_path: Path) -> None:
    for name, data in int8.parts.items():
        (tmp_path / name).write_bytes(data)
    package = open_integer_package(tmp_path)
    with encoding_executor(package, "onnxruntime", None) as executor:
        assert isinstance(executor, SupervisedExecutor)
        (tmp_path / "weights.bin").write_bytes(bytes(len(int8.parts["weights.bin"])))
        executor.fail()
        assert executor.thread is not None
        executor.thread.join()
        executor.n_restarts_left = 0
        assert not executor.is_ready()
        assert "weights.bin has sha256" in executor.take_restart_errors()[0]


@settings(max_examples=30, deadline=None)
@example(line=6, segment_lines=1, max_error=0, seed=0, guard=GuardLevel.CHECKS, fault=TrialFault.PACKAGE)
@example(line=1, segment_lines=1, max_error=0, seed=214, guard=GuardLevel.CHECKS, fault=TrialFault.PACKAGE)
@given(
    line=st.integers(1, N_LINES - 1), segment_lines=SEGMENTS, max_error=ERRORS, seed=st.integers(0, 1 << 32),
    guard=st.sampled_from(GUARDED), fault=st.sampled_from([TrialFault.STATE, TrialFault.CODED, TrialFault.PACKAGE]),
)  # fmt: skip
def test_a_flipped_bit_is_found_named_and_costs_no_line(
    line: int, segment_lines: int, max_error: int, seed: int, guard: GuardLevel, fault: TrialFault
) -> None:
    options = CodingOptions(network=ALWAYS, guard=guard, segment_lines=segment_lines, max_error=max_error)
    found = trial(options, scene(line), {line: fault}, np.random.default_rng(seed), DEPTH)
    assert found["is_restored"]
    is_between_segments = line % segment_lines == 0 and fault is not TrialFault.PACKAGE
    assert kinds(found) == (set() if is_between_segments else {fault.value})
    in_backups = [segment for segment in found["segments"] if segment["predictor"] == "ccsds123"]
    assert bool(in_backups) or fault is TrialFault.STATE or is_between_segments


def test_a_bit_that_flips_in_the_spectral_part_is_found_and_costs_no_line(int8: IntegerPackage) -> None:
    cube, telemetry = scene(3), list[SegmentTelemetry]()
    options = CodingOptions(network=ALWAYS, guard=GuardLevel.CHECKS, segment_lines=8)
    encoder = Encoder(IMAGE, options, int8, make_executor(int8), telemetry.append)
    data = coded_with_a_flip(encoder, cube, 4, attrgetter("part.decoder"))
    assert largest_error(data, int8, cube) == 0
    assert [fault.kind for found in telemetry for fault in found.faults] == [FaultKind.STATE]


def test_wrong_numbers_that_stay_are_found_by_the_self_test() -> None:
    options = CodingOptions(network=ALWAYS, guard=GuardLevel.CHECKS, segment_lines=4)
    found = trial(options, scene(4), {5: TrialFault.WRONG}, np.random.default_rng(0), DEPTH)
    assert found["is_restored"]
    assert kinds(found) == {"self-test"}


@pytest.mark.parametrize("max_error", [0, 2])
@pytest.mark.parametrize("guard", GUARDED)
@pytest.mark.parametrize("predictor", WITHOUT_NETWORK)
def test_a_guard_needs_no_network_and_changes_no_bit(
    predictor: PredictorKind, guard: GuardLevel, max_error: int
) -> None:
    cube = scene(5)
    options: dict[str, Any] = {"predictor": predictor, "segment_lines": 5, "max_error": max_error}
    data, telemetry = encode(None, cube, guard=guard, **options)
    assert data == encode(None, cube, **options)[0]
    assert not any(found.faults or found.n_fallbacks for found in telemetry)


@pytest.mark.parametrize("what", ["backup", "both"])
def test_a_damaged_backup_is_told_and_a_segment_is_lost_only_with_it(what: str, int8: IntegerPackage) -> None:
    cube, telemetry = scene(6), list[SegmentTelemetry]()
    options = CodingOptions(network=ALWAYS, guard=GuardLevel.CHECKS)
    encoder = Encoder(IMAGE, options, int8, make_executor(int8), telemetry.append)
    data = encoder.header + b"".join(encoder.push(line) for line in cube[:4])
    segment = encoder.segments.segment
    assert segment is not None and segment.guard is not None and segment.guard.backup is not None
    flip_bit(segment.guard.backup.state, np.random.default_rng(0))
    if what == "both":
        flip_bit(segment.writer.written, np.random.default_rng(0))
        with pytest.raises(Corrupt, match=r"lines 0\.\.3 are lost"):
            encoder.push(cube[4])
        return
    data += b"".join(encoder.push(line) for line in cube[4:]) + encoder.finish()
    assert largest_error(data, int8, cube) == 0
    assert [fault.kind for fault in telemetry[0].faults] == [FaultKind.BACKUP]


def test_a_float_package_that_fails_is_followed_by_ccsds123(float_package: FloatPackage) -> None:
    class Failing(ArrayExecutor):
        provider, sha256 = "none", float_package.sha256.hex()

        def run(self, inputs: Arrays) -> Arrays:
            raise Corrupt("the step does not run")

    cube, telemetry = scene(7), list[SegmentTelemetry]()
    encoder = Encoder(IMAGE, CodingOptions(network=ALWAYS, segment_lines=5), float_package, Failing(), telemetry.append)
    for line in cube[:11]:
        encoder.push(line)
    encoder.finish()
    spans = [(found.header.n_lines, found.header.coding.predictor.name) for found in telemetry]
    assert spans == [(1, "LINERWKV"), (5, "CCSDS123"), (5, "CCSDS123")]
    with pytest.raises(BadArgument, match="int8 packages"), encoding_executor(float_package, "onnxruntime", 1.0):
        pass


@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=50, deadline=None)
def test_the_checksum_sees_every_bit_of_every_array(seed: int) -> None:
    values = {"a": np.arange(7.0), "b": (np.zeros((2, 3), np.int16), None, 3), "c": bytes(range(9))}
    before = checksum(values)
    assert before == checksum(dict(values))
    flip_bit(values["a"], np.random.default_rng(seed))
    assert checksum(values) != before
    assert len(list(held_arrays(values))) == 3

"""What only a decoder beside the encoder finds: wrong numbers that pass, lines that come back otherwise."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil_tests.fault_programs.fault_trial import largest_error
from hil_tests.fault_programs.faulty_executor import FaultyExecutor
from runtime.cell.flight_package import SHIPPED, IntegerPackage, open_integer_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import Corrupt
from runtime.executors.executors import make_executor
from runtime.kernels.marks import Marks
from runtime.segments.segment_codec import Samples, SegmentWriter
from runtime.stream.kinds import Coder, PredictorKind
from runtime.stream.telemetry import FaultKind, SegmentTelemetry
from tests.runtime.defences.guarded_scene import (
    ERRORS,
    GUARDED,
    IMAGE,
    N_LINES,
    SEGMENTS,
    WITHOUT_NETWORK,
    encode,
    scene,
)


class WrongForAWhile(FaultyExecutor):
    """Wrong in some steps, and right again when it is tested."""

    def __init__(self, package: IntegerPackage, steps: range) -> None:
        super().__init__(make_executor(package), "wrong", steps.start)
        self.steps = steps

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        if self.n_steps >= self.steps.stop:
            self.first = 1 << 30
        return super().run(inputs)


@settings(max_examples=15, deadline=None)
@given(first=st.integers(0, N_LINES), length=st.integers(1, 4), segment_lines=SEGMENTS, max_error=ERRORS)
def test_no_wrong_number_is_sent_under_proof(first: int, length: int, segment_lines: int, max_error: int) -> None:
    package = open_integer_package(SHIPPED)
    cube, executor = scene(first), WrongForAWhile(package, range(first, first + length))
    options = {"segment_lines": segment_lines, "max_error": max_error, "guard": GuardLevel.PROOF}
    error = largest_error(encode(package, cube, executor, **options)[0], package, cube)
    assert error is not None and error <= max_error


@pytest.mark.parametrize("guard", GUARDED)
def test_only_proof_finds_wrong_numbers_that_pass(guard: GuardLevel, int8: IntegerPackage) -> None:
    cube = scene(8)
    data, telemetry = encode(int8, cube, WrongForAWhile(int8, range(4, 9)), guard=guard)
    found = [fault.kind for segment in telemetry for fault in segment.faults]
    if guard is GuardLevel.PROOF:
        assert found == [FaultKind.DECODING]
        assert largest_error(data, int8, cube) == 0
    else:
        assert found == []
        with pytest.raises(Corrupt):
            largest_error(data, int8, cube)


class Miscoding(SegmentWriter):
    """Another writer as a broken kernel makes it: one sample of its line 3 is coded as another one."""

    def __init__(self, writer: SegmentWriter, *, is_honest: bool) -> None:
        """`is_honest`: it says which sample a decoder will restore."""
        self.writer, self.is_honest = writer, is_honest
        self.residual_sums = writer.residual_sums
        self.state, self.written = writer.state, writer.written
        self.n_lines = 0

    def push(self, line: Samples, marks: Marks | None = None) -> Samples:
        changed = line.copy()
        if self.n_lines == 3:
            changed[1, 2] ^= 64
        self.n_lines += 1
        restored = self.writer.push(changed, marks).copy()
        self.state, self.written = self.writer.state, self.writer.written
        if not self.is_honest:
            restored[1, 2] += line[1, 2] - changed[1, 2]
        return restored

    def coded(self) -> tuple[Coder, bytes | memoryview]:
        return self.writer.coded()


def miscoded(predictor: PredictorKind, *, is_honest: bool, **options: Any) -> tuple[bytes, list[SegmentTelemetry]]:
    """Lines of `scene(9)`; the first segment is miscoded, the others are not."""
    telemetry: list[SegmentTelemetry] = []
    encoder = Encoder(IMAGE, CodingOptions(predictor, segment_lines=5, **options), on_segment=telemetry.append)
    sound = encoder.segments.codec.writer
    writers = iter([Miscoding(sound(), is_honest=is_honest)])
    encoder.segments.codec.writer = lambda: next(writers, None) or sound()  # type: ignore[method-assign]
    return b"".join([encoder.header, *(encoder.push(line) for line in scene(9)), encoder.finish()]), telemetry


@pytest.mark.parametrize("max_error", [0, 2])
@pytest.mark.parametrize("predictor", WITHOUT_NETWORK)
def test_proof_proves_what_any_predictor_restores(
    predictor: PredictorKind, max_error: int, int8: IntegerPackage
) -> None:
    data, telemetry = miscoded(predictor, is_honest=False, guard=GuardLevel.PROOF, max_error=max_error)
    spans = [(found.header.first_line, found.header.n_lines, found.header.coding.predictor) for found in telemetry]
    assert spans == [(0, 5, PredictorKind.CCSDS123), (5, 5, predictor), (10, 2, predictor)]
    assert [(fault.line, fault.kind) for found in telemetry for fault in found.faults] == [(5, FaultKind.DECODING)]
    assert "checksum" in telemetry[0].faults[0].text
    error = largest_error(data, int8, scene(9))
    assert error is not None and error <= max_error
    unproven, told = miscoded(predictor, is_honest=False, guard=GuardLevel.CHECKS, max_error=max_error)
    assert not any(found.faults for found in told)
    with pytest.raises(Corrupt, match="segment at line 0: its samples do not have the checksum"):
        largest_error(unproven, int8, scene(9))


@pytest.mark.parametrize("max_error", [0, 2])
@pytest.mark.parametrize("guard", GUARDED)
@pytest.mark.parametrize("predictor", WITHOUT_NETWORK)
def test_a_line_restored_further_off_than_allowed_makes_its_segment_unsound(
    predictor: PredictorKind, guard: GuardLevel, max_error: int, int8: IntegerPackage
) -> None:
    data, telemetry = miscoded(predictor, is_honest=True, guard=guard, max_error=max_error)
    spans = [(found.header.first_line, found.header.n_lines, found.header.coding.predictor) for found in telemetry]
    assert spans == [(0, 4, PredictorKind.CCSDS123), (4, 5, predictor), (9, 3, predictor)]
    assert [(fault.line, fault.kind) for found in telemetry for fault in found.faults] == [(4, FaultKind.CODED)]
    error = largest_error(data, int8, scene(9))
    assert error is not None and error <= max_error

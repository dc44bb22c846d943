"""Lines that are coded twice: both ways see the same lines, and the stream is what it would be without."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.cell.flight_package import IntegerPackage, package_of_parts
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compared_forms import Compared, ComparedForms, n_bytes
from runtime.codec.decoder import Decoder
from runtime.codec.forms_encoder import Form, FormsEncoder, loaded_forms
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import executor_of
from runtime.codec.replaced_package import Replacement, replaced_package
from runtime.codec.segment_encoder import CodedSegment
from runtime.codec.stream_reader import StreamReader
from runtime.errors import Corrupt
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.executors import make_executor
from runtime.stream.coded_line import Codes
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind
from runtime.stream.line_records import LARGEST_RECORD_BYTES
from runtime.stream.telemetry import FaultKind
from tests.runtime.cell.package_parts import manifest_of, sealed, shipped_parts

LENGTH, ERRORS = 3, [0, 2]
IMAGE = ImageDescription(8, 6, 10, is_signed=False)
LINES = np.random.default_rng(1).integers(0, 1 << 10, (12, 8, 6))
OPTIONS = CodingOptions(stage=AdaptiveStage.NONE, segment_lines=LENGTH)
DPCM = CodingOptions(PredictorKind.DPCM, segment_lines=LENGTH)
FORMS = [Form("one", OPTIONS), Form("two", OPTIONS), Form("dpcm", DPCM)]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["line", "line", "line", "skip", "use", "damage"]), st.integers(0, 2), st.sampled_from(ERRORS)
    ),
    max_size=12,
)  # fmt: skip
RECORDS = [b"", b"record", bytes(LARGEST_RECORD_BYTES)]


@pytest.fixture(scope="module")
def twin() -> IntegerPackage:
    """The shipped network under another name: another package that codes lines alike."""
    parts = shipped_parts()
    package = package_of_parts(Path("twin"), sealed(parts, {**manifest_of(parts), "name": "twin"}))
    assert isinstance(package, IntegerPackage)
    return package


@pytest.fixture(scope="module")
def replacement(twin: IntegerPackage) -> Iterator[Replacement]:
    """Of the first form, whose package the second has, too."""
    with loaded_forms(IMAGE, FORMS, ERRORS, 3) as loaded, executor_of(OPTIONS, twin) as executor:
        assert executor is not None
        yield replaced_package(IMAGE, loaded, 0, ERRORS, OPTIONS, twin, executor)


def made_executor(executor: ArrayExecutor | None) -> ArrayExecutor:
    assert executor is not None
    return executor


def coded(encoder: FormsEncoder, steps: list[tuple[str, int, int]]) -> bytes:
    """A stream of lines, gaps, changes of the form, and segments that end since memory has changed."""
    data, n_pushed = encoder.header, 0
    for step, number, max_error in [*steps, ("use", 0, 0), ("line", 0, 0)]:
        if step == "line":
            data += encoder.push(LINES[n_pushed % len(LINES)], RECORDS[number])
            n_pushed += 1
        elif step == "damage":
            if encoder.segments.segment is not None:
                encoder.segments.segment.damage = lambda: [FaultKind.STATE]  # type: ignore[method-assign]
        else:
            data += encoder.skip(number + 1) if step == "skip" else encoder.use(number, max_error)
    return data + encoder.finish()


@given(STEPS)
def test_equal_networks_need_equal_bytes_for_the_same_lines(
    replacement: Replacement, steps: list[tuple[str, int, int]]
) -> None:
    counted: list[tuple[int, int]] = []

    def on_compared(segments: list[CodedSegment], n_other: int) -> None:
        counted.append((n_bytes(segments), n_other))

    compared = Compared(0, replacement.old, on_compared)
    data = coded(ComparedForms(IMAGE, replacement.on_trial, 0, 0, None, compared), steps)
    assert counted and all(new == old for new, old in counted)
    assert data == coded(FormsEncoder(IMAGE, replacement.on_trial, 0, 0), steps)
    reader = StreamReader(io.BytesIO(data))
    n_of_first = sum(one.header.coding.package_index == 1 for one in reader.segments())
    assert n_of_first == len(counted)


@settings(max_examples=25)
@given(STEPS)
def test_each_way_decodes_by_the_packages_that_it_names(
    replacement: Replacement, twin: IntegerPackage, steps: list[tuple[str, int, int]]
) -> None:
    packages = replacement.on_trial.packages
    assert replacement.before.rows[:2] == (0, 0) and replacement.after.rows[:2] == (1, 0) and packages[1] is twin
    executors = {one.sha256: made_executor(of.executors[0]) for one, of in zip(packages, replacement[:2], strict=True)}
    for loaded in (replacement.before, replacement.after):
        reader = StreamReader(io.BytesIO(coded(FormsEncoder(IMAGE, loaded, 0, 0), steps)))
        segments = list(reader.segments())
        decoder, n_lines = Decoder(reader.header, packages, lambda package: executors[package.sha256]), 0
        assert [one.sha256 for one in reader.header.packages] == [one.sha256 for one in loaded.packages]
        for header, payload in segments:
            for line in decoder.lines(header, payload):
                assert np.abs(line - LINES[n_lines % len(LINES)]).max() <= header.coding.max_error
                n_lines += 1


def test_a_package_of_one_form_takes_its_row(twin: IntegerPackage) -> None:
    with loaded_forms(IMAGE, FORMS[1:], [0]) as loaded, executor_of(OPTIONS, twin) as executor:
        assert executor is not None
        found = replaced_package(IMAGE, loaded, 0, [0], OPTIONS, twin, executor)
        assert found.after.packages == (twin,) and found.after.rows == found.before.rows
        assert found.after.encoders[1, 0] is loaded.encoders[1, 0]


def test_where_the_other_way_fails_the_lines_go_on(replacement: Replacement, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[int, int]] = []

    def on_compared(segments: list[CodedSegment], n_other: int) -> None:
        counted.append((n_bytes(segments), n_other))

    old = replacement.old[0]
    push = old.push

    def fails_at_4(codes: Codes, record: bytes = b"") -> list[CodedSegment]:
        if old.n_lines == 4:
            raise Corrupt("its segment and its backup")
        return push(codes, record)

    monkeypatch.setattr(old, "push", fails_at_4)
    compared = Compared(0, replacement.old, on_compared)
    steps = [("line", 0, 0)] * 11
    data = coded(ComparedForms(IMAGE, replacement.on_trial, 0, 0, None, compared), steps)
    assert data == coded(FormsEncoder(IMAGE, replacement.on_trial, 0, 0), steps)
    assert len(counted) == 5 and all(new == old for new, old in counted)


class Waiting(ArrayExecutor):
    """An executor whose step waits until it is let go."""

    def __init__(self, executor: ArrayExecutor) -> None:
        self.executor, self.provider, self.sha256 = executor, executor.provider, executor.sha256
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()

    def run(self, inputs: Arrays) -> Arrays:
        self.has_begun.set()
        assert self.may_go_on.wait(60)
        return self.executor.run(inputs)


def test_lines_do_not_wait_while_another_package_is_tried(twin: IntegerPackage) -> None:
    """Though both have the network and the coder on threads."""
    options = CodingOptions(network=NetworkUse.ALWAYS, segment_lines=LENGTH)
    candidate = Waiting(make_executor(twin))
    with loaded_forms(IMAGE, [Form("one", options)], [0], 3) as loaded:
        words = (IMAGE, loaded, 0, [0], options, twin, candidate)
        trying = threading.Thread(target=replaced_package, args=words)
        trying.start()
        assert candidate.has_begun.wait(60)
        pushing = threading.Thread(target=coded, args=(FormsEncoder(IMAGE, loaded, 0, 0), [("line", 0, 0)] * 5))
        pushing.start()
        pushing.join(30)
        is_done = not pushing.is_alive()
        candidate.may_go_on.set()
        trying.join()
        pushing.join()
    assert is_done

"""Packages that are refused, and executors that fail: lines go on by the package that runs."""

from pathlib import Path

import numpy as np
import pytest
from typing_extensions import override

from hil_tests.fault_programs.faulty_executor import FaultyExecutor
from runtime.cell.flight_package import SHIPPED_FLOAT, open_integer_package
from runtime.cell.package_store import zipped
from runtime.cell.signing import write_keys
from runtime.errors import BadArgument
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.cell_executor import OnnxRuntimeCell
from runtime.target.package_slots import PackageSlots
from runtime.target.telecommands import PackageCommand
from tests.runtime.cell.package_parts import shipped_parts
from tests.runtime.target.package_flights import (
    NET,
    RLS,
    SEGMENT_LINES,
    Flight,
    Ground,
    all_lines,
    flight,
    slot_state,
    streams,
    text_of,
)  # fmt: skip


def refused(recorder: Flight, path: Path, found: str, form: str = NET) -> None:
    with pytest.raises(BadArgument, match=found) as error:
        recorder.recorder.do("package", PackageCommand(form=form, file=str(path)))
    assert "\n" not in str(error.value)


def test_what_is_not_trusted_or_no_package_is_refused_and_lines_go_on(ground: Ground, tmp_path: Path) -> None:
    unsigned, good = ground.package("unsigned", shipped_parts(), key=None), ground.good()
    write_keys(ground.folder / "other", "stranger")
    strange = ground.package("strange", shipped_parts(), key="other")
    whole = zipped(good.source)
    torn, flipped, text = tmp_path / "torn.zip", tmp_path / "flipped.zip", tmp_path / "text.zip"
    torn.write_bytes(whole[: len(whole) // 2])
    flipped.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    text.write_text("no package")
    floats = ground.package("floats", shipped_parts(SHIPPED_FLOAT))
    with flight(text_of(tmp_path, ground.trust, "flight")) as recorder:
        recorder.send(4)
        for path, found in (
            (unsigned.source, "is not signed, allowed a signature by operations"),
            (strange.source, "is signed by the key"), (torn, "neither a folder nor a sound zip"),
            (flipped, "sound zip|sha256|signature"), (text, "sound zip"),
            (tmp_path / "nothing", "not found"), (floats.source, "arithmetic float32, allowed int8-v2"),
        ):  # fmt: skip
            refused(recorder, path, found)
        refused(recorder, good.source, f"key form: found 'x', allowed {NET}", form="x")
        refused(recorder, good.source, f"key form: found '{RLS}', allowed {NET}", form=RLS)
        recorder.send(10)
        assert recorder.states == [] and not (tmp_path / "slots").exists()
    found_streams = streams(tmp_path)
    assert len(found_streams) == 1 and np.array_equal(all_lines(found_streams), recorder.sent)


def test_without_a_table_there_are_no_updates(ground: Ground, tmp_path: Path) -> None:
    text = text_of(tmp_path, ground.trust, "flight")
    without = text[: text.index("[packages]")] + text[text.index("[[forms]]") :]
    with flight(without) as recorder:
        refused(recorder, ground.good().source, "the configuration has no table packages")
        recorder.send(3)


def test_a_disk_that_takes_no_package_is_told_and_lines_go_on(ground: Ground, tmp_path: Path) -> None:
    with flight(text_of(tmp_path, ground.trust, "flight")) as recorder:
        (tmp_path / "slots").write_text("a file in the place of the folder")
        recorder.command(ground.good().source)
        assert recorder.states == ["refused"] and "cannot be written" in recorder.last["why"]
        (tmp_path / "slots").unlink()
        recorder.command(ground.good("other").source)
        (PackageSlots(tmp_path / "slots", NET).folder / "state.json").mkdir()
        recorder.send(8)
        assert recorder.states == ["refused", "verified", "refused"] and "Is a directory" in recorder.last["why"]
    assert np.array_equal(all_lines(streams(tmp_path)), recorder.sent)


class FailingInSlots(ArrayExecutor):
    """Fails, or gives wrong recorded lines, in a slot alone, once the test says so."""

    fault: str | None = None

    def __init__(self, executor: ArrayExecutor) -> None:
        self.executor, self.provider, self.sha256 = executor, executor.provider, executor.sha256

    @override
    def run(self, inputs: Arrays) -> Arrays:
        executor = self.executor if self.fault is None else FaultyExecutor(self.executor, self.fault)
        return executor.run(inputs)


def failing_in_slots(source: Path) -> ArrayExecutor:
    """An executor, named by its place in a configuration."""
    cell = OnnxRuntimeCell(open_integer_package(source))
    return FailingInSlots(cell) if "slots" in source.parts else cell


BY_PLACE = f'stage = "none"\nexecutor = "{__name__}:failing_in_slots"'


@pytest.mark.parametrize("after", [0, 1, SEGMENT_LINES, SEGMENT_LINES + 1])
def test_an_executor_that_fails_on_trial_ends_it(
    after: int, ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = ground.good()
    with flight(text_of(tmp_path, ground.trust, "flight", BY_PLACE)) as recorder:
        recorder.send(2)
        recorder.command(new.source)
        recorder.send(1 + after)
        monkeypatch.setattr(FailingInSlots, "fault", "malformed")
        recorder.send(4 * SEGMENT_LINES)
        assert recorder.states == ["verified", "on trial", "rolled back"]
        assert "contexts" in recorder.last["why"] or "ccsds123" in recorder.last["why"]
    assert slot_state(tmp_path).active is None
    found = streams(tmp_path, new)
    assert np.array_equal(all_lines(found), recorder.sent) and found[-1].predictors[-1] == "LINERWKV"


@pytest.mark.parametrize("fault", ["malformed", "wrong"])
def test_an_executor_that_leaves_the_recorded_lines_is_refused(
    fault: str, ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FailingInSlots, "fault", fault)
    with flight(text_of(tmp_path, ground.trust, "flight", BY_PLACE)) as recorder:
        recorder.send(2)
        recorder.command(ground.good().source)
        recorder.send(7)
        assert recorder.states == ["refused"] and "contexts" in recorder.last["why"]
    assert np.array_equal(all_lines(streams(tmp_path)), recorder.sent)

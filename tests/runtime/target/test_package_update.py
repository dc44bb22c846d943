"""A new package in flight: verified, tried, taken or rolled back, and refused; lines go on whatever it is."""

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
from runtime.target.package_slots import PackageSlots, SlotState
from runtime.target.telecommands import FormCommand, MaxErrorCommand, PackageCommand
from tests.runtime.cell.package_parts import shipped_parts
from tests.runtime.target.package_flights import (
    NET,
    RLS,
    SEGMENT_LINES,
    Flight,
    Ground,
    all_lines,
    flight,
    streams,
    text_of,
)  # fmt: skip


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground.made(tmp_path / "ground")


def slot_state(folder: Path, form: str = NET) -> SlotState:
    return PackageSlots(folder / "slots", form).read()


def test_a_better_package_takes_over_and_runs_from_then_on(ground: Ground, tmp_path: Path) -> None:
    old, new = ground.bad(), ground.good()
    text = text_of(tmp_path, ground.trust, old.source)
    with flight(text) as recorder:
        recorder.send(4)
        assert recorder.command(new.source) == {"package": new.sha256.hex()}
        assert recorder.states == ["verified"] and recorder.recorder.status()["package_update"] == "waits for its form"
        recorder.send(2)
        assert recorder.runs.sha256 == old.sha256  # the stream ends with its segment
        recorder.send(5)
        assert recorder.states == ["verified", "on trial"]
        assert slot_state(tmp_path).trial == "a" and slot_state(tmp_path).active is None
        recorder.send(1)
        assert recorder.states == ["verified", "on trial", "taken"]
        verdict = recorder.last
        assert verdict["segments"] == 2 and verdict["bytes"] < verdict["old_bytes"]
        found = slot_state(tmp_path)
        assert (found.active, found.trial, found.a, found.b) == ("a", None, new.sha256.hex(), None)
        recorder.send(10)
        assert recorder.runs.sha256 == new.sha256 and recorder.recorder.status()["package_update"] == "none"
    with flight(text) as again:
        assert again.told == [{"package": new.sha256.hex(), "form": NET, "state": "in use", "slot": "a"}]
        again.send(3)
    found_streams = streams(tmp_path, old, new)
    assert [one.named for one in found_streams] == [[old.sha256]] + [[new.sha256]] * 3
    assert np.array_equal(all_lines(found_streams), [*recorder.sent, *again.sent])
    assert {name for one in found_streams for name in one.predictors} == {"LINERWKV"}


def test_a_worse_package_is_rolled_back_by_itself(ground: Ground, tmp_path: Path) -> None:
    new = ground.bad()
    with flight(text_of(tmp_path, ground.trust, "flight")) as recorder:
        recorder.send(3)
        recorder.command(new.source)
        old = recorder.runs
        recorder.send(6)
        assert recorder.states == ["verified", "on trial", "rolled back"]
        assert recorder.last["why"] == "its segments are larger"
        assert recorder.last["bytes"] > recorder.last["old_bytes"]
        recorder.send(4)
        assert recorder.runs is old
    assert slot_state(tmp_path).active is None and slot_state(tmp_path).trial is None
    found = streams(tmp_path, old, new)
    assert [one.named for one in found] == [[old.sha256], [new.sha256], [old.sha256]]
    assert np.array_equal(all_lines(found), recorder.sent)


def test_updates_follow_one_another_and_the_old_one_may_come_again(ground: Ground, tmp_path: Path) -> None:
    first, second = ground.good("first"), ground.good("second")
    with flight(text_of(tmp_path, ground.trust, "flight")) as recorder:
        names = []
        for package in (first, second, first):
            recorder.command(package.source)
            recorder.send(2 * SEGMENT_LINES + 3)
            assert recorder.states[-1] == "taken"
            recorder.send(SEGMENT_LINES)
            names.append((recorder.runs.sha256, slot_state(tmp_path).active))
        assert names == [(first.sha256, "a"), (second.sha256, "b"), (first.sha256, "a")]
    assert np.array_equal(all_lines(streams(tmp_path, first, second)), recorder.sent)


def test_a_package_waits_until_its_form_is_used(ground: Ground, tmp_path: Path) -> None:
    new = ground.good()
    with flight(text_of(tmp_path, ground.trust, "flight").replace(f'form = "{NET}"', f'form = "{RLS}"')) as recorder:
        recorder.send(2)
        recorder.command(new.source)
        recorder.send(10)
        assert recorder.states == ["verified"] and slot_state(tmp_path) == SlotState()
        recorder.recorder.do("form", FormCommand(form=NET))
        recorder.send(2 * SEGMENT_LINES)
        assert recorder.states == ["verified", "on trial"]
        recorder.recorder.do("form", FormCommand(form=RLS))
        recorder.send(3 * SEGMENT_LINES)
        assert recorder.states == ["verified", "on trial"]  # segments of another form are no part of it
        recorder.recorder.do("form", FormCommand(form=NET))
        recorder.recorder.do("max_error", MaxErrorCommand(max_error=2))
        recorder.send(2 * SEGMENT_LINES)
        assert recorder.states[-1] == "taken"
    found = all_lines(streams(tmp_path, new)).astype(int)
    assert np.abs(found - np.array(recorder.sent)).max() <= 2


def test_one_update_at_a_time(ground: Ground, tmp_path: Path) -> None:
    new = ground.good()
    with flight(text_of(tmp_path, ground.trust, "flight")) as recorder:
        recorder.command(new.source)
        with pytest.raises(BadArgument, match="another package waits for its form, allowed one at a time"):
            recorder.command(new.source)
        recorder.send(4)
        with pytest.raises(BadArgument, match="another package is on trial"):
            recorder.command(new.source)
        recorder.send(20)
        assert recorder.states == ["verified", "on trial", "taken"]


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

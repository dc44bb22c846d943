"""A new package in flight: verified, tried, taken or rolled back; lines go on whatever it is."""

from pathlib import Path

import numpy as np
import pytest

from runtime.errors import BadArgument
from runtime.target.package_slots import SlotState
from runtime.target.telecommands import FormCommand, MaxErrorCommand
from tests.runtime.target.package_flights import (
    NET,
    RLS,
    SEGMENT_LINES,
    Ground,
    all_lines,
    flight,
    slot_state,
    streams,
    text_of,
)  # fmt: skip


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

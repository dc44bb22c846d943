"""A power cut at any step of an update: one of the two packages runs then, and what was told of comes back."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from runtime.cell.flight_package import FlightPackage
from tests.runtime.target.package_flights import (
    LINES,
    SEGMENT_LINES,
    Flight,
    Ground,
    all_lines,
    flight,
    streams,
    text_of,
)  # fmt: skip
from tests.runtime.target.power_cut import CutDisk, PowerCut


def update(recorder: Flight, package: FlightPackage) -> None:
    """As a flight goes, to the end of the trial and on."""
    recorder.send(SEGMENT_LINES + 1)
    recorder.command(package.source)
    recorder.send(4 * SEGMENT_LINES)


class Cuts:
    """Flights of one old package, which an update brought before, and a new one; each in a folder of its own."""

    def __init__(self, ground: Ground, configured: FlightPackage, old: FlightPackage, new: FlightPackage) -> None:
        self.folder, self.trust = ground.folder.parent, ground.trust
        self.configured, self.old, self.new = configured, old, new
        with flight(self.text("start")) as recorder:
            update(recorder, old)
        assert recorder.last["state"] == "taken"
        shutil.rmtree(self.folder / "start" / "out")

    def text(self, name: str) -> str:
        """The configuration of a flight."""
        return text_of(self.folder / name, self.trust, self.configured.source).replace("[0, 2]", "[0]")

    def cut(self, at: int, *, is_forgetful: bool) -> CutDisk:
        """Fly with a cut at a step, then without; what came must be right."""
        name = f"{at} {is_forgetful}"
        shutil.copytree(self.folder / "start", self.folder / name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(threading, "excepthook", lambda _: None)  # of the check, which ends with the power
            disk = CutDisk(self.folder / name / "slots", at, is_forgetful=is_forgetful, patch=patch)
            try:
                with flight(self.text(name)) as recorder:
                    update(recorder, self.new)
            except PowerCut:
                assert disk.is_cut
        disk.lose()
        kept = all_lines(streams(self.folder / name, self.old, self.new))
        n_told = sum(one["lines"] for one in recorder.told if "segment" in one)
        assert len(kept) >= n_told and np.array_equal(kept, LINES[: len(kept)])
        with flight(self.text(name)) as after:
            self.check_runs(recorder, after)
            if at % 3:  # else the next update comes later: it takes the time of all the rest
                after.send(SEGMENT_LINES)
            else:
                update(after, self.new)
                assert after.last["state"] in ("taken", "rolled back")
        both = all_lines(streams(self.folder / name, self.old, self.new))
        assert np.array_equal(both, [*kept, *after.sent])
        return disk

    def check_runs(self, recorder: Flight, after: Flight) -> None:
        """What was told is so after the cut; what was not yet may be either, but a trial without its end has failed."""
        runs = after.runs.sha256
        if "taken" in recorder.states:
            assert runs == self.new.sha256
        elif recorder.recorder.updates.trial is None or recorder.recorder.updates.trial.verdict != "taken":
            assert runs == self.old.sha256
        else:
            assert runs in (self.old.sha256, self.new.sha256)


@pytest.mark.slow  # it starts the recorder again after each step
@pytest.mark.parametrize("is_forgetful", [False, True])
def test_a_power_cut_at_any_step_of_an_update_that_is_taken(tmp_path: Path, is_forgetful: bool) -> None:
    ground = Ground.made(tmp_path / "ground")
    cuts, at = Cuts(ground, *(ground.bad(name) for name in ("configured", "old", "new"))), 0
    while (disk := cuts.cut(at, is_forgetful=is_forgetful)).is_cut:
        at += 1
    assert at == disk.n_steps > 10


def test_a_power_cut_at_the_last_steps_of_one_that_is_rolled_back(tmp_path: Path) -> None:
    ground = Ground.made(tmp_path / "ground")
    cuts = Cuts(ground, ground.good("configured"), ground.good("old"), ground.bad())
    n_steps = cuts.cut(1 << 20, is_forgetful=True).n_steps
    for at in range(n_steps - 5, n_steps):
        assert cuts.cut(at, is_forgetful=at % 2 == 0).is_cut


def test_the_cut_tears_and_forgets(tmp_path: Path) -> None:
    """Else the others prove nothing."""
    (tmp_path / "old").write_bytes(b"old")
    with pytest.MonkeyPatch.context() as patch:
        disk = CutDisk(tmp_path, 2, is_forgetful=True, patch=patch)
        (tmp_path / "new").write_bytes(b"1234")
        (tmp_path / "new").replace(tmp_path / "old")
        with pytest.raises(PowerCut):
            (tmp_path / "torn").write_bytes(b"1234")
        with pytest.raises(PowerCut):
            (tmp_path / "old").unlink()
    disk.lose()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"old": b"old", "torn": b"12"}

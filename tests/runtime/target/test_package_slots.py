"""Whatever lies in the slots of a form: the recorder starts, by the package that is meant or the configured one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.cell.flight_package import SHIPPED, FlightPackage, open_package
from runtime.cell.package_files import read_parts
from runtime.errors import BadArgument
from runtime.target.package_slots import STATE, PackageSlots, SlotState
from tests.runtime.cell.package_parts import shipped_parts
from tests.runtime.target.package_flights import NET, Ground, all_lines, flight, streams, text_of

A, B = "aa" * 32, "bb" * 32
STATES = st.builds(
    SlotState, a=st.just(A), b=st.just(B), active=st.sampled_from([None, "a"]), trial=st.sampled_from([None, "b"]),
    since=st.integers(0, 1 << 40),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slots")


@given(STATES, st.data())
def test_a_state_comes_back_or_is_refused(folder: Path, state: SlotState, data: st.DataObject) -> None:
    slots = PackageSlots(folder, "any form")
    slots.fill("a", {"file": b"1"})
    slots.write(state)
    assert slots.read() == state
    path = slots.folder / STATE
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    for text in (bytes(damaged), whole[: data.draw(st.integers(0, len(whole) - 2))]):
        path.write_bytes(text)
        try:
            assert slots.read() == state
        except BadArgument as error:
            assert "\n" not in str(error)


@given(st.text(), st.text())
def test_forms_have_folders_of_their_own(first: str, second: str) -> None:
    folders = [PackageSlots(Path("/slots"), name).folder for name in (first, second)]
    assert all(folder.parent == Path("/slots") and ".." not in folder.name for folder in folders)
    assert (folders[0] == folders[1]) == (first == second)


@pytest.mark.parametrize(
    ("active", "trial", "found"),
    [("a", "a", "trial: found a"), ("b", None, "active: found b, allowed a slot with a package"), (None, "b", "trial")],
)
def test_a_state_is_checked(active: str | None, trial: str | None, found: str) -> None:
    with pytest.raises(BadArgument, match=found):
        SlotState(a=A, active=active, trial=trial)  # type: ignore[arg-type]


def start(folder: Path, ground: Ground, package: FlightPackage, state: SlotState) -> PackageSlots:
    """Slots with a package in `a`."""
    slots = PackageSlots(folder / "slots", NET)
    slots.fill("a", read_parts(package.source))
    slots.write(state)
    return slots


def flown(folder: Path, ground: Ground, package: FlightPackage) -> tuple[bytes, list[dict[str, object]]]:
    """Which package codes lines, and what is told at the start."""
    with flight(text_of(folder, ground.trust, "flight")) as recorder:
        told = [one for one in recorder.told if "state" in one]
        recorder.send(4)
    (stream,) = streams(folder, package)
    assert np.array_equal(all_lines([stream]), recorder.sent)
    return stream.named[0], told


def test_a_trial_without_an_end_has_failed(ground: Ground, tmp_path: Path) -> None:
    package = ground.good()
    identity = package.sha256.hex()
    slots = start(tmp_path, ground, package, SlotState(a=identity, trial="a", since=5))
    named, told = flown(tmp_path, ground, package)
    assert named == open_package(SHIPPED).sha256
    assert [(one["state"], one["package"], one["form"]) for one in told] == [("rolled back", identity, NET)]
    found = slots.read()
    assert found == SlotState(a=identity, since=found.since) and found.since > 5


@pytest.mark.parametrize("kind", ["torn", "gone", "foreign", "unsigned", "state", "unsound state", "large state"])
def test_what_cannot_be_read_is_left_out(kind: str, ground: Ground, tmp_path: Path) -> None:
    package = ground.good()
    state = SlotState(a=package.sha256.hex(), active="a")
    slots = start(tmp_path, ground, package, state)
    path, whole = slots.path("a"), slots.path("a").read_bytes()
    if kind == "torn":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "gone":
        path.unlink()
    elif kind == "foreign":
        slots.fill("a", read_parts(ground.good("foreign").source))
    elif kind == "unsigned":
        slots.fill("a", shipped_parts())
        slots.write(replace(state, a=open_package(SHIPPED).sha256.hex()))
    elif kind == "large state":
        (slots.folder / STATE).write_bytes(b" " * 5000)
    elif kind == "state":
        (slots.folder / STATE).write_bytes(b"\xff\0")
    else:
        (slots.folder / STATE).write_text('{"a": 5, "crc32c": 0}')
    named, told = flown(tmp_path, ground, package)
    assert named == open_package(SHIPPED).sha256
    assert [one["state"] for one in told] == ["left out"] and "the configured one runs" in str(told[0]["why"])


def test_a_sound_slot_runs(ground: Ground, tmp_path: Path) -> None:
    package = ground.good()
    start(tmp_path, ground, package, SlotState(a=package.sha256.hex(), active="a"))
    named, told = flown(tmp_path, ground, package)
    assert named == package.sha256 and [one["state"] for one in told] == ["in use"]


def test_a_package_that_no_executor_runs_any_more_is_left_out(ground: Ground, tmp_path: Path) -> None:
    """It is sound, but its recorded lines are not those of its cell."""
    parts = shipped_parts()
    other = bytearray(parts["conformance.bin"])
    other[-1] ^= 1
    package = ground.package("other", {**parts, "conformance.bin": bytes(other)})
    start(tmp_path, ground, package, SlotState(a=package.sha256.hex(), active="a"))
    named, told = flown(tmp_path, ground, package)
    assert named == open_package(SHIPPED).sha256
    assert [one["state"] for one in told] == ["in use", "left out"] and "self-test" in str(told[1]["why"])

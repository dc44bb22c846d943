"""Recordings of external instruments: clocks, load patterns, CSV and JLS files."""

import csv
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil_tests.meters.clocks import RoundTrip, clock_from_markers, clock_from_round_trips
from hil_tests.meters.csv_file import read_csv
from hil_tests.meters.joulescope_file import read_jls
from hil_tests.meters.meter import MeterFailed
from hil_tests.meters.meter_factory import make_meters
from hil_tests.meters.recorded_meter import RecordedMeter
from hil_tests.meters.recording import Recording, Span, align, pulse_pattern
from hil_tests.meters.this_machine import ThisMachine

UNIT_S = 0.5
IDLE_W, LOAD_W = 2.0, 5.0


def groups_from(began: float, between_s: float) -> list[list[Span]]:
    """Two groups of pulses of a load, with so much time between them."""
    groups, now = [], began
    for number in (0, 1):
        pulses = []
        for pause_s, length_s in pulse_pattern(number, UNIT_S):
            pulses.append((now + pause_s, now + pause_s + length_s))
            now = pulses[-1][1]
        groups.append(pulses)
        now += between_s
    return groups


def instrument(loads: Sequence[Span], times: npt.NDArray[np.float64], *, integrates: bool) -> npt.NDArray[np.float64]:
    """What an ideal instrument reads at these of our times: the mean since the time before, or the power now."""
    if not integrates:
        return np.where(sum((began <= times) & (times < ended) for began, ended in loads), LOAD_W, IDLE_W)
    loaded = sum(np.clip(times, began, ended) - began for began, ended in loads)
    watts = IDLE_W + (LOAD_W - IDLE_W) * np.diff(loaded) / np.diff(times)
    return np.concatenate((watts[:1], watts))


@settings(deadline=None)
@given(
    offset=st.floats(-1e5, 1e5),
    drift=st.floats(-5e-3, 5e-3),
    period_s=st.sampled_from([0.003, 0.02, 0.05]),
    between_s=st.floats(5.0, 60.0),
    integrates=st.booleans(),
)
def test_an_instrument_with_another_clock_is_aligned(
    offset: float, drift: float, period_s: float, between_s: float, integrates: bool
) -> None:
    groups = groups_from(1000.0, between_s)
    ended = groups[-1][-1][1]
    work = (groups[0][-1][1] + 2.0, groups[1][0][0] - 2.0)
    theirs = offset + np.arange(0.0, (ended - 990.0) * (1 + drift), period_s)
    ours = 995.0 + (theirs - offset) / (1 + drift)
    loads = [*groups[0], *groups[1], *([work] if work[0] < work[1] else [])]
    recording = Recording(theirs, {"supply": instrument(loads, ours, integrates=integrates)}, integrates)
    clock = align(recording, groups, UNIT_S)
    inside = (ours > 1000.0) & (ours < ended)
    error = np.abs(clock.ours(theirs) - ours)[inside].max()
    assert error <= (1e-6 if integrates else 2 * clock.uncertainty)
    assert clock.uncertainty <= (1e-6 if integrates else 2 * period_s)


def test_noise_widens_the_uncertainty_and_no_more() -> None:
    groups = groups_from(0.0, 30.0)
    times = np.arange(-5.0, groups[-1][-1][1] + 5.0, 0.01)
    watts = instrument([*groups[0], *groups[1]], times, integrates=True)
    noise = np.random.default_rng(0).normal(0.0, 1.0, len(times))
    clock = align(Recording(times, {"supply": watts + noise}, True), groups, UNIT_S)
    assert np.abs(clock.ours(times) - times).max() < clock.uncertainty < 0.1


def test_a_recording_without_the_pattern_is_refused() -> None:
    groups = groups_from(0.0, 10.0)
    times = np.arange(-5.0, groups[-1][-1][1] + 5.0, 0.01)
    for watts in (np.full(len(times), 3.0), np.random.default_rng(1).normal(3.0, 1.0, len(times))):
        with pytest.raises(MeterFailed, match="the load pattern is not in the recording: agreement"):
            align(Recording(times, {"supply": watts}, True), groups, UNIT_S)
    only_the_first = instrument(groups[0], times, integrates=True)
    with pytest.raises(MeterFailed, match="the load pattern is not in the recording"):
        align(Recording(times, {"supply": only_the_first}, True), groups, UNIT_S)
    with pytest.raises(MeterFailed, match="shorter than the load pattern"):
        align(Recording(times[:50], {"supply": only_the_first[:50]}, True), groups, UNIT_S)


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(0.991, 1.009), st.lists(st.integers(0, 10_000), min_size=3, unique=True))
def test_marks_on_a_line_give_the_line(offset: float, rate: float, marks: list[int]) -> None:
    theirs = np.array(marks, np.float64)
    clock = clock_from_markers(list(theirs), list(offset + rate * theirs))
    assert clock.uncertainty <= 1e-8
    assert np.abs(clock.ours(theirs) - (offset + rate * theirs)).max() <= 1e-8


def test_marks_that_a_clock_cannot_make_are_refused() -> None:
    assert clock_from_markers([0.0, 100.0], [5.0, 105.0]).uncertainty == float("inf")
    assert clock_from_markers([0.0, 50.0, 100.0], [5.0, 55.3, 105.0]).uncertainty == pytest.approx(0.2)
    with pytest.raises(MeterFailed, match="1 marks of the instrument and 1 of ours"):
        clock_from_markers([0.0], [1.0])
    with pytest.raises(MeterFailed, match="at one time"):
        clock_from_markers([1.0, 1.0], [1.0, 2.0])
    with pytest.raises(MeterFailed, match=r"is 2\.000 s of ours"):
        clock_from_markers([0.0, 1.0, 2.0], [0.0, 2.0, 4.0])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(1e-5, 0.2), st.floats(0.0, 1.0)), min_size=1, max_size=5),
    st.lists(st.tuples(st.floats(1e-5, 0.2), st.floats(0.0, 1.0)), min_size=1, max_size=5),
    st.floats(-1e4, 1e4),
    st.floats(-1e-3, 1e-3),
)
def test_round_trips_bound_the_error_of_the_clock(
    before: list[tuple[float, float]], after: list[tuple[float, float]], offset: float, drift: float
) -> None:
    """Each trip has a length, and a share of it that passes before the other machine reads its clock."""

    def trip(sent: float, length: float, share: float) -> RoundTrip:
        return RoundTrip(sent, offset + (1 + drift) * (sent + share * length), sent + length)

    clock = clock_from_round_trips(
        [trip(index, *one) for index, one in enumerate(before)],
        [trip(60.0 + index, *one) for index, one in enumerate(after)],
    )
    ours = np.linspace(5.0, 60.0, 12)
    assert (np.abs(clock.ours(offset + (1 + drift) * ours) - ours) <= clock.uncertainty + 1e-7).all()


Rows = Sequence[Sequence[object]]


def write_csv(path: Path, rows: Rows, preamble: str = "") -> Path:
    with path.open("w", newline="") as file:
        file.write(preamble)
        csv.writer(file).writerows(rows)
    return path


RAILS = {"board": ["Volt", "Amp"], "core": ["W"]}


def read(path: Path) -> Recording:
    return read_csv(path, time="Time (s)", rails=RAILS, delimiter=",", is_integrating=False)


def test_a_csv_file_is_read_by_its_column_names(tmp_path: Path) -> None:
    rows: Rows = [["Amp", "Note", "Time (s)", "W", "Volt"], [0.5, "a", "0.0", 1, 12], [0.25, "b,c", 0.1, "2e0", 12.0]]
    found = read(write_csv(tmp_path / "log.csv", rows, preamble="Meter,X100\n\nSerial,12\n"))
    assert np.array_equal(found.seconds, [0.0, 0.1])
    assert np.array_equal(found.watts["board"], [6.0, 3.0])
    assert np.array_equal(found.watts["core"], [1.0, 2.0])


def test_a_csv_file_may_have_dates(tmp_path: Path) -> None:
    rows: Rows = [
        ["Time (s)", "Volt", "Amp", "W"],
        ["2026-01-02T03:04:05.250", 1, 1, 1],
        ["2026-01-02T03:04:06.500", 1, 1, 1],
    ]
    assert np.diff(read(write_csv(tmp_path / "log.csv", rows)).seconds) == pytest.approx([1.25])


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("Time (s),Volt,Amp,W\n0,1,1,1\n1,1,1,1\n2,1,")
    assert np.array_equal(read(path).seconds, [0.0, 1.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"log\.csv: no line names the columns 'Time \(s\)', 'Volt', 'Amp', 'W'$"),
        ("Time (s),Volt,W\n1,2,3\n", "no line names the columns"),
        ("Time (s),Volt,Amp,W\n", "0 samples, at least two are needed$"),
        ("Time (s),Volt,Amp,W\n0,1,1,1\n1,1,x,1\n", r"log\.csv line 3, column 3: 'x' is not a number$"),
        ("Time (s),Volt,Amp,W\n0,1,1,1\n1,1,1\n", r"line 3, column 4: '' is not a number$"),
        ("Time (s),Volt,Amp,W\n0,1,1,1\nnoon,1,1,1\n", r"line 3, column 1: 'noon' is not a time$"),
        ("Time (s),Volt,Amp,W\n0,1,1,1\n1,1,nan,1\n", r"line 3, column 3: 'nan' is not a number$"),
        ("Time (s),Volt,Amp,W\n1,1,1,1\n1,1,1,1\n", r"time does not go on after sample 1 \(1 s\)$"),
        ("Time (s),Volt,Amp,W\n0,1,1," + "9" * 200_000 + "\n", "line 2: field larger than field limit"),
    ],
)
def test_a_wrong_csv_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(MeterFailed, match=message) as caught:
        read(tmp_path / "log.csv")
    assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_recording_or_one_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile.csv"
    for head in (b"", b"Time (s),Volt,Amp,W\n0,1,1,1\n"):
        path.write_bytes(head + content)
        try:
            assert len(read(path).seconds) >= 2
        except MeterFailed as error:
            assert "\n" not in str(error)


def write_jls(path: Path, watts: npt.NDArray[np.float32], *, rate: int, units: str = "W") -> Path:
    """A file as a Joulescope's software makes it, written by its maker's library."""
    pyjls = pytest.importorskip("pyjls")
    with pyjls.Writer(str(path)) as writer:
        writer.source_def(source_id=1, name="JS220-000001", vendor="-", model="JS220", version="1", serial_number="1")
        writer.signal_def(signal_id=1, source_id=1, sample_rate=rate, name="current", units="A")
        writer.signal_def(signal_id=2, source_id=1, sample_rate=rate, name="power", units=units)
        writer.fsr_f32(1, 0, np.zeros(len(watts), np.float32))
        writer.fsr_f32(2, 0, watts)
    return path


def test_a_joulescope_file_is_read_in_means(tmp_path: Path) -> None:
    watts = np.arange(100_050, dtype=np.float32) / np.float32(64)
    found = read_jls(write_jls(tmp_path / "a.jls", watts, rate=20_000), signal="power", period_s=0.005)
    assert found.is_integrating
    assert np.array_equal(found.watts["power"][1:], watts[:100_000].astype(np.float64).reshape(-1, 100).mean(axis=1))
    assert found.seconds == pytest.approx(np.arange(1001) * 0.005)


def test_a_wrong_joulescope_file_is_one_line(tmp_path: Path) -> None:
    path = write_jls(tmp_path / "a.jls", np.ones(1000, np.float32), rate=1000)
    with pytest.raises(MeterFailed, match=r"no signal 'voltage' in W; there are: current in A, power in W$"):
        read_jls(path, signal="voltage", period_s=0.001)
    with pytest.raises(MeterFailed, match="no signal 'current' in W"):
        read_jls(path, signal="current", period_s=0.001)
    with pytest.raises(MeterFailed, match="1 means of 1 s"):
        read_jls(path, signal="power", period_s=1.0)
    with pytest.raises(MeterFailed, match=r"no such file$"):
        read_jls(tmp_path / "b.jls", signal="power", period_s=0.001)
    (tmp_path / "b.jls").write_bytes(b"JLS\x00" * 100)
    with pytest.raises(MeterFailed, match=r"b\.jls: not a readable JLS file"):
        read_jls(tmp_path / "b.jls", signal="power", period_s=0.001)


@pytest.mark.parametrize("kind", ["csv", "joulescope"])
def test_an_instrument_that_sees_the_targets_load_is_aligned(tmp_path: Path, kind: str) -> None:
    """The pulses are real, on this machine; the file is what an ideal instrument 40 ppm fast writes of them."""
    options: dict[str, Any] = {"path": str(tmp_path / "log"), "pulse_s": 0.03, "wait_s": 20.0}
    if kind == "csv":
        options |= {"time": "t", "rails": {"board": ["W"]}, "integrating": True}
    (tmp_path / "board").mkdir()
    meter = make_meters([{"kind": kind, **options}], ThisMachine(tmp_path / "board"))[0]
    assert isinstance(meter, RecordedMeter)

    def export() -> None:
        """By hand, after the recording."""
        while len(meter.groups) < 2:
            time.sleep(0.05)
        ours = np.arange(meter.groups[0][0][0] - 1.0, meter.groups[1][-1][1] + 0.5, 0.001 / (1 + 40e-6))
        watts = instrument([pulse for group in meter.groups for pulse in group], ours, integrates=True)
        if kind == "csv":
            rows = [["t", "W"], *((f"{0.001 * index:.3f}", repr(float(one))) for index, one in enumerate(watts))]
            write_csv(tmp_path / "new", rows)
        else:
            write_jls(tmp_path / "new", watts.astype(np.float32)[1:], rate=1000)
        (tmp_path / "new").replace(tmp_path / "log")

    meter.start()
    began = time.monotonic()
    hand = threading.Thread(target=export)
    hand.start()
    (trace,) = meter.stop()
    hand.join()
    assert trace.clock_uncertainty_s < 0.05
    assert trace.seconds[0] < began < trace.seconds[-1] < time.monotonic()
    assert np.diff(trace.seconds) == pytest.approx(0.001 / (1 + 40e-6), rel=1e-3)
    assert set(np.round(trace.watts, 6)) >= {IDLE_W, LOAD_W}
    assert ("untested on the device" in trace.caveat) == (kind == "joulescope")


def test_without_a_file_it_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "board").mkdir()
    entry = {"kind": "csv", "path": str(tmp_path / "log"), "time": "t", "rails": {"a": ["W"]}, "pulse_s": 0.01}
    meter = make_meters([entry], ThisMachine(tmp_path / "board"))[0]
    meter.start()
    with pytest.raises(MeterFailed, match=r"log: No such file or directory$"):
        meter.stop()

"""The energy run: by a clock that the test turns, and once by a sensor that the workload really changes."""

import itertools
import math
import time
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil_tests.energy.energy_run import EnergyPlan, Metered, make_plan, measure_energy
from hil_tests.meters.meter import MeterFailed, PowerTrace
from hil_tests.meters.meter_factory import make_meters
from hil_tests.meters.this_machine import ThisMachine
from hil_tests.places.place import REPOSITORY
from runtime.errors import BadArgument

IDLE_W, LOAD_W = 2.0, 6.0
MSAMPLES = 0.5


@dataclass
class Board:
    """Time goes on when it works, 0.7 s for half a million samples, or waits; power follows."""

    now: float = 1000.0
    loads: list[tuple[float, float]] = field(default_factory=list)
    is_metered: bool = False

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def work(self) -> None:
        began = self.now
        self.now += 0.7
        self.loads.append((began, self.now))


@dataclass
class Simulated:
    """An ideal meter of the board that integrates, and what spoils it."""

    board: Board
    name: str = "meter"
    rails: tuple[str, ...] = ("total", "half")
    noise: float = 0.0
    spoil: Callable[[list[PowerTrace]], list[PowerTrace]] = lambda traces: traces
    starts: int = 0
    running: bool = False

    def start(self) -> None:
        assert not self.running
        self.running = True
        self.starts += 1
        self.began = self.board.now
        self.board.now += 0.01

    def stop(self) -> list[PowerTrace]:
        assert self.running
        self.running = False
        self.board.now += 0.01
        times = np.append(np.arange(self.began, self.board.now, 0.05), self.board.now)
        loaded = sum(np.clip(times, began, ended) - began for began, ended in self.board.loads)
        watts = IDLE_W + (LOAD_W - IDLE_W) * np.diff(loaded, prepend=0.0)[1:] / np.diff(times)
        watts *= (
            1
            + self.noise
            * np.repeat(np.random.default_rng(self.starts).normal(size=len(watts) // 100 + 1), 100)[: len(watts)]
        )
        watts = np.concatenate((watts[:1], watts))
        return self.spoil(
            [PowerTrace(self.name, times, share * watts, True, "1 %", update_s=0.05) for share in (1.0, 0.5)]
        )


PLAN = EnergyPlan(warm_up_s=3.0, idle_s=5.0, settle_s=1.0, window_s=5.0, min_windows=4, max_windows=15)


def run(board: Board, *meters: Simulated, plan: EnergyPlan = PLAN) -> Metered:
    return measure_energy(
        meters, board.work, MSAMPLES, label="simulated", run_began=1000.0, idle=board.wait, plan=plan, clock=board.clock
    )


def test_a_steady_board_is_measured_exactly() -> None:
    board = Board()
    found = run(board, Simulated(board))
    total, half = found.energies
    assert found.not_measured == []
    assert found.msamples_per_s == pytest.approx(MSAMPLES / 0.7)
    assert (total.meter, total.rail, half.rail, total.label, total.accuracy) == (
        "meter",
        "total",
        "half",
        "simulated",
        "1 %",
    )
    assert total.idle_watts == pytest.approx(IDLE_W)
    assert total.active_watts == pytest.approx(LOAD_W)
    assert total.msamples_per_s == pytest.approx(MSAMPLES / 0.7)
    assert total.joules_per_msample == pytest.approx(LOAD_W * 0.7 / MSAMPLES)
    assert total.joules_per_msample_above_idle == pytest.approx((LOAD_W - IDLE_W) * 0.7 / MSAMPLES)
    assert half.joules_per_msample == pytest.approx(total.joules_per_msample / 2)
    assert found.joules_per_msample == total.joules_per_msample
    assert total.uncertainty == pytest.approx(0.0, abs=1e-9)
    assert total.n_windows == 4
    assert total.note.startswith("sampling adequate: 100 new values")
    assert "NOT" not in total.note


def test_phases_are_marked_in_order_and_work_is_whole() -> None:
    board = Board()
    phases = run(board, Simulated(board)).phases
    names = [
        "warm-up",
        "performance",
        "idle before window 1",
        "settling",
        *(f"window {n}" for n in (1, 2, 3, 4)),
        "settling",
    ]
    assert [phase.name for phase in phases] == names
    assert all(one.ended_s <= next_one.began_s + 1e-9 for one, next_one in itertools.pairwise(phases))
    for phase in phases[4:8]:
        assert phase.ended_s - phase.began_s == pytest.approx(8 * 0.7)  # the fewest calls that take 5 s or more


def test_the_picture_is_of_the_run_and_not_too_long() -> None:
    board = Board()
    energy = run(board, Simulated(board), plan=EnergyPlan(idle_s=100.0, window_s=100.0)).energies[0]
    assert len(energy.seconds) == len(energy.watts) <= 2002
    assert 0 < energy.seconds[0] < energy.seconds[-1] == pytest.approx(board.now - 1000.0)
    assert min(energy.watts) == pytest.approx(IDLE_W)
    assert max(energy.watts) == pytest.approx(LOAD_W)


def test_noise_asks_for_more_windows_until_the_interval_is_narrow() -> None:
    board = Board()
    meter = Simulated(board, noise=0.03)
    energy = run(board, meter).energies[0]
    assert 4 < energy.n_windows <= 15
    assert meter.starts > 1
    assert energy.uncertainty <= 0.02 * energy.joules_per_msample
    assert "interval NOT narrow" not in energy.note


def test_noise_without_end_stops_at_the_most_windows_and_says_so() -> None:
    board = Board()
    energy = run(board, Simulated(board, noise=0.5)).energies[0]
    assert energy.n_windows == 15
    assert "interval NOT narrow" in energy.note
    assert "after 15 windows, 2.0% was asked for" in energy.note


def test_meters_that_fail_are_named_and_the_others_measure(tmp_path: Path) -> None:
    board = Board()

    def fails(traces: list[PowerTrace]) -> list[PowerTrace]:
        raise MeterFailed("the cable is off")

    def breaks(traces: list[PowerTrace]) -> list[PowerTrace]:
        raise KeyError("in a library\nof two lines")

    def is_short(traces: list[PowerTrace]) -> list[PowerTrace]:
        return [PowerTrace("short", one.seconds[:50], one.watts[:50], True, "") for one in traces]

    spoiled = [
        Simulated(board, name, spoil=spoil) for name, spoil in (("a", fails), ("b", breaks), ("short", is_short))
    ]
    dead = make_meters([{"kind": "hwmon", "root": "/nowhere"}], ThisMachine(tmp_path))
    found = measure_energy(
        [*spoiled, Simulated(board, "good"), *dead], board.work, MSAMPLES, label="simulated", run_began=1000.0,
        idle=board.wait, plan=PLAN, clock=board.clock,
    )  # fmt: skip
    assert [energy.meter for energy in found.energies] == ["good", "good"]
    assert found.joules_per_msample is None  # no other meter stands in for the first one
    assert [line.split(":")[0] for line in found.not_measured] == ["hwmon", "a", "b", "short"]
    assert found.not_measured[0] == "hwmon: not measured, hwmon: no power sensor under /nowhere"
    assert found.not_measured[1] == "a: not measured, the cable is off"
    assert found.not_measured[2].startswith("b: not measured, KeyError: ")
    assert "do not cover" in found.not_measured[3]
    assert not any("\n" in line for line in found.not_measured)


def test_without_a_meter_that_works_no_figure_is_given(tmp_path: Path) -> None:
    board = Board()
    assert run(board).not_measured == ["energy: not measured, the board file names no meter"]
    assert board.loads == []
    found = measure_energy(
        make_meters([{"kind": "rapl", "root": "/nowhere"}], ThisMachine(tmp_path)), board.work, MSAMPLES,
        label="simulated", run_began=1000.0, idle=board.wait, plan=PLAN, clock=board.clock,
    )  # fmt: skip
    assert found.energies == []
    assert len(found.not_measured) == 1
    assert found.msamples_per_s > 0


def test_what_the_workload_raises_ends_the_run_with_the_meters_stopped() -> None:
    board = Board()
    meter = Simulated(board)

    def work() -> None:
        if meter.running:
            raise MeterFailed("the board is gone")
        board.work()

    with pytest.raises(MeterFailed, match="the board is gone"):
        measure_energy(
            [meter], work, MSAMPLES, label="simulated", run_began=0.0, idle=board.wait, plan=PLAN, clock=board.clock
        )
    assert meter.starts == 1
    assert not meter.running


def test_meters_that_slow_the_work_are_reported() -> None:
    board = Board()
    meter = Simulated(board)

    def work() -> None:
        if meter.running:
            board.wait(0.07)
        board.work()

    (energy, _) = measure_energy(
        [meter], work, MSAMPLES, label="simulated", run_began=1000.0, idle=board.wait, plan=PLAN, clock=board.clock
    ).energies
    assert "the work ran 9.1% slower than without meters" in energy.note
    assert energy.joules_per_msample == pytest.approx(energy.active_watts / energy.msamples_per_s)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"idle_s": 0.0}, "idle_s: found 0.0, allowed finite number above 0, at most 1e+06"),
        ({"settle_s": 0.0}, "settle_s: found 0.0, allowed finite number above 0, at most 1e+06"),
        ({"window_s": -1.0}, "window_s: found -1.0, allowed finite number above 0, at most 1e+06"),
        ({"idle_s": "10"}, 'idle_s: found "10", allowed finite number above 0, at most 1e+06'),
        ({"idle_s": True}, "idle_s: found true, allowed finite number above 0, at most 1e+06"),
        ({"warm_up_s": math.nan}, "warm_up_s: found NaN, allowed finite number at least 0"),
        ({"min_windows": 1}, "min_windows: found 1, allowed int at least 2"),
        ({"min_windows": 3.0}, "min_windows: found 3.0, allowed int at least 2"),
        ({"max_windows": 3}, "max_windows: found 3, allowed int at least min_windows, 8"),
        ({"windows": 3}, f"windows: not known, allowed {', '.join(asdict(EnergyPlan()))}"),
    ],
)
def test_a_wrong_table_is_one_line(wrong: dict[str, Any], line: str) -> None:
    with pytest.raises(BadArgument) as caught:
        make_plan(wrong, "board file b.toml")
    assert str(caught.value) == f"board file b.toml: key energy.{line}"


def test_the_table_of_the_document_has_the_defaults() -> None:
    table = tomllib.loads((REPOSITORY / "docs/energy.md").read_text().split("```toml\n")[1].split("```")[0])["energy"]
    assert make_plan(table) == EnergyPlan() == make_plan({})
    assert set(table) == set(asdict(EnergyPlan()))


def test_a_sensor_that_the_workload_changes_is_measured_by_the_real_clock(tmp_path: Path) -> None:
    """A counter that the workload itself counts up: the joules by sample are known, whatever this machine does."""
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    (tmp_path / "board").mkdir()
    used = 0

    def work() -> None:
        nonlocal used
        for _ in range(10):
            time.sleep(0.004)
            used = (used + 50_000) % 3_000_000  # microjoules
            (zone / "new").write_text(str(used))
            (zone / "new").replace(zone / "energy_uj")

    for name, value in (("name", "package-0"), ("energy_uj", 0), ("max_energy_range_uj", 3_000_000)):
        (zone / name).write_text(str(value))
    meters = make_meters(
        [{"kind": "rapl", "root": str(tmp_path / "sys"), "period_s": 0.01}], ThisMachine(tmp_path / "board")
    )
    plan = EnergyPlan(0.05, 0.3, 0.05, 0.4, 3, 3, 0.5)
    found = measure_energy(meters, work, 0.25, label="measured", run_began=time.monotonic(), plan=plan)
    assert found.not_measured == []
    (energy,) = found.energies
    assert energy.joules_per_msample == pytest.approx(10 * 0.05 / 0.25, rel=0.15)  # a step may fall to the next window
    assert energy.idle_watts == pytest.approx(0.0, abs=1e-9)
    assert energy.joules_per_msample == pytest.approx(energy.active_watts / energy.msamples_per_s)

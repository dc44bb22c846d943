"""Energy of marked spans: laws of the integral, the account and its interval, and the run that makes them."""

import itertools
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil_tests.energy.account import Batch, account_of
from hil_tests.energy.adequacy import adequacy
from hil_tests.energy.interval import half_width, t_quantile
from hil_tests.meters.integral import joules_until
from hil_tests.meters.meter import MeterFailed, PowerTrace

Floats = npt.NDArray[np.float64]


def trace_of(seconds: Floats, watts: Floats, *, integrates: bool = False) -> PowerTrace:
    return PowerTrace("meter", seconds, watts, integrates, "not stated")


@st.composite
def traces(draw: st.DrawFn) -> PowerTrace:
    """Any samples of power at any times."""
    steps = draw(st.lists(st.floats(1e-3, 10.0), min_size=1, max_size=20))
    watts = draw(st.lists(st.floats(0.0, 1e3), min_size=len(steps) + 1, max_size=len(steps) + 1))
    seconds = draw(st.floats(0.0, 1e5)) + np.cumsum([0.0, *steps])
    return trace_of(seconds, np.array(watts), integrates=draw(st.booleans()))


def joules(trace: PowerTrace, began: float, ended: float) -> float:
    return float(np.diff(joules_until(trace.seconds, trace.watts, trace.is_integrating, np.array([began, ended])))[0])


@settings(deadline=None)
@given(traces(), st.lists(st.floats(0.0, 1.0), max_size=8))
def test_energy_is_the_same_however_a_span_is_split(trace: PowerTrace, shares: list[float]) -> None:
    first, last = float(trace.seconds[0]), float(trace.seconds[-1])
    cuts = [first, *sorted(min(last, first + share * (last - first)) for share in shares), last]
    parts = sum(joules(trace, began, ended) for began, ended in itertools.pairwise(cuts))
    assert parts == pytest.approx(joules(trace, first, last), rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(traces(), st.floats(0.0, 1e3), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_energy_of_a_steady_load_is_exact(trace: PowerTrace, watts: float, one: float, other: float) -> None:
    steady = replace(trace, watts=np.full(len(trace.seconds), watts))
    length = float(trace.seconds[-1] - trace.seconds[0])
    began, ended = (min(trace.seconds[-1], trace.seconds[0] + share * length) for share in sorted((one, other)))
    assert joules(steady, began, ended) == pytest.approx(watts * (ended - began), rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(traces())
def test_energy_of_all_samples_is_the_sum_by_hand(trace: PowerTrace) -> None:
    total = 0.0
    for index in range(1, len(trace.seconds)):
        mean = trace.watts[index] if trace.is_integrating else (trace.watts[index] + trace.watts[index - 1]) / 2
        total += mean * (trace.seconds[index] - trace.seconds[index - 1])
    assert joules(trace, float(trace.seconds[0]), float(trace.seconds[-1])) == pytest.approx(total, rel=1e-9, abs=1e-9)


def test_energy_of_a_ramp_is_exact_between_samples_too() -> None:
    trace = trace_of(np.array([0.0, 1.0, 4.0]), np.array([0.0, 2.0, 8.0]))  # 2 W more each second
    assert joules(trace, 0.5, 3.0) == pytest.approx(3.0**2 - 0.5**2)


def test_a_span_without_samples_is_refused() -> None:
    trace = trace_of(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    for began, ended in ((0.5, 1.5), (1.5, 2.5)):
        with pytest.raises(MeterFailed, match=r"samples of 1\.000 to 2\.000 s do not cover"):
            joules(trace, began, ended)


def test_the_t_distribution_is_that_of_the_tables() -> None:
    table = {
        1: 12.706,
        2: 4.303,
        3: 3.182,
        4: 2.776,
        5: 2.571,
        9: 2.262,
        19: 2.093,
        30: 2.042,
        120: 1.980,
        1000: 1.962,
    }
    assert {degrees: round(t_quantile(degrees), 3) for degrees in table} == table


def test_95_of_100_intervals_hold_the_mean() -> None:
    random = np.random.default_rng(0)
    held = [abs(values.mean()) <= half_width(values) for values in random.normal(0.0, 1.0, (4000, 5))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.012)  # 3.5 standard deviations
    sums = []
    for _ in range(4000):
        few, many = random.normal(0.0, 3.0, 4), random.normal(0.0, 1.0, 15)
        sums.append(abs(few.mean() + many.mean()) <= half_width(list(few), list(many)))
    assert np.mean(sums) == pytest.approx(0.95, abs=0.02)


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9), st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_an_interval_scales_and_does_not_shift(values: list[float], scale: float, shift: float) -> None:
    width = half_width(values)
    assert half_width([scale * value for value in values]) == pytest.approx(scale * width, rel=1e-6, abs=1e-6)
    assert half_width([value + shift for value in values]) == pytest.approx(width, rel=1e-6, abs=1e-6)
    assert half_width([values[0]] * 3) == pytest.approx(0.0, abs=1e-6)


@settings(deadline=None)
@given(
    idle_watts=st.floats(0.0, 100.0),
    more_watts=st.floats(0.0, 100.0),
    lengths=st.lists(st.floats(0.5, 3.0), min_size=2, max_size=6),
    msamples=st.floats(0.01, 100.0),
)
def test_the_account_of_steady_loads_is_exact(
    idle_watts: float, more_watts: float, lengths: list[float], msamples: float
) -> None:
    ends = 2.0 + np.cumsum([0.0, *lengths])
    seconds = np.union1d(np.linspace(0.0, ends[-1] + 1.0, 300), [2.0, ends[-1]])
    watts = np.where((seconds > 2.0) & (seconds <= ends[-1]), idle_watts + more_watts, idle_watts)
    batch = Batch(trace_of(seconds, watts, integrates=True), (0.5, 1.5), list(itertools.pairwise(ends)))
    account = account_of([batch], msamples)
    active = idle_watts + more_watts
    mean_length = float(np.mean(lengths))
    assert account.idle_watts == pytest.approx(idle_watts, abs=1e-9)
    assert account.active_watts == pytest.approx(active, abs=1e-9)
    assert account.msamples_per_s == pytest.approx(msamples / mean_length)
    assert account.joules_per_msample == pytest.approx(account.active_watts / account.msamples_per_s)
    assert account.joules_per_msample_above_idle == pytest.approx(more_watts * mean_length / msamples, abs=1e-6)
    assert account.half_width == pytest.approx(half_width([active * length / msamples for length in lengths]), abs=1e-6)


def test_an_uncertain_idle_power_widens_what_is_above_idle_alone() -> None:
    seconds = np.arange(0.0, 30.0, 0.1)
    watts = np.where(seconds > 10.0, 5.0, 2.0 + np.sin(seconds))
    windows = [(11.0 + number, 12.0 + number) for number in range(6)]
    account = account_of([Batch(trace_of(seconds, watts), (0.0, 9.0), windows)], 1.0)
    assert account.half_width == pytest.approx(0.0, abs=1e-9)
    assert account.half_width_above_idle > 0.1
    assert account.joules_per_msample_above_idle == pytest.approx(5.0 - account.idle_watts)


def fast_and_slow(period_s: float) -> tuple[Floats, Floats]:
    seconds = np.arange(0.0, 40.0, period_s)
    return seconds, 3.0 + np.sin(seconds)


WINDOWS = [(10.0, 20.0), (20.0, 30.0)]


def test_a_quick_meter_is_adequate_and_a_slow_one_is_not() -> None:
    assert adequacy(trace_of(*fast_and_slow(0.1)), WINDOWS).is_adequate
    slow = adequacy(trace_of(*fast_and_slow(2.0)), WINDOWS)
    assert not slow.is_adequate
    assert slow.values_per_window == pytest.approx(5.0)
    assert "NOT adequate: 5 new values" in str(slow)


def test_values_that_repeat_do_not_count() -> None:
    seconds, watts = fast_and_slow(0.01)
    held = watts[np.arange(len(watts)) // 200 * 200]  # a new value each 2 s
    assert adequacy(trace_of(seconds, held), WINDOWS).values_per_window == pytest.approx(5.0, rel=0.1)
    stated = replace(trace_of(seconds, watts), update_s=2.0)
    assert adequacy(stated, WINDOWS).values_per_window == pytest.approx(5.0)


def test_a_load_that_swings_with_the_sampling_is_not_adequate() -> None:
    seconds = np.arange(0.0, 40.0, 0.1)
    swinging = trace_of(seconds, np.where(np.arange(len(seconds)) % 2, 1.0, 5.0))
    found = adequacy(swinging, WINDOWS)
    assert found.values_per_window == pytest.approx(100.0)
    assert not found.is_adequate
    assert found.change > 0.5
    assert adequacy(
        replace(swinging, is_integrating=True), WINDOWS
    ).is_adequate  # nothing escapes a meter that integrates


def test_an_uncertain_clock_is_not_adequate() -> None:
    trace = replace(trace_of(*fast_and_slow(0.1)), clock_uncertainty_s=0.2)
    found = adequacy(trace, WINDOWS)
    assert found.edge_share == pytest.approx(0.04)
    assert not found.is_adequate

"""The rehearsal: simulated boards by their own integral, and the interval that the method states of them."""

from dataclasses import replace

import numpy as np
import pytest

from hil_tests.energy.energy_run import EnergyPlan
from hil_tests.energy.rehearsal import START_S, SimulatedBoard, random_case, rehearsal, rehearsed, summary


def test_of_200_boards_the_true_joules_lie_in_the_stated_interval() -> None:
    cases = rehearsal(200, seed=0)
    found = summary(cases)
    assert found["within"] >= 184
    assert found["beyond_3"] == 0
    assert found["flagged"] <= 4  # what is left out of the count is the exception
    above = [
        abs(one.energy.joules_per_msample_above_idle - one.case.true_joules_above_idle)
        <= (one.energy.uncertainty_above_idle or 0.0)
        for one in cases
    ]
    assert sum(above) >= 184


def test_what_is_sampled_once_a_second_is_flagged() -> None:
    cases = rehearsal(30, seed=1, sampling_hz=1.0)
    assert all(one.is_flagged for one in cases)
    assert all("a second (5 needed)" in one.energy.note for one in cases)


def test_power_of_a_simulated_board_is_what_its_joules_grow_by() -> None:
    random = np.random.default_rng(5)
    case = random_case(random)
    board = SimulatedBoard(case, random)
    board.wait(3.0)
    for _ in range(4):
        board.work()
    board.wait(2.0)
    times = np.linspace(START_S, board.now, 200_001)
    by_steps = float(np.sum(board.watts_at((times[1:] + times[:-1]) / 2) * np.diff(times)))
    assert float(board.joules_until(np.array([board.now]))[0]) == pytest.approx(by_steps, rel=1e-3)
    assert float(board.joules_until(np.array([START_S + 3.0]))[0]) == pytest.approx(3.0 * case.idle_watts)


def test_without_spread_swing_and_noise_the_true_joules_are_found() -> None:
    random = np.random.default_rng(6)
    case = replace(
        random_case(random), spread=0.0, swing=0.0, noise=0.0, sampling_hz=50.0, longest_trip_s=1e-4, missing=0.1
    )  # fmt: skip
    for is_integrating in (True, False):
        found = rehearsed(replace(case, is_integrating=is_integrating), random, EnergyPlan())
        assert found.energy.joules_per_msample == pytest.approx(case.true_joules, rel=1e-4)
        assert found.energy.joules_per_msample_above_idle == pytest.approx(case.true_joules_above_idle, rel=1e-3)
        assert found.energy.label == "simulated"

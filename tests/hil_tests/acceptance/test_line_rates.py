"""Recordings at a line rate, replayed: what is late, what waits, what is dropped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil_tests.acceptance.line_rates import RECORDINGS, replay
from hil_tests.board.board import Imager
from hil_tests.findings.line_times import line_times

LINES_MS = st.lists(st.floats(0.01, 50.0), min_size=1, max_size=20)


def test_lines_that_are_coded_in_time_are_neither_late_nor_dropped() -> None:
    rate = replay(Imager(100, buffer_lines=1), [9.0], bands=2, columns=3)
    assert (rate.late, rate.dropped, rate.largest_backlog) == (0, 0, 1)
    assert rate.real_time_factor == pytest.approx(10 / 9)


def test_a_slow_coder_fills_the_buffer_and_drops_the_rest() -> None:
    rate = replay(Imager(100, buffer_lines=5, recording_lines=100), [20.0], bands=2, columns=3)
    assert rate.largest_backlog == 5
    assert rate.dropped == pytest.approx(RECORDINGS * 100 / 2, abs=RECORDINGS * 5)
    assert rate.late == RECORDINGS * 100 - rate.dropped
    assert rate.real_time_factor == pytest.approx(0.5)


def test_a_pause_lets_a_slow_coder_catch_up() -> None:
    imager = Imager(100, buffer_lines=51, recording_lines=100, duty_cycle=0.5)
    assert replay(imager, [19.9], bands=2, columns=3).dropped == 0
    assert replay(Imager(100, buffer_lines=51, recording_lines=100), [19.9], bands=2, columns=3).dropped > 0


def test_lines_of_another_size_take_longer_in_proportion() -> None:
    small = replay(Imager(100), [4.0], bands=10, columns=10)
    large = replay(Imager(100, bands=20, columns=20), [4.0], bands=10, columns=10)
    assert small.real_time_factor == pytest.approx(4 * large.real_time_factor)


@given(LINES_MS, st.floats(1, 1000), st.integers(1, 9), st.integers(1, 30), st.floats(0.1, 1))
def test_no_line_is_lost_from_the_account(
    lines_ms: list[float], per_s: float, buffer_lines: int, recording_lines: int, duty_cycle: float
) -> None:
    imager = Imager(
        per_s, buffer_lines=buffer_lines, recording_lines=recording_lines, duty_cycle=duty_cycle
    )  # fmt: skip
    rate = replay(imager, lines_ms, bands=1, columns=1)
    assert 0 <= rate.late <= RECORDINGS * recording_lines - rate.dropped
    assert 1 <= rate.largest_backlog <= buffer_lines
    assert rate.dropped < RECORDINGS * recording_lines


@given(LINES_MS)
def test_the_figures_of_lines_are_in_order(lines_ms: list[float]) -> None:
    times = line_times(lines_ms)
    assert times.median <= times.p99 <= times.largest == max(lines_ms)
    assert times.first == lines_ms[0]
    assert times.jitter >= 0


@pytest.mark.parametrize(("n_lines", "p99"), [(1, 1), (99, 99), (100, 99), (101, 100), (200, 198), (201, 199)])
def test_99_percent_of_the_lines_do_not_exceed_p99(n_lines: int, p99: int) -> None:
    times = line_times([float(line) for line in range(n_lines, 0, -1)])
    assert (times.first, times.p99, times.largest) == (n_lines, p99, n_lines)

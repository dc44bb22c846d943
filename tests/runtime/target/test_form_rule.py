"""Laws of the rule that changes forms, over any fill and in a simulated buffer."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.form_simulation import simulated
from runtime.errors import BadArgument
from runtime.target.form_rule import FormHistory, FormRule, must_end, next_form

shares = st.floats(0, 1)


@st.composite
def rules(draw: st.DrawFn) -> FormRule:
    numbers = st.integers(0, 100)
    low, middle, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    return FormRule(min(middle + 1, 101) / 102, low / 102, (high + 1) / 102, draw(st.integers(1, 5)))


@st.composite
def histories(draw: st.DrawFn) -> tuple[FormHistory, int]:
    n_forms = draw(st.integers(1, 7))
    return FormHistory(draw(st.integers(0, n_forms - 1)), draw(st.integers(0, 9))), n_forms


@given(rules(), histories(), shares, shares)
def test_a_fuller_buffer_never_takes_a_dearer_form(
    rule: FormRule, history: tuple[FormHistory, int], one: float, other: float
) -> None:
    before, n_forms = history
    less, more = sorted((one, other))
    assert next_form(rule, before, less, n_forms).form <= next_form(rule, before, more, n_forms).form
    assert must_end(rule, before, less, n_forms) <= must_end(rule, before, more, n_forms)


@given(rules(), st.integers(1, 7), st.lists(shares, min_size=1, max_size=60))
def test_a_form_stays_its_segments_but_for_the_last_resort(rule: FormRule, n_forms: int, fills: list[float]) -> None:
    history, forms = FormHistory(), [0]
    run = 0
    for fill in fills:
        before, history = history, next_form(rule, history, fill, n_forms)
        assert 0 <= history.form < n_forms
        if history.form != before.form:
            assert run >= rule.least_segments or (fill >= rule.last_resort_at and history.form == n_forms - 1)
            assert abs(history.form - before.form) == 1 or fill >= rule.last_resort_at
        run = run + 1 if history.form == before.form else 1
        assert history.n_segments == run
        forms.append(history.form)
    calm = [rule.dearer_at < fill < rule.cheaper_at for fill in fills]
    assert all(one == other for is_calm, (one, other) in zip(calm, itertools.pairwise(forms), strict=True) if is_calm)


@given(
    rules(), st.lists(st.floats(0.01, 20), min_size=1, max_size=6), st.integers(1, 8),
    st.lists(st.floats(1, 3), min_size=1, max_size=300),
)  # fmt: skip
def test_no_line_is_dropped_while_the_cheapest_form_keeps_up(
    rule: FormRule, more: list[float], segment_lines: int, periods: list[float]
) -> None:
    cheapest = 1.0
    seconds = [*sorted((cheapest + one for one in more), reverse=True), cheapest]
    while_one_line = seconds[0] / cheapest + 2  # lines that come while the dearest form codes one
    n_buffer = int(while_one_line / (1 - rule.last_resort_at)) + 1
    arrivals = list(itertools.accumulate(periods))
    done = simulated(rule, arrivals, seconds, n_buffer, segment_lines)
    assert done.n_dropped == 0
    assert sum(done.lines) == len(arrivals)


def test_lines_are_dropped_and_counted_where_no_form_keeps_up() -> None:
    done = simulated(FormRule(), [float(i) for i in range(100)], [9.0, 3.0], 10, 4)
    assert done.n_dropped > 0 and done.largest_fill == 1
    assert done.n_dropped + sum(done.lines) == 100


def test_a_calm_imager_has_the_dearest_form() -> None:
    done = simulated(FormRule(), [2.0 * i for i in range(200)], [1.5, 0.1], 64, 4)
    assert set(done.forms) == {0} and done.n_dropped == 0


@pytest.mark.parametrize(
    "values", [{"cheaper_at": 0.2}, {"dearer_at": -0.1}, {"last_resort_at": 0.5}, {"last_resort_at": 1.1},
               {"least_segments": 0}, {"cheaper_at": float("nan")}],
)  # fmt: skip
def test_a_rule_that_contradicts_itself_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(BadArgument, match=r"found .*, allowed"):
        FormRule(**values)  # type: ignore[arg-type]
